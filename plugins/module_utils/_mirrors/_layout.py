# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that one mirror gets, laid out as they will lie there: as they wait, and as they are switched."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import clone_file
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._blobs import Blobs
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._paths import file_in, staged_name
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import Entry
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._plan import Plan
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._record import RECORD, Record

_FEW = 256  # files that are linked beside those that wait, to be sent by one rsync instead of two


class Layout:
    """The folders of one mirror: ``send`` (what is sent before the switch), ``ready``, ``end``."""

    def __init__(self, folder: str, source: str, blobs: Blobs) -> None:
        self.folder = folder
        self.source = source
        self.blobs = blobs
        self.send, self.ready, self.end = (os.path.join(folder, name) for name in ("send", "ready", "end"))

    def clear(self) -> None:
        """Empty folders."""
        for path in (self.send, self.ready, self.end):
            shutil.rmtree(path, ignore_errors=True)
            os.makedirs(path)

    def lay(self, plan: Plan) -> list[tuple[str, list[bytes]]]:
        """Lay out what waits; returns the parts to send: folder and names.

        Error ``source_changing``: the source does not have what its list names.
        """
        waiting = [staged_name(path) for path in plan.waiting]
        others = [*plan.added, *plan.lists]
        with _as_listed():
            for path in plan.waiting:
                self._wait(path, plan.entries[path])
            linked = len(others) <= _FEW and self._link_all(others)
        if linked:
            return [(self.send, [*others, *waiting])]
        return [(self.source, others), (self.send, waiting)]

    def check(self, parts: t.Iterable[tuple[str, list[bytes]]], entries: t.Mapping[bytes, Entry]) -> None:
        """Error ``source_changing``: a file that was to be sent went, or is not as it was."""
        with _as_listed():
            for folder, names in parts:
                for name in names:
                    path = file_in(folder, name)
                    status, entry = os.lstat(path), entries.get(name)
                    if entry is not None and (status.st_size, status.st_mtime_ns) != entry[1:]:
                        raise FileNotFoundError(errno.ENOENT, "it is not as it was", path)

    def lay_ready(self, paths: t.Iterable[bytes], entries: t.Mapping[bytes, Entry]) -> None:
        """Lay out files to be switched without having waited; an earlier process may have done so."""
        with _as_listed():
            for path in paths:
                if not _is(file_in(self.ready, path), entries[path]):
                    _link_or_copy(self._origin(path, entries[path]), _made(self.ready, path), entries[path])

    def record(self, record: Record, folder: str) -> bytes:
        """Write the mirror's record into ``folder``; returns its name."""
        with open(_made(folder, RECORD), "wb") as stream:
            stream.write(record.to_bytes())
        return RECORD

    def _wait(self, path: bytes, entry: Entry) -> None:
        ready = _made(self.ready, path)
        _link_or_copy(self._origin(path, entry), ready, entry)
        os.link(ready, _made(self.send, staged_name(path)))

    def _origin(self, path: bytes, entry: Entry) -> str:
        """The frozen file; replaced contents of a tree that is no repository come from the source."""
        if self.blobs.has(entry):
            return self.blobs.path(entry)
        origin = file_in(self.source, path)
        if not _is(origin, entry):
            raise FileNotFoundError(errno.ENOENT, "it is not as it was", origin)
        return origin

    def _link_all(self, names: list[bytes]) -> bool:
        """Whether the source's files could be linked; what was linked before that is no harm."""
        try:
            for name in names:
                os.link(file_in(self.source, name), _made(self.send, name), follow_symlinks=False)
        except OSError as error:
            if error.errno == errno.ENOENT:
                raise
            return False
        return True


@contextlib.contextmanager
def _as_listed() -> t.Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise DistrogateError(
            "source_changing",
            f"{error.filename} changed, or went, since the source was looked at; run again.",
        ) from error


def _is(path: str, entry: Entry) -> bool:
    """Whether a file is there with the size and time of an entry."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return False
    return (status.st_size, status.st_mtime_ns) == (entry.size, entry.mtime_ns)


def _made(folder: str, path: bytes) -> str:
    """A path whose folder exists."""
    found = file_in(folder, path)
    os.makedirs(os.path.dirname(found), exist_ok=True)
    return found


def _link_or_copy(origin: str, target: str, entry: Entry) -> None:
    try:
        os.link(origin, target, follow_symlinks=False)
        if _is(target, entry):
            return
        os.unlink(target)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise
    clone_file(origin, target)
    os.utime(target, ns=(entry.mtime_ns, entry.mtime_ns))
