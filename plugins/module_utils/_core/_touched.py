# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The log of paths that may have changed in a published tree: who copies the tree need not walk it.

A transaction writes down, durably, what it is going to touch before it touches anything. So
who holds the tree's lock, and has recovered the tree, finds here every path that may have
changed since an earlier position. What it says are hints: the file itself tells what is there.
Of several records of a path the last one counts, once the tree is recovered: others may have
the file's size and time, since releases are dated in whole seconds, but another digest.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import parse_json, sync_directory

FOLDER = ".distrogate/touched"
_LIMIT = 64 << 20  # bytes: a longer log starts anew, and more than that is not read at once
_MAGIC = b"distrogate-touched 1 "
_HEADER = len(_MAGIC) + 32 + 1
_BLOCK = 1 << 16
_BUFFER = 1 << 18


class Touched(t.NamedTuple):
    """One path, and what it is going to be; ``sha256`` is "" where that is not known, or it goes."""

    path: bytes
    sha256: str = ""
    size: int = 0
    mtime_ns: int = 0


class Note(t.NamedTuple):
    """What a domain tells about a transaction."""

    data: dict[str, t.Any]


class Position(t.NamedTuple):
    """A place in the log, between two records; ``log`` is the id of the file."""

    log: str
    offset: int


class TouchLog:
    """The log of one tree. Readers never fail: what cannot be read is an unknown position."""

    def __init__(self, root: str) -> None:
        self.folder = os.path.join(root, FOLDER)
        self.path = os.path.join(self.folder, "log")

    def append(self, records: t.Iterable[Touched | Note]) -> None:
        """Add records, durably. The caller holds the tree's lock.

        Where that cannot be done, for want of space above all, the log goes instead: readers
        look at the whole tree then, and what is published does not wait for the log.
        """
        lines = map(_render, records)
        first = next(lines, None)
        if first is None:
            return
        try:
            with os.fdopen(self._writable(), "r+b", buffering=_BUFFER) as stream:
                descriptor = stream.fileno()
                end = _end(descriptor, os.fstat(descriptor).st_size)
                os.ftruncate(descriptor, end)  # what a killed writer left
                stream.seek(end)
                stream.write(first)
                stream.writelines(lines)
                stream.flush()
                os.fdatasync(descriptor)
        except OSError:
            self._lose()

    def restart(self) -> None:
        """Begin a new log: every position so far becomes unknown."""
        try:
            self._begin()
        except OSError:
            self._lose()

    def position(self) -> Position | None:
        """Where the log ends now; None when there is none. It needs no lock."""
        try:
            with self._opened() as (descriptor, log):
                return Position(log, _end(descriptor, os.fstat(descriptor).st_size)) if log else None
        except OSError:
            return None

    def since(self, position: Position) -> tuple[list[Touched | Note], Position] | None:
        """What was added since ``position``, and where the log ends; None when that is not known."""
        try:
            with self._opened() as (descriptor, log):
                end = _end(descriptor, os.fstat(descriptor).st_size)
                size = end - position.offset
                if log != position.log or position.offset < _HEADER or not 0 <= size <= _LIMIT:
                    return None
                data = os.pread(descriptor, size + 1, position.offset - 1)
        except OSError:
            return None
        # The byte before is the end of a record, or of the header.
        if len(data) != size + 1 or data[:1] != (b"\n" if position.offset == _HEADER else b"\0"):
            return None
        records = [_parse(raw) for raw in data[1:-1].split(b"\0")] if size else []
        if any(record is None for record in records):
            return None
        return t.cast("list[Touched | Note]", records), Position(log, end)

    def digests(self) -> dict[bytes, bytes]:
        """Of each path that the log names, the last record, up to the path: ``sha256 size mtime_ns``.

        Nothing is checked, and it is quick: whoever believes a record compares it with a file.
        """
        found: dict[bytes, bytes] = {}
        try:
            with self._opened() as (descriptor, log):
                end = _end(descriptor, os.fstat(descriptor).st_size)
                if log and end - _HEADER <= _LIMIT:
                    for raw in os.pread(descriptor, end - _HEADER, _HEADER).split(b"\0"):
                        fields = raw.split(b" ", 3)
                        if len(fields) == 4:
                            found[fields[3]] = raw[: -len(fields[3]) - 1]
        except OSError:
            return {}
        return found

    @contextlib.contextmanager
    def _opened(self, flags: int = os.O_RDONLY) -> t.Iterator[tuple[int, str]]:
        """The open file and its id, which is "" when this is no log."""
        descriptor = os.open(self.path, flags | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            yield descriptor, _identifier(os.pread(descriptor, _HEADER, 0))
        finally:
            os.close(descriptor)

    def _writable(self) -> int:
        """The log, open for more records; a new one where there is none, or a broken or long one."""
        with contextlib.suppress(FileNotFoundError), self._opened(os.O_RDWR) as (descriptor, log):
            if log and os.fstat(descriptor).st_size <= _LIMIT:
                return os.dup(descriptor)
        self._begin()
        return os.open(self.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)

    def _begin(self) -> None:
        if not os.path.isdir(self.folder):
            os.makedirs(self.folder)
            os.chmod(self.folder, 0o755)  # readers are other users, whatever the umask
            sync_directory(os.path.dirname(self.folder))
        fresh = f"{self.path}.new"  # always the same name: what a killed writer leaves is written over
        with open(fresh, "wb") as stream:
            stream.write(b"%s%s\n" % (_MAGIC, os.urandom(16).hex().encode("ascii")))
            os.fchmod(stream.fileno(), 0o644)
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(fresh, self.path)
        sync_directory(self.folder)

    def _lose(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
            sync_directory(self.folder)


def _identifier(header: bytes) -> str:
    name, end = header[len(_MAGIC) : -1], header[-1:]
    whole = len(header) == _HEADER and header.startswith(_MAGIC) and end == b"\n" and name.isalnum()
    return name.decode("ascii") if whole else ""


def _end(descriptor: int, size: int) -> int:
    """Where the last whole record ends: what follows is of a writer that was killed, or is at it."""
    step = 1
    while size > _HEADER:
        begin = max(_HEADER, size - step)
        found = os.pread(descriptor, size - begin, begin).rfind(b"\0")
        if found >= 0:
            return begin + found + 1
        size, step = begin, _BLOCK
    return _HEADER


def _render(record: Touched | Note) -> bytes:
    if isinstance(record, Note):
        return json.dumps(record.data, separators=(",", ":")).encode("ascii") + b"\0"
    digest = (record.sha256 or "-").encode("ascii")
    return b"%s %d %d %s\0" % (digest, record.size, record.mtime_ns, record.path)


@functools.cache
def _record() -> re.Pattern[bytes]:
    """Compiled where it is needed: writers, which have little time, do not read."""
    return re.compile(rb"(-|[0-9a-f]{64}) ([0-9]{1,19}) (-?[0-9]{1,19}) ([^\0]+)")


def _parse(raw: bytes) -> Touched | Note | None:
    """A record; None when it is none."""
    if raw[:1] == b"{":
        try:
            data = parse_json(raw, "a note")
        except DistrogateError:
            return None
        return Note(data) if isinstance(data, dict) else None
    match = _record().fullmatch(raw)
    if match is None or _leaves(match[4]):
        return None
    digest, size, mtime_ns, path = match.groups()
    return Touched(path, "" if digest == b"-" else digest.decode("ascii"), int(size), int(mtime_ns))


def _leaves(path: bytes) -> bool:
    framed = b"/%s/" % path
    return b"//" in framed or b"/./" in framed or b"/../" in framed
