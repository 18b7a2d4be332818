# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A source that is a repository of ours: followed by its log, walked when that is not known."""

from __future__ import annotations

import errno
import fcntl
import os
import pathlib
import random
import shutil

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._touched import TouchLog
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors import _parts, _walk
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._source import Seen
from ansible_collections.distrogate.ci.tests.unit.mirrors.own import (
    INDEX,
    Own,
    every_file,
    listed,
    snapshots_of,
    source_of,
    there,
)


@pytest.fixture
def own(tmp_path: pathlib.Path) -> Own:
    made = Own(tmp_path / "source")
    made.publish("one", "a/a_1.deb", "b/b_1.deb")
    return made


def look(own: Own, seen: Seen | None = None, **options: bool) -> Seen:
    return source_of(own.root).observe(seen.snapshot if seen else None, **options)


def no_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    def walked(*_args: object, **_options: object) -> None:
        raise AssertionError("it was walked")

    monkeypatch.setattr(_parts, "walk", walked)


def reason(own: Own, seen: Seen | None = None, **options: bool) -> str:
    with pytest.raises(DistrogateError) as caught:
        look(own, seen, **options)
    return caught.value.reason


def test_the_first_look_walks_and_the_next_ones_follow(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    first = look(own)
    assert first.walked == [b""] and first.notes == {b"": None}
    assert listed(own.root, first.snapshot) == there(own.root)
    no_walk(monkeypatch)
    own.publish("two!", "c/c_1.deb")
    second = look(own, first)
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
    first = look(own)
    before = every_file(own.root)
    no_walk(monkeypatch)
    with open(own.root / ".distrogate" / "lock", "rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)  # a publisher is at work: it would be waited for
        second = look(own, first)
    assert second == Seen(first.snapshot, [], {b"": []}, None, {})
    assert every_file(own.root) == before


def test_drops_and_removed_folders(own: Own) -> None:
    first = look(own)
    own.drop("pool/a/a_1.deb", "pool/never/was")
    second = look(own, first)
    assert listed(own.root, second.snapshot) == there(own.root) and not second.walked
    shutil.rmtree(own.root / "pool" / "b")
    own.drop("pool/b/b_1.deb")
    third = look(own, second)
    assert listed(own.root, third.snapshot) == there(own.root)


def test_indexes_of_one_size_within_one_second(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = look(own)
    no_walk(monkeypatch)
    ids = {seen.snapshot.id}
    for text in ("two", "six", "ten"):
        own.publish(text)
        seen = look(own, seen)
        ids.add(seen.snapshot.id)
        assert listed(own.root, seen.snapshot) == there(own.root)
    assert len(ids) == 4


def test_two_publishes_between_two_looks(own: Own) -> None:
    first = look(own)
    own.publish("two")
    own.publish("six")
    second = look(own, first)
    assert listed(own.root, second.snapshot) == there(own.root) and not second.walked
    own.publish("one")
    own.publish("six")
    assert look(own, second).snapshot.id == second.snapshot.id


def test_index_files_stay_as_they_were(own: Own) -> None:
    first = look(own)
    own.publish("two")
    second = look(own, first)
    blobs = source_of(own.root).blobs
    for seen, text in ((first, "one"), (second, "two")):
        path = f"{INDEX}/Packages".encode()
        entry = snapshots_of(own.root).find(seen.snapshot, [path])[path]
        assert blobs.has(entry) and pathlib.Path(blobs.path(entry)).read_text() == text
        assert os.stat(blobs.path(entry)).st_mtime_ns == entry.mtime_ns
    blobs.collect([entry])
    assert os.listdir(blobs.folder) == [os.path.basename(blobs.path(entry))]


class _KilledError(Exception):
    pass


def half_published(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    """A publisher that dies after it has logged and renamed one file."""
    transaction, rename, done = own.stage("two", "c/c_1.deb"), os.rename, []

    def killed(source: str, target: str) -> None:
        if str(target).startswith(str(own.root / "dists")):
            if done:
                raise _KilledError
            done.append(target)
        rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", killed)
        with pytest.raises(_KilledError):
            transaction.commit()


@pytest.mark.parametrize("known", [True, False])
def test_a_publisher_killed_between_log_and_renames(
    own: Own, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    first = look(own) if known else None
    half_published(own, monkeypatch)
    before = every_file(own.root)
    foreseen = look(own, first, write=False)
    assert every_file(own.root) == before
    second = look(own, first)
    assert (own.root / INDEX / "Packages").read_text() == "two"
    assert listed(own.root, second.snapshot) == there(own.root)
    assert foreseen.snapshot.id == second.snapshot.id
    assert foreseen.switches == second.switches


@pytest.mark.parametrize("how", ["rotated", "lost", "shorter", "garbled"])
def test_a_log_that_is_not_the_one_any_more(own: Own, how: str) -> None:
    first = look(own)
    own.publish("two", "c/c_1.deb")
    if how == "rotated":
        TouchLog(str(own.root)).restart()
    elif how == "lost":
        own.log().unlink()
    elif how == "shorter":
        data = own.log().read_bytes()
        own.log().write_bytes(data[: data.index(b"\n") + 1])
    else:
        with open(own.log(), "ab") as stream:
            stream.write(b"nonsense\0")
    second = look(own, first)
    assert second.walked == [b""] and second.notes == {b"": None}
    assert listed(own.root, second.snapshot) == there(own.root)
    third = look(own, second)
    assert third.snapshot.id == second.snapshot.id
    assert third.walked == ([b""] if how == "lost" else [])


def test_a_walk_believes_the_list_only_of_content(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    first = look(own)
    TouchLog(str(own.root)).restart()
    read: list[bytes] = []

    def counted(path: bytes) -> str:
        read.append(os.path.relpath(path, os.fsencode(own.root)))
        return _walk.digest_of(path)

    monkeypatch.setattr(_parts, "digest_of", counted)
    second = look(own, first)
    assert second.snapshot.id == first.snapshot.id and second.walked
    index = {b"dists/stable/InRelease", b"dists/stable/Release", f"{INDEX}/Packages".encode()}
    assert set(read) == index


@pytest.mark.parametrize("which", [0, 1])
def test_a_rewritten_list_is_made_anew_by_a_walk(own: Own, which: int) -> None:
    first = look(own)
    own.publish("two")
    name = snapshots_of(own.root).lists.names(first.snapshot.parts[b""].content)[which]
    path = own.root / ".distrogate" / "lists" / name
    path.chmod(0o644)
    data = path.read_bytes()
    path.write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
    second = look(own, first)
    assert second.walked == [b""]
    assert listed(own.root, second.snapshot) == there(own.root)


def test_what_is_named_and_not_there(own: Own) -> None:
    first = look(own)
    transaction = own.stage("two")
    transaction.put("dists/stable/InRelease", own.release("six"), switch=True)
    transaction.commit()
    assert reason(own, first) == "source_incomplete" and reason(own) == "source_incomplete"
    own.publish("six")
    assert listed(own.root, look(own, first).snapshot) == there(own.root)


def test_an_address_whose_file_is_another_one(own: Own) -> None:
    first = look(own)
    own.publish("two")
    found = next((own.root / INDEX / "by-hash" / "SHA256").glob("3fc4*"))
    found.unlink()
    found.write_text("bad")
    assert reason(own, first) == "source_incomplete"


@pytest.mark.parametrize("known", [True, False])
def test_links(own: Own, tmp_path: pathlib.Path, known: bool) -> None:
    first = look(own) if known else None
    transaction = own.stage("two")
    transaction.put_link("layers/x", str(tmp_path))
    transaction.commit()
    assert reason(own, first) == "symlink_in_source"
    own.drop("layers/x")
    assert listed(own.root, look(own, first).snapshot) == there(own.root)


def test_a_link_on_the_way_is_not_followed(own: Own, tmp_path: pathlib.Path) -> None:
    first = look(own)
    shutil.move(own.root / "pool", tmp_path / "outside")
    (own.root / "pool").symlink_to(tmp_path / "outside")
    own.drop("pool/x")
    assert reason(own, first) == "symlink_in_source"


def test_devices(own: Own) -> None:
    first = look(own)
    os.mkfifo(own.root / "pool" / "pipe")
    assert reason(own) == "special_file_in_source"
    TouchLog(str(own.root)).append(_touched(b"pool/pipe"))
    assert reason(own, first) == "special_file_in_source"


def _touched(*paths: bytes) -> list[_parts.Touched]:
    return [_parts.Touched(path) for path in paths]


def test_odd_names(own: Own) -> None:
    first = look(own)
    names = [b"pool/a\nb", b"pool/ ", b"pool/-rf", b"pool/\xff\xfe", b"pool/%2e", b"pool/a b\tc"]
    for name in names:
        (own.root / os.fsdecode(name)).write_bytes(name)
    TouchLog(str(own.root)).append(_touched(*names))
    second = look(own, first)
    assert listed(own.root, second.snapshot) == there(own.root) and not second.walked
    assert look(own).snapshot.id == second.snapshot.id


def test_what_is_private_or_unfinished(own: Own) -> None:
    first = look(own)
    for name in (".tmp-x", "pool/.tmp-x", "pool/.distrogate-staging/x", ".distrogate/x"):
        (own.root / name).parent.mkdir(exist_ok=True)
        (own.root / name).write_text("")
    TouchLog(str(own.root)).append(_touched(b".tmp-x", b"pool/.tmp-x", b".distrogate/x"))
    assert look(own, first).snapshot.id == first.snapshot.id == look(own).snapshot.id


def test_a_folder_that_was_touched(own: Own) -> None:
    first = look(own)
    (own.root / "pool" / "new" / "deep").mkdir(parents=True)
    (own.root / "pool" / "new" / "deep" / "x").write_text("x")
    TouchLog(str(own.root)).append(_touched(b"pool/new"))
    assert listed(own.root, look(own, first).snapshot) == there(own.root)


def test_a_logged_digest_that_does_not_fit(own: Own) -> None:
    first = look(own)
    path = own.root / "pool" / "x"
    path.write_text("x")
    status = path.stat()
    for size, mtime_ns in ((2, status.st_mtime_ns), (1, status.st_mtime_ns + 1)):
        TouchLog(str(own.root)).append([_parts.Touched(b"pool/x", "0" * 64, size, mtime_ns)])
        assert listed(own.root, look(own, first).snapshot) == there(own.root)
    TouchLog(str(own.root)).append([_parts.Touched(b"pool/x", "0" * 64, 1, status.st_mtime_ns)])
    assert listed(own.root, look(own, first).snapshot)[b"pool/x"] == "0" * 64


@pytest.mark.parametrize("lock", [True, False])
def test_without_write_nothing_is_written(own: Own, lock: bool) -> None:
    if not lock:
        (own.root / ".distrogate" / "lock").unlink()
    before = every_file(own.root)
    source = source_of(own.root)
    foreseen = source.observe(None, write=False)
    assert every_file(own.root) == before
    assert len(source.snapshots.delta(None, foreseen.snapshot).index) == 3
    first = look(own)
    assert first.snapshot.id == foreseen.snapshot.id
    own.publish("two", "c/c_1.deb")
    before = every_file(own.root)
    foreseen = look(own, first, write=False)
    assert every_file(own.root) == before
    assert foreseen.snapshot.id == look(own, first).snapshot.id


@pytest.mark.parametrize("write", [True, False])
def test_a_publisher_that_never_rests(own: Own, write: bool) -> None:
    first = look(own)
    own.publish("two")
    with open(own.root / ".distrogate" / "lock", "rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(DistrogateError) as caught:
            source_of(own.root, timeout=0.1).observe(first.snapshot, write=write)
    assert caught.value.reason == "lock_timeout"


def test_deep_finds_what_was_done_by_hand(own: Own) -> None:
    first = look(own)
    (own.root / "pool" / "stranger").write_text("x")
    (own.root / "pool" / "a" / "a_1.deb").unlink()
    (own.root / "pool" / "b" / "b_1.deb").write_text("changed")
    own.publish("two", "c/c_1.deb")
    assert look(own, first).deep is None
    deep = look(own, first, deep=True)
    assert deep.deep is not None
    assert deep.deep._asdict() == {
        "damaged": [],
        "changed": [b"pool/b/b_1.deb"],
        "missing": [b"pool/a/a_1.deb"],
        "unlisted": [b"pool/stranger"],
    }
    assert listed(own.root, deep.snapshot) == there(own.root)
    assert deep.notes[b""] is not None and len(deep.notes[b""]) == 1
    clean = look(own, deep, deep=True)
    assert clean.snapshot.id == deep.snapshot.id and clean.deep is not None and not any(clean.deep)


def test_deep_refuses_what_rotted(own: Own) -> None:
    first = look(own)
    path = own.root / "pool" / "a" / "a_1.deb"
    status = path.stat()
    path.write_text("A/a_1.deb")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(DistrogateError) as caught:
        look(own, first, deep=True)
    assert caught.value.reason == "source_damaged"
    assert caught.value.details["damaged"] == ["pool/a/a_1.deb"]


def test_two_names_share_lists(own: Own) -> None:
    first = look(own)
    other = source_of(own.root, "other").observe(None)
    assert other.snapshot.id == first.snapshot.id
    own.publish("two")
    second = look(own, first)
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
    assert reason(own) == "empty_source"


def test_any_history_is_what_a_fresh_walk_finds(own: Own) -> None:
    chance = random.Random(5)
    seen, numbers = look(own), list(range(12))
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
            TouchLog(str(own.root)).append(_touched(*map(os.fsencode, paths)))
        else:
            own.publish(f"state {step}", *names)
            if kind == "twice":
                own.publish(f"state {step - 1}", *names)
        if chance.random() < 0.6:
            seen = look(own, seen)
            assert seen.walked == []
            assert listed(own.root, seen.snapshot) == there(own.root)
    assert look(own, seen).snapshot.id == source_of(own.root, "other").observe(None).snapshot.id


@pytest.mark.parametrize("call", ["rename", "link", "fsync"])
@pytest.mark.parametrize("fails", [_KilledError, OSError(errno.ENOSPC, "No space left on device")])
def test_killed_or_full_at_every_step(
    own: Own, monkeypatch: pytest.MonkeyPatch, call: str, fails: BaseException | type[BaseException]
) -> None:
    seen, original = look(own), getattr(os, call)
    reasons: set[str] = set()
    for step in range(100):
        own.publish(f"state {step}", f"a/p_{step}")
        calls = [0]

        def failing(*args: object, calls: list[int] = calls, step: int = step, **options: object) -> object:
            calls[0] += 1
            if calls[0] > step:
                raise fails
            return original(*args, **options)

        with monkeypatch.context() as patch:
            patch.setattr(os, call, failing)
            try:
                look(own, seen)
                break
            except (_KilledError, DistrogateError) as error:
                reasons.add(getattr(error, "reason", "killed"))
        assert snapshots_of(own.root).load(seen.snapshot.id).id == seen.snapshot.id
        after = look(own, seen)
        assert after.walked == [] and listed(own.root, after.snapshot) == there(own.root)
        seen = after
    assert 1 < step < 99 and reasons == {"killed" if fails is _KilledError else "no_space"}
    snapshots_of(own.root).collect([seen.snapshot.id])
    assert not [name for name in os.listdir(own.root / ".distrogate" / "lists") if name.startswith(".tmp")]


def test_a_list_found_broken_can_be_fetched(own: Own) -> None:
    first = look(own)
    kept = snapshots_of(own.root)
    name = kept.lists.names(first.snapshot.parts[b""].content)[1]
    path = own.root / ".distrogate" / "lists" / name
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(b"x")
    assert kept.missing(first.snapshot) == []
    with pytest.raises(DistrogateError) as caught:
        kept.delta(None, first.snapshot)
    assert caught.value.reason == "list_damaged" and kept.missing(first.snapshot) == [name]
    kept.lists.take(name, data)
    assert kept.missing(first.snapshot) == [] and path.read_bytes() == data
    path.chmod(0o644)
    path.write_bytes(b"x")
    assert look(own).snapshot.id == first.snapshot.id and path.read_bytes() == data


def test_a_lost_blob_is_frozen_again(own: Own) -> None:
    first = look(own)
    source = source_of(own.root)
    shutil.rmtree(source.blobs.folder)
    index = [(path, new) for path, _old, new in source.snapshots.delta(None, first.snapshot).index if new]
    source.freeze(index)
    assert len(index) == 3 and all(source.blobs.has(entry) for _path, entry in index)
    shutil.rmtree(source.blobs.folder)
    own.publish("two")
    with pytest.raises(DistrogateError) as caught:
        source_of(own.root).freeze(index)
    assert caught.value.reason == "source_changing"
    assert [name for name in os.listdir(source.blobs.folder) if name.startswith(".tmp")] == []


def test_an_index_file_on_another_file_system_is_copied(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    def other_system(*_args: object, **_options: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", other_system)
    first = look(own)
    source = source_of(own.root)
    for _path, _old, entry in source.snapshots.delta(None, first.snapshot).index:
        assert entry is not None and source.blobs.has(entry)
        assert os.stat(source.blobs.path(entry)).st_nlink == 1
