# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A source that is a repository of ours: followed by its log, walked when that is not known."""

from __future__ import annotations

import fcntl
import os
import pathlib
import random
import shutil

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._touched import TouchLog
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors import _parts, _walk
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._source import Seen
from ansible_collections.distrogate.ci.tests.unit.mirrors.own import (
    INDEX,
    Own,
    every_file,
    listed,
    look,
    reason,
    snapshots_of,
    source_of,
    there,
    touch,
)


def no_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    def walked(*_args: object, **_options: object) -> None:
        raise AssertionError("it was walked")

    monkeypatch.setattr(_parts, "walk", walked)


def test_the_first_look_walks_and_the_next_ones_follow(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    first = look(own.root)
    assert first.walked == [b""] and first.notes == {b"": None}
    assert listed(own.root, first.snapshot) == there(own.root)
    no_walk(monkeypatch)
    own.publish("two!", "c/c_1.deb")
    second = look(own.root, first)
    assert second.walked == [] and listed(own.root, second.snapshot) == there(own.root)
    assert second.notes[b""] == [{"packages": {"scope": "stable", "added": ["c/c_1.deb"], "removed": []}}]
    assert set(second.switches) == {b"dists/stable/InRelease", b"dists/stable/Release"}
    delta = snapshots_of(own.root).delta(first.snapshot, second.snapshot)
    assert [path for path, old, _new in delta.content if old is None][-1] == b"pool/c/c_1.deb"
    assert [path for path, _old, _new in delta.index] == [
        b"dists/stable/InRelease",
        b"dists/stable/Release",
        b"%s/Packages" % INDEX.encode(),
    ]
    assert snapshots_of(own.root).load(second.snapshot.id) == second.snapshot


def test_nothing_changed_reads_nothing(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    first = look(own.root)
    before = every_file(own.root)
    no_walk(monkeypatch)
    with open(own.root / ".distrogate" / "lock", "rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)  # a publisher is at work: it would be waited for
        second = look(own.root, first)
    assert second == Seen(first.snapshot, [], {b"": []}, None, {})
    assert every_file(own.root) == before


def test_drops_and_removed_folders(own: Own) -> None:
    first = look(own.root)
    own.drop("pool/a/a_1.deb", "pool/never/was")
    second = look(own.root, first)
    assert listed(own.root, second.snapshot) == there(own.root) and not second.walked
    shutil.rmtree(own.root / "pool" / "b")
    own.drop("pool/b/b_1.deb")
    third = look(own.root, second)
    assert listed(own.root, third.snapshot) == there(own.root)


def test_indexes_of_one_size_within_one_second(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = look(own.root)
    no_walk(monkeypatch)
    ids = {seen.snapshot.id}
    for text in ("two", "six", "ten"):
        own.publish(text)
        seen = look(own.root, seen)
        ids.add(seen.snapshot.id)
        assert listed(own.root, seen.snapshot) == there(own.root)
    assert len(ids) == 4


def test_two_publishes_between_two_looks(own: Own) -> None:
    first = look(own.root)
    own.publish("two")
    own.publish("six")
    second = look(own.root, first)
    assert listed(own.root, second.snapshot) == there(own.root) and not second.walked
    own.publish("one")
    own.publish("six")
    assert look(own.root, second).snapshot.id == second.snapshot.id


def test_index_files_stay_as_they_were(own: Own) -> None:
    first = look(own.root)
    own.publish("two")
    second = look(own.root, first)
    blobs = source_of(own.root).blobs
    for seen, text in ((first, "one"), (second, "two")):
        path = f"{INDEX}/Packages".encode()
        entry = snapshots_of(own.root).find(seen.snapshot, [path])[path]
        assert blobs.has(entry) and pathlib.Path(blobs.path(entry)).read_text() == text
        assert os.stat(blobs.path(entry)).st_mtime_ns == entry.mtime_ns
    blobs.collect([entry])
    assert os.listdir(blobs.folder) == [os.path.basename(blobs.path(entry))]


def test_a_walk_believes_the_list_only_of_content(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    first = look(own.root)
    TouchLog(str(own.root)).restart()
    read: list[bytes] = []

    def counted(path: bytes) -> str:
        read.append(os.path.relpath(path, os.fsencode(own.root)))
        return _walk.digest_of(path)

    monkeypatch.setattr(_parts, "digest_of", counted)
    second = look(own.root, first)
    assert second.snapshot.id == first.snapshot.id and second.walked
    index = {b"dists/stable/InRelease", b"dists/stable/Release", f"{INDEX}/Packages".encode()}
    assert set(read) == index
    (own.root / "pool" / "a" / "a_1.deb").write_text("by hand")
    TouchLog(str(own.root)).restart()
    assert listed(own.root, look(own.root, second).snapshot) == there(own.root)


@pytest.mark.parametrize("lock", [True, False])
def test_without_write_nothing_is_written(own: Own, lock: bool) -> None:
    if not lock:
        (own.root / ".distrogate" / "lock").unlink()
    before = every_file(own.root)
    source = source_of(own.root)
    foreseen = source.observe(None, write=False)
    assert every_file(own.root) == before
    assert len(source.snapshots.delta(None, foreseen.snapshot).index) == 3
    first = look(own.root)
    assert first.snapshot.id == foreseen.snapshot.id
    own.publish("two", "c/c_1.deb")
    before = every_file(own.root)
    foreseen = look(own.root, first, write=False)
    assert every_file(own.root) == before
    assert foreseen.snapshot.id == look(own.root, first).snapshot.id


def test_two_names_share_lists(own: Own) -> None:
    first = look(own.root)
    other = source_of(own.root, "other").observe(None)
    assert other.snapshot.id == first.snapshot.id
    own.publish("two")
    second = look(own.root, first)
    snapshots_of(own.root).collect([second.snapshot.id])
    assert snapshots_of(own.root).ids() == [second.snapshot.id]
    assert listed(own.root, other.snapshot)[f"{INDEX}/Packages".encode()].startswith("7692")
    shutil.rmtree(own.root / ".distrogate" / "mirrors" / "other")
    snapshots_of(own.root).collect([second.snapshot.id])
    assert snapshots_of(own.root).missing(first.snapshot)
    assert not snapshots_of(own.root).missing(second.snapshot)


def test_an_empty_source(own: Own) -> None:
    for name in ("pool", "dists"):
        shutil.rmtree(own.root / name)
    assert reason(own.root) == "empty_source"


def test_any_history_is_what_a_fresh_walk_finds(own: Own) -> None:
    chance = random.Random(5)
    seen, numbers = look(own.root), list(range(12))
    for step in range(40):
        kind = chance.choice(["publish", "drop", "hand", "twice"])
        names = [f"{number % 3}/p_{number}" for number in chance.sample(numbers, 3)]
        if kind == "drop":
            own.drop(*(f"pool/{name}" for name in names))
        elif kind == "hand":
            paths = [f"pool/hand/{chance.choice(numbers)}" for _number in range(3)]
            for path in paths:
                (own.root / path).parent.mkdir(exist_ok=True)
                (own.root / path).write_text(str(step))
            chance.shuffle(paths)
            touch(own.root, *map(os.fsencode, paths))
        else:
            own.publish(f"state {step}", *names)
            if kind == "twice":
                own.publish(f"state {step - 1}", *names)
        if chance.random() < 0.6:
            seen = look(own.root, seen)
            assert seen.walked == []
            assert listed(own.root, seen.snapshot) == there(own.root)
    assert look(own.root, seen).snapshot.id == source_of(own.root, "other").observe(None).snapshot.id


def test_a_first_look_believes_the_digests_of_the_log(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    own.publish("two!", "c/c_1.deb")
    (own.root / "pool/a/more").mkdir(parents=True)
    (own.root / "pool/a/more/unlogged.deb").write_text("not told")
    read: list[str] = []
    honest = _parts.digest_of

    def digest_of(path: bytes) -> str:
        read.append(os.path.basename(os.fsdecode(path)))
        return honest(path)

    monkeypatch.setattr(_parts, "digest_of", digest_of)
    first = look(own.root)
    assert first.walked == [b""] and listed(own.root, first.snapshot) == there(own.root)
    assert "c_1.deb" not in read and "unlogged.deb" in read
    read.clear()
    assert look(own.root, first, deep=True).walked == [b""] and "c_1.deb" in read
