# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists: what a part of a tree holds, named by a digest, in pieces that lists share."""

from __future__ import annotations

import bisect
import contextlib
import hashlib
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._list_files import ListFiles
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import (
    Cutter,
    Entry,
    Ref,
    dump_refs,
    fault,
    find_in,
    parse,
    parse_refs,
    path_of,
    record,
    split,
)

Change = tuple[bytes, t.Optional[Entry], t.Optional[Entry]]  # path, before, after
EMPTY = hashlib.sha256(b"").hexdigest()  # the digest of the list without entries

__all__ = ["EMPTY", "Builder", "Change", "Entry", "Lists", "Totals"]

_ROOTS = 8  # kept parsed
_END = b"\xff" * 4097  # after every path


class Totals(t.NamedTuple):
    """How much a list names."""

    files: int
    bytes: int


class Lists:
    """The folder ``<source>/.distrogate/lists``: every file's name is the sha256 of its contents.

    What is read is checked against its name. Error ``list_damaged``: a file of
    the folder is missing or was rewritten; whoever can must make the list anew.
    With ``in_memory`` nothing is written: new pieces live as long as this object.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._files = ListFiles(folder)
        self._roots: dict[str, list[Ref]] = {}

    @property
    def in_memory(self) -> bool:
        return self._files.in_memory

    @in_memory.setter
    def in_memory(self, value: bool) -> None:
        self._files.in_memory = value

    def _refs(self, digest: str | None) -> list[Ref]:
        if digest is None or digest == EMPTY:
            return []
        found = self._roots.get(digest)
        if found is None:
            found = self._roots[digest] = parse_refs(self._files.load(digest))
            while len(self._roots) > _ROOTS:
                del self._roots[next(iter(self._roots))]
        return found

    def _piece(self, ref: Ref, end: bytes = _END) -> bytes:
        """The contents of a piece; a stranger's root may say what its pieces are not."""
        data = self._files.load(ref.digest)
        last = data.rfind(b"\0", 0, -1) + 1
        if (
            data.count(b"\0") != ref.files
            or path_of(data[: data.index(b"\0")]) != ref.first
            or path_of(data[last:-1]) >= end
        ):
            raise DistrogateError(
                "list_damaged", f"{self.folder}: a list does not fit its piece {ref.digest}. Make it anew."
            )
        return data

    def _root(self, cutter: Cutter) -> str:
        refs = cutter.end()
        digest = self._files.store(dump_refs(refs))
        self._roots[digest] = refs
        return digest

    def builder(self) -> Builder:
        """To build several lists at once."""
        return Builder(self)

    def cutter(self) -> Cutter:
        return Cutter(self._files.store, self._piece)

    def build(self, entries: t.Iterable[tuple[bytes, Entry]]) -> str:
        """A list from entries sorted by path; returns its digest (an empty list has one, too)."""
        builder = self.builder()
        for path, entry in entries:
            builder.add(path, entry)
        return builder.end()

    def update(self, digest: str, changes: t.Mapping[bytes, Entry | None]) -> str:
        """The list with other entries for some paths (None: without it), at the cost of their pieces."""
        refs = self._refs(digest)
        firsts = [ref.first for ref in refs]
        if not refs:
            return self.build((path, entry) for path, entry in sorted(changes.items()) if entry is not None)
        by_piece: dict[int, dict[bytes, Entry | None]] = {}
        for path, entry in changes.items():
            by_piece.setdefault(max(0, bisect.bisect_right(firsts, path) - 1), {})[path] = entry
        cutter = self.cutter()
        for number, ref in enumerate(refs):
            if number in by_piece:
                cutter.change(ref, self._piece(ref), by_piece[number])
            else:
                cutter.keep(ref)
        return self._root(cutter)

    def difference(self, before: str | None, after: str | None) -> t.Iterator[Change]:
        """What differs, sorted by path; None is the empty list. Reads only pieces that differ."""
        if before == after:
            return
        if before is None and after is not None:
            yield from ((path, None, entry) for path, entry in self.entries(after))
            return
        old, new = self._refs(before), self._refs(after)
        same = {ref.digest for ref in old} & {ref.digest for ref in new}
        for olds, news in _overlaps(_spans(old, same), _spans(new, same)):
            left = {line for ref, end in olds for line in split(self._piece(ref, end))}
            right = {line for ref, end in news for line in split(self._piece(ref, end))}
            gone, come = dict(map(parse, left - right)), dict(map(parse, right - left))
            for path in sorted(gone.keys() | come.keys()):
                yield path, gone.get(path), come.get(path)

    def entries(self, digest: str) -> t.Iterator[tuple[bytes, Entry]]:
        """All entries, sorted by path."""
        for ref, end in _spans(self._refs(digest), ()):
            yield from map(parse, split(self._piece(ref, end)))

    def find(self, digest: str, paths: t.Iterable[bytes]) -> dict[bytes, Entry]:
        """The entries of those paths that the list has."""
        refs = self._refs(digest)
        firsts = [ref.first for ref in refs]
        found = {}
        for path in sorted(path for path in set(paths) if b"\0" not in path):
            number = bisect.bisect_right(firsts, path) - 1
            entry = find_in(self._piece(refs[number]), path) if number >= 0 else None
            if entry is not None:
                found[path] = entry
        return found

    def totals(self, digest: str) -> Totals:
        """The number of files and their bytes; reads the root alone."""
        refs = self._refs(digest)
        return Totals(sum(ref.files for ref in refs), sum(ref.size for ref in refs))

    def names(self, digest: str) -> list[str]:
        """The names of all files of a list, the root's first."""
        return list(dict.fromkeys([digest, *(ref.digest for ref in self._refs(digest))]))

    def missing(self, digest: str) -> list[str]:
        """Of those, what is not here; only the root while that is missing."""
        if not self._files.has(digest):
            return [digest]
        return [name for name in self.names(digest) if not self._files.has(name)]

    def take(self, name: str, data: bytes) -> None:
        """Keep a file from a mirror. Error ``bad_list``: it has another digest, or no list is like that."""
        why = fault(data) if hashlib.sha256(data).hexdigest() == name else "it has another digest"
        if why:
            raise DistrogateError("bad_list", f"The list file {name!r} of a mirror was refused: {why}.")
        self._files.store(data)

    def hold(self, timeout: float = 60) -> contextlib.AbstractContextManager[None]:
        """While it is held nobody collects: from ``take`` until a snapshot that needs it is saved."""
        return self._files.hold(timeout)

    def sync(self) -> None:
        """Make what was written durable."""
        self._files.sync()

    def collect(self, keep: t.Iterable[str]) -> None:
        """Remove what no list in ``keep`` needs; nothing while somebody holds them, or one is broken."""
        with self._files.alone() as alone, contextlib.suppress(DistrogateError):
            if alone:
                self._files.remove_others({name for digest in keep for name in self.names(digest)})


