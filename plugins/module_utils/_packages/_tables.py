# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables: finding and changing packages, chunk by chunk."""

from __future__ import annotations

import bisect
import itertools
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json
from ansible_collections.distrogate.ci.plugins.module_utils._packages._chunks import Chunks, is_border
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Package, Ref, Table

Decide = t.Callable[[str, list[Package]], list[Package]]


def _name(package: Package) -> str:
    return package.name


def find(chunks: Chunks, tables: t.Mapping[str, Table], table: str, name: str) -> list[Package]:
    """The packages of this name in a table."""
    refs = tables.get(table, [])
    at = bisect.bisect_right([ref.first for ref in refs], name) - 1
    return [one for one in chunks.load(refs[at], table) if one.name == name] if at >= 0 else []


def packages_of(chunks: Chunks, tables: t.Mapping[str, Table]) -> t.Iterator[Package]:
    """All packages of all tables."""
    for table, refs in tables.items():
        for ref in refs:
            yield from chunks.load(ref, table)


def split(chunks: Chunks, packages: t.Iterable[Package]) -> t.Iterator[Ref]:
    """Sorted packages, cut into chunks at every name that is a border."""
    piece: list[Package] = []
    for name, same in itertools.groupby(packages, _name):
        if piece and is_border(name, chunks.spread):
            yield chunks.make(piece)
            piece = []
        piece.extend(same)
    if piece:
        yield chunks.make(piece)


def rewrite(chunks: Chunks, refs: Table, table: str, names: t.Collection[str], decide: Decide) -> Table:
    """Let ``decide`` say what there is under each of ``names``; only the chunks that hold them are read.

    ``decide`` gets a name and its packages, and returns those that are to be there.
    """
    firsts = [ref.first for ref in refs]
    touched: dict[int, list[str]] = {}
    for name in sorted(names):
        touched.setdefault(max(bisect.bisect_right(firsts, name) - 1, 0), []).append(name)
    out: Table = []
    begin = 0
    for at, some in touched.items():
        out.extend(refs[begin:at])
        begin = at + 1
        packages = _changed(chunks.load(refs[at], table) if refs else [], some, decide)
        first = next(packages, None)
        if first is None:
            continue
        merged = out and not is_border(first.name, chunks.spread)  # the border itself is gone
        before = chunks.load(out.pop(), table) if merged else []
        out.extend(split(chunks, itertools.chain(before, [first], packages)))
    rest = refs[begin:]
    out.extend(rest)
    return out


def _changed(packages: list[Package], names: list[str], decide: Decide) -> t.Iterator[Package]:
    """One name after the other, so that what is a chunk already need not be kept."""
    by_name = {name: list(same) for name, same in itertools.groupby(packages, _name)}
    changed = set(names)
    for name in sorted(changed.union(by_name)):
        there = by_name.pop(name, [])
        yield from sorted(decide(name, there)) if name in changed else there


def state_digest(tables: t.Mapping[str, Table]) -> str:
    """The identity of a repository state: its packages and their digests, not its signed metadata."""
    return digest_json({name: [ref.identity for ref in refs] for name, refs in tables.items() if refs})
