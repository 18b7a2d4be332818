# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Chunks: whatever way packages came, the same packages give the same bytes, and little of them is new."""

from __future__ import annotations

import random
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages._chunks import Chunks, is_border
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Package, Table
from ansible_collections.distrogate.ci.plugins.module_utils._packages._tables import (
    find,
    packages_of,
    rewrite,
    split,
    state_digest,
)

SPREAD = 4  # small, so that few packages have many borders


def package(number: int, version: str = "1") -> Package:
    name = f"p{number:03}"
    lanes = (f"Package: {name}\nVersion: {version}\n\n",)
    return Package(name, version, "all", f"{number:064x}", 1, f"pool/{name}", "main/all", lanes)


def table_of(chunks: Chunks, packages: t.Iterable[Package]) -> Table:
    return list(split(chunks, sorted(packages)))


@pytest.mark.parametrize("seed", range(20))
def test_any_way_gives_the_same_chunks(tmp_path: t.Any, seed: int) -> None:
    chance = random.Random(seed)
    chunks, refs, there = Chunks(str(tmp_path), SPREAD), [], frozenset()
    for _round in range(60):
        names = chance.sample(range(80), chance.randint(1, 6))
        coming = frozenset(package(number, str(chance.randint(1, 3))) for number in names)
        gone = frozenset(chance.sample(sorted(there), min(len(there), chance.randint(0, 6))))

        def decide(
            name: str,
            existing: list[Package],
            coming: frozenset[Package] = coming,
            gone: frozenset[Package] = gone,
        ) -> list[Package]:
            return [*({*existing} - gone | {one for one in coming if one.name == name})]

        refs = rewrite(chunks, refs, "main/all", {one.name for one in coming | gone}, decide)
        there = (there - gone) | coming
        assert refs == table_of(Chunks(str(tmp_path), SPREAD), there)
        assert list(packages_of(chunks, {"main/all": refs})) == sorted(there)
        assert [ref.first for ref in refs] == sorted({ref.first for ref in refs})
        assert all(is_border(ref.first, SPREAD) for ref in refs[1:])


def test_one_more_package_is_one_more_chunk(tmp_path: t.Any) -> None:
    before = Chunks(str(tmp_path), SPREAD)
    refs = table_of(before, (package(number) for number in range(0, 400, 2)))
    after = Chunks(str(tmp_path), SPREAD)
    after.know([refs])
    for digest in before.new:
        after.new.add(digest, before.new.get(digest))
    known = set(after.new)
    new = rewrite(after, refs, "main/all", ["p101"], lambda _name, existing: [*existing, package(101)])
    assert 1 <= len(set(after.new) - known) <= 2
    assert len(set(new) - set(refs)) == len(set(after.new) - known)
    assert find(after, {"main/all": new}, "main/all", "p101") == [package(101)]
    assert find(after, {"main/all": new}, "main/all", "p999") == []
    assert find(after, {}, "main/all", "p101") == []
    assert state_digest({"main/all": new}) != state_digest({"main/all": refs})


def test_entries_do_not_identify_a_state(tmp_path: t.Any) -> None:
    """A state is its packages and their digests: where they lie, and in what words, is not part of it."""
    moved = package(1)._replace(file="elsewhere", lanes=("other\n",))
    refs = [table_of(Chunks(str(tmp_path), SPREAD), [one]) for one in (package(1), moved)]
    assert refs[0][0].digest != refs[1][0].digest
    assert state_digest({"main/all": refs[0]}) == state_digest({"main/all": refs[1]})


@pytest.mark.parametrize("damage", ["gone", "cut", "changed"])
def test_damage_is_noticed(tmp_path: t.Any, damage: str) -> None:
    chunks = Chunks(str(tmp_path), SPREAD)
    ref = chunks.make([package(1)])
    path = tmp_path / ".distrogate" / "chunks" / ref.digest
    path.parent.mkdir(parents=True)
    data = chunks.new.get(ref.digest)
    if damage != "gone":
        path.write_bytes(data[:-1] if damage == "cut" else data.replace(b"p001", b"p002"))
    with pytest.raises(DistrogateError) as caught:
        Chunks(str(tmp_path), SPREAD).load(ref, "main/all")
    assert caught.value.reason == "bad_state"
    assert str(path) in caught.value.message