class Builder:
    """One list under way."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._cutter = lists.cutter()
        self._last = b""

    def add(self, path: bytes, entry: Entry) -> None:
        """The next entry, sorted by path."""
        self.add_record(path, record(path, entry), entry.size)

    def add_record(self, path: bytes, line: bytes, size: int) -> None:
        """The next entry, as its record."""
        if path <= self._last:
            raise ValueError(f"{path!r} after {self._last!r}: a list is built in order")
        self._last = path
        self._cutter.add(path, line, size)

    def end(self) -> str:
        """The list's digest."""
        return self._lists._root(self._cutter)


_Span = tuple[Ref, bytes]  # a piece, and the path before which it ends


def _spans(refs: list[Ref], without: t.Container[str]) -> list[_Span]:
    ends = [*(ref.first for ref in refs[1:]), _END]
    return [(ref, end) for ref, end in zip(refs, ends) if ref.digest not in without]


def _overlaps(old: list[_Span], new: list[_Span]) -> t.Iterator[tuple[list[_Span], list[_Span]]]:
    """Groups of pieces that may hold the same paths, in the order of their paths."""
    together = sorted(
        [(ref.first, end, side, ref) for side, spans in ((0, old), (1, new)) for ref, end in spans]
    )
    group: tuple[list[_Span], list[_Span]] = ([], [])
    until = b""
    for first, end, side, ref in together:
        if first >= until and (group[0] or group[1]):
            yield group
            group = ([], [])
        group[side].append((ref, end))
        until = max(until, end)
    if group[0] or group[1]:
        yield group
