# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots: their ids, their JSON from strangers, what differs between them, what is kept."""

from __future__ import annotations

import copy
import json
import pathlib
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._classify import CONTENT, classify
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._lists import Lists
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import Entry, is_listed
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshots import (
    Part,
    Snapshot,
    Snapshots,
    from_json,
    prefix_of,
    to_json,
)

ENTRY = Entry("0" * 64, 1, 1)
PART = Part("0" * 64, "1" * 64, "log", 9)
_NAMES = st.sampled_from([b"InRelease", b"a.deb", b"x y", b"-n", b"\xff\n", b"Packages"])
_FOLDERS = st.sampled_from([b"", b"a/", b"a-b/", b"a/b/", b"a/b/c/", b"dists/"])
_TREES = st.dictionaries(
    st.tuples(_FOLDERS, _NAMES).map(b"".join),
    st.builds(Entry, st.sampled_from(["0" * 64, "f" * 64]), st.just(1), st.integers(0, 3)),
)
_PREFIXES = st.sets(st.sampled_from([b"a/", b"a-b/", b"a/b/", b"dists/"]))
Tree = dict[bytes, Entry]


def snapshots(folder: pathlib.Path | str = "/nowhere") -> Snapshots:
    made = Snapshots(f"{folder}/mirrors/public/snapshots", Lists(f"{folder}/lists"))
    made.lists.in_memory = folder == "/nowhere"
    return made


def take(kept: Snapshots, tree: Tree, prefixes: set[bytes]) -> Snapshot:
    """A snapshot of this tree; ``a/`` is no part while ``a/b/`` is, since parts are not nested."""
    split: dict[bytes, Tree] = {prefix: {} for prefix in {*prefixes, b""}}
    for path, entry in tree.items():
        prefix = prefix_of(path, split)
        split[prefix][path[len(prefix) :]] = entry
    parts = {}
    for prefix, files in split.items():
        rows = sorted(files.items())
        content = [row for row in rows if classify(prefix + row[0]) == CONTENT]
        index = [row for row in rows if classify(prefix + row[0]) != CONTENT]
        parts[prefix] = Part(kept.lists.build(content), kept.lists.build(index))
    return Snapshot(parts)


@given(_TREES, _TREES, _PREFIXES, _PREFIXES)
def test_the_difference_is_the_naive_one(
    before: Tree, after: Tree, parts_before: set[bytes], parts_after: set[bytes]
) -> None:
    kept = snapshots()
    old, new = take(kept, before, parts_before), take(kept, after, parts_after)
    naive = [
        (path, before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]
    delta = kept.delta(old, new)
    assert delta.content == [one for one in naive if classify(one[0]) == CONTENT]
    assert delta.index == [one for one in naive if classify(one[0]) != CONTENT]
    everything = kept.delta(None, new)
    assert sorted((*everything.content, *everything.index)) == [(p, None, after[p]) for p in sorted(after)]
    assert list(kept.entries(new)) == sorted(after.items())
    assert kept.totals(new) == (len(after), len(after))
    assert kept.find(new, [*before, *after]) == after


def test_the_id_is_of_contents_alone() -> None:
    one = Snapshot({b"": PART, b"apt/": PART})
    assert one.id == Snapshot({b"apt/": PART._replace(log="", offset=0), b"": PART}).id
    others = [
        Snapshot({b"": PART}),
        Snapshot({b"": PART, b"rpm/": PART}),
        Snapshot({b"": PART, b"apt/": PART._replace(index="2" * 64)}),
        Snapshot({b"": PART, b"apt/": PART._replace(content="1" * 64, index="0" * 64)}),
    ]
    assert len({one.id, *(other.id for other in others)}) == 5


_PREFIX = st.binary(min_size=1).filter(is_listed).map(lambda name: name.replace(b"/", b"_") + b"/")


@given(st.sets(st.one_of(_PREFIX, st.just(b""), st.just(b"a/b/"))))
def test_json_keeps_every_prefix(prefixes: set[bytes]) -> None:
    snapshot = Snapshot(dict.fromkeys(prefixes, PART))
    assert from_json(json.loads(json.dumps(to_json(snapshot)))) == snapshot


def _with(**changes: t.Any) -> t.Any:
    value = copy.deepcopy(to_json(Snapshot({b"apt/": PART})))
    value["parts"]["apt/"].update(changes)
    return value


def _at(prefix: str) -> t.Any:
    return {"version": 1, "parts": {prefix: PART._asdict()}}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"version": 2, "parts": {}},
        {"version": 1, "parts": []},
        {"version": 1, "parts": {}, "more": 1},
        {"version": 1, "parts": {"apt/": None}},
        _with(content="x"),
        _with(content="0" * 63 + "\n"),
        _with(content=None),
        _with(index="A" * 64),
        _with(log="../x"),
        _with(log="x" * 200),
        _with(log=1),
        _with(offset=-1),
        _with(offset=True),
        _with(offset=1.5),
        _with(offset=1 << 70),
        _with(more=1),
        *[_at(prefix) for prefix in ("apt", "/", "/apt/", "../", "a/../", "a//", "a/b/c/", ".distrogate/")],
        *[_at(prefix) for prefix in ("%61pt/", "%zz/", "a%0a/", "a\n/", "\ud800/", "é/", "%00/")],
    ],
)
def test_json_of_a_liar(value: t.Any) -> None:
    with pytest.raises(DistrogateError) as caught:
        from_json(value)
    assert caught.value.reason == "bad_snapshot"


def test_keeping(tmp_path: pathlib.Path) -> None:
    kept = snapshots(tmp_path)
    first = take(kept, {b"a": ENTRY}, set())
    assert not kept.known(first.id) and kept.ids() == []
    kept.save(first)
    moved = Snapshot({b"": first.parts[b""]._replace(log="log", offset=5)})
    assert moved.id == first.id and kept.load(first.id) == first
    kept.save(moved)
    assert kept.load(first.id) == moved and kept.known(first.id) and kept.ids() == [first.id]
    for name in ("0" * 64, "../x", "", first.id.upper()):
        with pytest.raises(DistrogateError) as caught:
            kept.load(name)
        assert caught.value.reason == "unknown_snapshot"


@pytest.mark.parametrize("broken", [b"", b"{}", b"x", b'{"version": 1, "parts": {}}'])
def test_a_broken_file(tmp_path: pathlib.Path, broken: bytes) -> None:
    kept = snapshots(tmp_path)
    first, second = take(kept, {b"a": ENTRY}, set()), take(kept, {b"b": ENTRY}, set())
    kept.save(first)
    kept.save(second)
    pathlib.Path(kept.folder, f"{first.id}.json").write_bytes(broken)
    with pytest.raises(DistrogateError) as caught:
        kept.load(first.id)
    assert caught.value.reason == "unknown_snapshot"
    if b"parts" not in broken:
        kept.collect([first.id])
        assert not kept.missing(second), "nothing goes while what is needed is not known"


def test_names_and_missing(tmp_path: pathlib.Path) -> None:
    ours, theirs = snapshots(tmp_path / "ours"), snapshots(tmp_path / "theirs")
    one = take(ours, {b"a": ENTRY, b"apt/InRelease": ENTRY}, {b"apt/"})
    assert theirs.missing(one) == list(dict.fromkeys(one.lists()))
    for name in ours.names(one):
        theirs.lists.take(name, pathlib.Path(ours.lists.folder, name).read_bytes())
    assert theirs.missing(one) == [] and list(theirs.entries(one)) == list(ours.entries(one))
