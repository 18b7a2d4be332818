# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Digests of files by what the file system says of them, so that an unchanged file is read once."""

from __future__ import annotations

import contextlib
import json
import os
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import read_json, write_atomic

_FORMAT = 1
_SETTLED = 2_000_000_000  # nanoseconds: within them a file may change without another time


class Memo:
    """What is known of files, kept in the file ``path`` (None: in memory only).

    A file is known by its path, device, inode, size and both times; the time of the last change of the inode
    cannot be set back by those who write the file. What was not asked for is forgotten when it is saved.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._known = _loaded(path) if path else {}
        self._found: dict[str, list[t.Any]] = {}
        self._now = time.time_ns()

    def find(self, path: str, status: os.stat_result) -> str | None:
        """The sha256 of a file that is as it was."""
        known = self._found.get(path) or self._known.get(path)
        if known is None or known[0] != _stamp(status):
            return None
        self._found[path] = known
        return str(known[1])

    def keep(self, path: str, status: os.stat_result, sha256: str) -> None:
        """Know a digest from now on, unless the file changed a moment ago and could change again unseen."""
        if self._now - max(status.st_ctime_ns, status.st_mtime_ns) > _SETTLED:
            self._found[path] = [_stamp(status), sha256]

    def save(self) -> None:
        """Write it, by rename; of two that write at once the last one stays, and nothing false is said."""
        if self._path is not None and self._found != self._known:
            text = json.dumps({"version": _FORMAT, "files": self._found}, separators=(",", ":"))
            write_atomic(self._path, text, mode=0o600, durable=False)


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"


def _loaded(path: str) -> dict[str, list[t.Any]]:
    """What was saved; a broken memo is an empty one."""
    with contextlib.suppress(DistrogateError, OSError):
        data = read_json(path)
        if isinstance(data, dict) and data.get("version") == _FORMAT and isinstance(data.get("files"), dict):
            pairs = data["files"].items()
            return {k: v for k, v in pairs if isinstance(v, list) and len(v) == 2 and isinstance(v[1], str)}
    return {}
