# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots: the states of a source that are kept, over lists that they share."""

from __future__ import annotations

import contextlib
import heapq
import json
import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import (
    DistrogateError,
    from_os_error,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import parse_json, write_atomic
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._classify import CONTENT, classify
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._lists import Change, Lists, Totals
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import Entry
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot_parts import (
    Part,
    Snapshot,
    from_json,
    to_json,
)

_NAME = re.compile(r"[0-9a-f]{64}")
_LIMIT = 4 << 20

__all__ = ["Delta", "Part", "Snapshot", "Snapshots", "from_json", "prefix_of", "to_json"]


class Delta(t.NamedTuple):
    """What differs between two snapshots: full paths, sorted."""

    content: list[Change]
    index: list[Change]  # type: ignore[assignment]  # nobody asks for the place of a value


class Snapshots:
    """The folder ``<source>/.distrogate/mirrors/<name>/snapshots``, one file ``<id>.json`` each."""

    def __init__(self, folder: str, lists: Lists) -> None:
        self.folder = folder
        self.lists = lists
        self._deltas: dict[tuple[str, str], Delta] = {}
        self._lent: dict[str, Snapshot] = {}

    def lend(self, snapshot: Snapshot) -> None:
        """Have a snapshot that is not written down, as in check mode."""
        self._lent[snapshot.id] = snapshot

    def _path(self, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise DistrogateError("unknown_snapshot", f"{name!r} is not the id of a snapshot.")
        return f"{self.folder}/{name}.json"

    def load(self, name: str) -> Snapshot:
        """Error ``unknown_snapshot`` when there is none of that id, or its file is broken."""
        path = self._path(name)
        if name in self._lent:
            return self._lent[name]
        try:
            snapshot = _read(path)
        except FileNotFoundError as error:
            raise DistrogateError(
                "unknown_snapshot",
                f"{self.folder} has no snapshot {name}; it was never taken, or has retired.",
            ) from error
        except (OSError, DistrogateError) as error:
            raise DistrogateError("unknown_snapshot", f"{path} cannot be read: {error}.") from error
        if snapshot.id != name:
            raise DistrogateError("unknown_snapshot", f"{path} is not what was written there.")
        return snapshot

    def save(self, snapshot: Snapshot) -> None:
        """Keep a snapshot and make its lists durable; saving it again keeps its newer positions."""
        self.lists.sync()
        path, data = self._path(snapshot.id), json.dumps(to_json(snapshot), sort_keys=True).encode()
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as stream:
            if stream.read(_LIMIT) == data:
                return
        try:
            os.makedirs(self.folder, exist_ok=True)
            write_atomic(path, data)
        except OSError as error:
            raise from_os_error(error, self.folder) from error

    def known(self, name: str) -> bool:
        """Whether it is kept here."""
        return name in self._lent or os.path.exists(self._path(name))

    def ids(self) -> list[str]:
        """All that are kept here."""
        return [name[:-5] for name in _names(self.folder)]

    def changes(self, before: Snapshot | None, after: Snapshot | None, kind: str) -> t.Iterator[Change]:
        """What differs in ``content`` or ``index`` files, sorted by path; None is the empty tree."""
        olds = {} if before is None else before.parts
        news = {} if after is None else after.parts
        rows = [
            self._of_part(prefix, _list(olds.get(prefix), kind), _list(news.get(prefix), kind))
            for prefix in sorted(olds.keys() | news.keys())
        ]
        if len(rows) == 1:
            yield from rows[0]
            return
        # A folder that became a part, or is none any more, moves its files from list to list.
        last: Change | None = None
        for path, old, new in heapq.merge(*rows, key=_path_of):
            if last is not None and last[0] == path:
                last = (path, last[1] or old, last[2] or new)
                continue
            if last is not None and last[1] != last[2]:
                yield last
            last = (path, old, new)
        if last is not None and last[1] != last[2]:
            yield last

    def _of_part(self, prefix: bytes, before: str | None, after: str | None) -> t.Iterator[Change]:
        changes = self.lists.difference(before, after)
        return ((prefix + path, old, new) for path, old, new in changes) if prefix else changes

    def delta(self, before: Snapshot | None, after: Snapshot | None) -> Delta:
        """What differs; None is the empty tree. The same question again costs nothing."""
        key = (before.id if before else "", after.id if after else "")
        if key not in self._deltas:
            found = [list(self.changes(before, after, kind)) for kind in ("content", "index")]
            self._deltas = {**dict(list(self._deltas.items())[-3:]), key: Delta(*found)}
        return self._deltas[key]

    def find(self, snapshot: Snapshot, paths: t.Iterable[bytes]) -> dict[bytes, Entry]:
        """The entries of those full paths that the snapshot has."""
        wanted: dict[tuple[bytes, str], list[bytes]] = {}
        for path in set(paths):
            prefix = prefix_of(path, snapshot.parts)
            kind = "content" if classify(path) == CONTENT else "index"
            wanted.setdefault((prefix, kind), []).append(path[len(prefix) :])
        found = {}
        for (prefix, kind), names in wanted.items():
            digest = _list(snapshot.parts.get(prefix), kind)
            if digest is not None:
                for name, entry in self.lists.find(digest, names).items():
                    found[prefix + name] = entry
        return found

    def entries(self, snapshot: Snapshot) -> t.Iterator[tuple[bytes, Entry]]:
        """All entries with full paths, sorted."""
        rows = [
            self._prefixed(prefix, digest)
            for prefix, part in snapshot.parts.items()
            for digest in (part.content, part.index)
        ]
        return heapq.merge(*rows, key=_path_of)

    def _prefixed(self, prefix: bytes, digest: str) -> t.Iterator[tuple[bytes, Entry]]:
        for path, entry in self.lists.entries(digest):
            yield prefix + path, entry

    def totals(self, snapshot: Snapshot) -> Totals:
        """The number of files and their bytes."""
        found = [self.lists.totals(digest) for digest in snapshot.lists()]
        return Totals(sum(one.files for one in found), sum(one.bytes for one in found))

    def names(self, snapshot: Snapshot) -> list[str]:
        """The names of all files of its lists, each once."""
        return list(dict.fromkeys(name for digest in snapshot.lists() for name in self.lists.names(digest)))

    def missing(self, snapshot: Snapshot) -> list[str]:
        """Of those, what is not here (a root that is missing hides its pieces: ask again)."""
        return list(dict.fromkeys(name for digest in snapshot.lists() for name in self.lists.missing(digest)))

    def collect(self, keep: t.Collection[str]) -> None:
        """Remove the snapshots that are not in ``keep``, and lists that no snapshot of any name needs.

        Nobody may hold the lists; while another run does, they stay until the next time.
        """
        for one in self.ids():
            if one not in keep:
                os.unlink(self._path(one))
        mirrors = os.path.dirname(os.path.dirname(self.folder))
        needed: set[str] = set()
        for name in os.listdir(mirrors) if os.path.isdir(mirrors) else []:
            folder = f"{mirrors}/{name}/snapshots"
            for file in _names(folder):
                try:
                    needed.update(_read(f"{folder}/{file}").lists())
                except (OSError, DistrogateError):
                    return  # what it needs is not known: nothing goes
        self.lists.collect(needed)


def prefix_of(path: bytes, parts: t.Container[bytes]) -> bytes:
    """The prefix of the part to which a path belongs."""
    first, second = path.find(b"/") + 1, 0
    if first:
        second = path.find(b"/", first) + 1
    found = [path[:end] for end in (second, first) if end and path[:end] in parts]
    return found[0] if found else b""


def _list(part: Part | None, kind: str) -> str | None:
    if part is None:
        return None
    return part.content if kind == "content" else part.index


def _path_of(row: tuple[t.Any, ...]) -> t.Any:
    return row[0]


def _names(folder: str) -> list[str]:
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [name for name in names if name.endswith(".json") and _NAME.fullmatch(name[:-5])]


def _read(path: str) -> Snapshot:
    with open(path, "rb") as stream:
        return from_json(parse_json(stream.read(_LIMIT + 1), path, _LIMIT))
