# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a folder that is read while it is written: one of a fixed name, which names all others.

Every other file has a digest of its contents in its name and is never changed, so a reader who has the old
index.html finds the old files, and one who has the new one the new ones. Files that the last index.html did
not name either are removed; a reader has the time between two changes to come to an end.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    sync_file_system,
    write_atomic,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference

INDEX = "index.html"
DATA = "data"
LIST = "files.json"  # the names of the files that the index.html names; it says that the folder is ours
LOCK = ".lock"
_OURS = re.compile(r"[a-z]+(?:-[0-9a-f]{64})?-[0-9a-f]{16}\.(?:js|css)")


class Folder:
    """Takes the files one after the other, and ``finish`` makes them the folder's contents."""

    def __init__(self, path: str, difference: Difference, check_mode: bool) -> None:
        self._path = path
        self._data = f"{path}/{DATA}"
        self._difference = difference
        self._check_mode = check_mode
        self._names: set[str] = set()
        self._before = self._listed()

    def _listed(self) -> list[str]:
        """The names of the last time; a folder that holds something else is refused."""
        try:
            with open(f"{self._data}/{LIST}", encoding="utf-8") as stream:
                return [str(name) for name in json.load(stream)]
        except FileNotFoundError:
            strangers = set(os.listdir(self._path) if os.path.isdir(self._path) else []) - {LOCK}
            if strangers:
                raise DistrogateError(
                    "bad_destination",
                    f"{self._path} holds other things, such as {min(strangers)}. Name a folder of its own.",
                ) from None
            return []
        except (ValueError, TypeError):
            return []  # ours, and edited: it is written again

    def begin(self) -> None:
        """Make the folder, marked as ours before anything else lies in it."""
        if not self._check_mode and not os.path.exists(f"{self._data}/{LIST}"):
            os.makedirs(self._data, exist_ok=True)
            write_atomic(f"{self._data}/{LIST}", "[]\n")

    def add(self, stem: str, extension: str, text: str) -> str:
        """Add a file; returns its name, relative to the folder."""
        data = text.encode("utf-8")
        name = f"{stem}-{hashlib.sha256(data).hexdigest()[:16]}.{extension}"
        self._names.add(name)
        self._write(f"{DATA}/{name}", data)
        return f"{DATA}/{name}"

    def _write(self, name: str, data: bytes) -> None:
        path = f"{self._path}/{name}"
        before = None
        with contextlib.suppress(OSError), open(path, "rb") as stream:
            before = stream.read()
        if before == data:
            return
        self._difference.add(name, None if before is None else _digest(before), _digest(data))
        if not self._check_mode:
            write_atomic(path, data, durable=name == INDEX)

    def finish(self, index: str) -> None:
        """Write index.html, and remove what neither it nor the one before needs."""
        if not self._check_mode and not self._difference.empty:
            sync_file_system(self._data)  # what index.html names must be there when it is
        self._write(INDEX, index.encode("utf-8"))
        if sorted(self._names) == self._before:
            return
        for name in self._superfluous():
            self._difference.add(name, "there", None)
            if not self._check_mode:
                os.unlink(f"{self._path}/{name}")
        if not self._check_mode:
            write_atomic(f"{self._data}/{LIST}", json.dumps(sorted(self._names), indent=0) + "\n")

    def _superfluous(self) -> list[str]:
        """The files of an index.html that was replaced before the last one, and those of a killed writer."""
        keep = self._names | set(self._before)
        found = []
        for folder, prefix in ((self._path, ""), (self._data, f"{DATA}/")):
            for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
                old = prefix and _OURS.fullmatch(name) and name not in keep
                if old or name.startswith(".tmp-"):
                    found.append(prefix + name)
        return found


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def script(name: str, value: t.Any) -> str:
    """Data as a script that hands it to the page, since a page of file:// may load scripts alone.

    The page parses a text, so that no key (``__proto__``) means anything. Nothing but ASCII, and no ``<``.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return f"distrogate({json.dumps(name)},{json.dumps(text)});\n".replace("<", "\\u003c")
