# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists: the same entries give the same digest, and a change costs its pieces."""

from __future__ import annotations

import os
import pathlib
import random
import tempfile
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors import _pieces
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._lists import EMPTY, Lists, Totals
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import (
    Entry,
    is_listed,
)

Tree = dict[bytes, Entry]


ODD = [
    b"a\nb",
    b"a b",
    b"b",
    b" b",
    b"-rf",
    b"\xff\xfe",
    b"a/b",
    b"a/ b",
    b"a.b",
    b"%41",
    b"a/b/c d",
    b"\x01",
]


_PATHS = st.one_of(
    st.sampled_from(ODD), st.integers(0, 60).map(lambda number: b"pool/%d" % number), st.binary(min_size=1)
).filter(is_listed)


_ENTRIES = st.builds(
    Entry, st.sampled_from(["0" * 64, "f" * 64]), st.integers(0, 9), st.integers(-(10**18), 10**18)
)


_TREES = st.dictionaries(_PATHS, _ENTRIES, max_size=60)


_CHANGES = st.dictionaries(_PATHS, st.one_of(st.none(), _ENTRIES), max_size=30)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pieces, "SPREAD", 4)


@pytest.fixture
def lists(tmp_path: pathlib.Path) -> Lists:
    return Lists(str(tmp_path / "lists"))


def build(lists: Lists, tree: Tree) -> str:
    return lists.build(sorted(tree.items()))


def many(count: int) -> Tree:
    return {b"pool/%05d" % number: Entry(f"{number:064x}", number, number) for number in range(count)}


def applied(tree: Tree, changes: t.Mapping[bytes, Entry | None]) -> Tree:
    after = {**tree, **changes}
    return {path: entry for path, entry in after.items() if entry is not None}


def in_memory() -> Lists:
    lists = Lists("/nowhere")
    lists.in_memory = True
    return lists


@given(_TREES, _CHANGES)
def test_an_update_is_a_build_from_scratch(tree: Tree, changes: dict[bytes, Entry | None]) -> None:
    lists = in_memory()
    after = applied(tree, changes)
    digest = lists.update(build(lists, tree), changes)
    assert digest == build(in_memory(), after)
    assert dict(lists.entries(digest)) == after
    assert lists.totals(digest) == Totals(len(after), sum(entry.size for entry in after.values()))


@given(_TREES, _TREES)
def test_the_difference_is_the_naive_one(before: Tree, after: Tree) -> None:
    lists = in_memory()
    naive = [
        (path, before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]
    assert list(lists.difference(build(lists, before), build(lists, after))) == naive
    only = [(path, None, entry) for path, entry in sorted(after.items())]
    assert list(lists.difference(None, build(lists, after))) == only
    assert list(lists.difference(build(lists, after), None)) == [(path, new, old) for path, old, new in only]


@given(_TREES, st.randoms(use_true_random=False))
def test_the_order_of_changes_does_not_matter(tree: Tree, chance: random.Random) -> None:
    lists = in_memory()
    digest, steps = build(lists, {}), list(tree.items())
    chance.shuffle(steps)
    for path, entry in steps:
        digest = lists.update(digest, {b"gone/" + path: entry, path: entry})
    for path, entry in steps:
        digest = lists.update(digest, {b"gone/" + path: None, path: entry})
    assert digest == build(lists, tree)


@given(_TREES, st.lists(_PATHS))
def test_find(tree: Tree, paths: list[bytes]) -> None:
    lists = in_memory()
    wanted = [*paths, *list(tree)[:3], b"pool/1\0" + b"0" * 64 + b" 1 1 pool/2"]
    found = lists.find(build(lists, tree), wanted)
    assert found == {path: tree[path] for path in wanted if path in tree}


@given(_TREES)
def test_a_mirror_may_return_what_it_got(tree: Tree) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Lists(folder + "/ours"), Lists(folder + "/theirs")
        digest = build(ours, tree)
        assert theirs.missing(digest) == [digest]
        for name in ours.names(digest):
            with open(f"{folder}/ours/{name}", "rb") as stream:
                theirs.take(name, stream.read())
        assert theirs.missing(digest) == []
        assert dict(theirs.entries(digest)) == tree


def test_an_empty_list_has_a_digest(lists: Lists) -> None:
    digest = lists.build([])
    assert digest == EMPTY and lists.names(digest) == [EMPTY] and lists.missing(digest) == []
    assert list(lists.entries(digest)) == [] and lists.totals(digest) == Totals(0, 0)
    assert list(Lists(lists.folder).entries(digest)) == []


def test_a_change_makes_few_files_and_reads_few(lists: Lists, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pieces, "SPREAD", 16)
    tree = many(2000)
    before = build(lists, tree)
    there = set(os.listdir(lists.folder))
    again = Lists(lists.folder)
    read: list[str] = []
    load = again._files._read

    def counted(name: str) -> bytes:
        read.append(name)
        return load(name)

    monkeypatch.setattr(again._files, "_read", counted)
    after = again.update(before, {b"pool/01000": Entry("f" * 64, 1, 1)})
    assert len(set(os.listdir(lists.folder)) - there) == 2 and len(read) == 2
    assert len(list(again.difference(before, after))) == 1 and len(read) == 2


def test_out_of_order(lists: Lists) -> None:
    entry = Entry("0" * 64, 1, 1)
    for paths in ([b"b", b"a"], [b"a", b"a"]):
        with pytest.raises(ValueError, match="in order"):
            lists.build([(path, entry) for path in paths])
