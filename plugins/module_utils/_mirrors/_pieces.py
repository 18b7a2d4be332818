# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pieces: the entries of a list in files of about 512, cut where a path's own checksum says so.

So a path that comes, goes or changes makes one piece new (two when it is itself
such a border), and the same entries always give the same pieces, whatever the
order in which they came. The records of a piece and those of a list's root have
one form: a digest, two numbers and a path, ended by NUL.
"""

from __future__ import annotations

import bisect
import re
import typing as t
import zlib

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._paths import (
    PRIVATE,
    STAGING,
    UNFINISHED,
)

SPREAD = 128  # about one path in so many is a border

_LONGEST = 4096  # PATH_MAX
_OUTSIDE = (b"\0", b"//", b"/./", b"/../")
_HIDDEN = (b"/%s/" % PRIVATE, b"/%s/" % STAGING, b"/%s" % UNFINISHED)
_RECORD = re.compile(rb"([0-9a-f]{64}) (0|[1-9][0-9]{0,18}) (0|-?[1-9][0-9]{0,18}) (.+)", re.DOTALL)


class Entry(t.NamedTuple):
    """One file: its contents, and the time that readers see."""

    sha256: str
    size: int
    mtime_ns: int


class Ref(t.NamedTuple):
    """A piece as the list's root names it: all entries from the path ``first`` to the next piece's."""

    digest: str
    files: int
    size: int
    first: bytes


def is_border(path: bytes) -> bool:
    """Whether a piece begins at this path."""
    return zlib.crc32(path) % SPREAD == 0


def is_listed(path: bytes) -> bool:
    """Whether a list may hold this path: relative, in one spelling, and not one that is never mirrored."""
    framed = b"/" + path + b"/"
    return len(path) <= _LONGEST and not any(part in framed for part in (*_OUTSIDE, *_HIDDEN))


def record(path: bytes, entry: Entry) -> bytes:
    """An entry as it stands in a piece, without the NUL at its end."""
    return b"%s %d %d %s" % (entry.sha256.encode(), entry.size, entry.mtime_ns, path)


def parse(line: bytes) -> tuple[bytes, Entry]:
    """The path and the entry of a record."""
    sha256, size, mtime_ns, path = line.split(b" ", 3)
    return path, Entry(sha256.decode(), int(size), int(mtime_ns))


def path_of(line: bytes) -> bytes:
    return line.split(b" ", 3)[3]


def split(data: bytes) -> list[bytes]:
    """The records of a piece or a root."""
    return data.split(b"\0")[:-1]


def join(lines: t.Iterable[bytes]) -> bytes:
    """What ``split`` takes apart."""
    return b"".join([line + b"\0" for line in lines])


def dump_refs(refs: t.Iterable[Ref]) -> bytes:
    """The root of a list."""
    return b"".join([b"%s %d %d %s\0" % (ref.digest.encode(), *ref[1:]) for ref in refs])


def parse_refs(data: bytes) -> list[Ref]:
    """The pieces that a root names."""
    found = []
    for line in split(data):
        digest, files, size, first = line.split(b" ", 3)
        found.append(Ref(digest.decode(), int(files), int(size), first))
    return found


def fault(data: bytes) -> str:
    """Why a stranger's file is neither a piece nor a root; empty when it could be one.

    Both begin where they like; after that a root names only borders, and a piece none.
    """
    if data and not data.endswith(b"\0"):
        return "it is cut off"
    last, borders = b"", 0
    for number, line in enumerate(split(data)):
        match = _RECORD.fullmatch(line)
        if match is None:
            return f"record {number} is malformed"
        path = match.group(4)
        if not is_listed(path):
            return f"record {number} has a path that is never mirrored"
        if path <= last:
            return f"record {number} is not sorted"
        last = path
        borders += number > 0 and is_border(path)
        if borders not in (0, number):
            return f"record {number} lies on the wrong side of a border"
    return ""


def find_in(data: bytes, path: bytes) -> Entry | None:
    """The entry of one path, without taking the piece apart."""
    needle, begin = b" %s\0" % path, 0
    while (at := data.find(needle, begin)) >= 0:
        start = data.rfind(b"\0", 0, at) + 1
        found, entry = parse(data[start : at + len(needle) - 1])
        if found == path:
            return entry
        begin = at + 1  # the end of a path with a space in it
    return None


class Cutter:
    """Makes pieces from records that come sorted, or keeps pieces as they are."""

    def __init__(self, store: t.Callable[[bytes], str], load: t.Callable[[Ref], bytes]) -> None:
        self.refs: list[Ref] = []
        self._store = store
        self._load = load
        self._lines: list[bytes] = []
        self._first = b""
        self._size = 0

    def add(self, path: bytes, line: bytes, size: int) -> None:
        """The next record."""
        if is_border(path):
            self._flush()
        elif not self._lines and self.refs:  # the border before it is gone: it joins the piece before
            ref = self.refs.pop()
            self._lines, self._first, self._size = split(self._load(ref)), ref.first, ref.size
        if not self._lines:
            self._first = path
        self._lines.append(line)
        self._size += size

    def keep(self, ref: Ref) -> None:
        """A piece that begins at a border, or is the first."""
        self._flush()
        self.refs.append(ref)

    def change(self, ref: Ref, data: bytes, changes: t.Mapping[bytes, Entry | None]) -> None:
        """A piece with other entries for some paths."""
        lines = split(data)
        paths = [path_of(line) for line in lines]
        size = ref.size + sum(_replace(lines, paths, path, changes[path]) for path in sorted(changes))
        borders = not paths or paths[0] != ref.first or any(is_border(path) for path in changes)
        if borders:
            for path, line in zip(paths, lines):
                self.add(path, line, int(line.split(b" ", 2)[1]))
        else:
            self._flush()
            self.refs.append(Ref(self._store(join(lines)), len(lines), size, ref.first))

    def end(self) -> list[Ref]:
        """All pieces."""
        self._flush()
        return self.refs

    def _flush(self) -> None:
        if self._lines:
            self.refs.append(Ref(self._store(join(self._lines)), len(self._lines), self._size, self._first))
            self._lines, self._size = [], 0


def _replace(lines: list[bytes], paths: list[bytes], path: bytes, entry: Entry | None) -> int:
    """Change one record; returns by how many bytes the files grew."""
    at = bisect.bisect_left(paths, path)
    there = at < len(paths) and paths[at] == path
    grown = -int(lines[at].split(b" ", 2)[1]) if there else 0
    if entry is None:
        del lines[at : at + there], paths[at : at + there]
        return grown
    lines[at : at + there] = [record(path, entry)]
    paths[at : at + there] = [path]
    return grown + entry.size
