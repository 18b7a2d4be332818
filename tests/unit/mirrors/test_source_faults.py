# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishers and looks that are killed, full disks, lists and logs that are lost or rewritten."""

from __future__ import annotations

import errno
import fcntl
import os
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._touched import TouchLog
from ansible_collections.distrogate.ci.tests.unit.mirrors.own import (
    INDEX,
    Own,
    every_file,
    listed,
    look,
    snapshots_of,
    source_of,
    there,
)


class _KilledError(Exception):
    pass


def half_published(own: Own, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """A publisher that dies after it has logged and renamed a few times."""
    transaction, rename, done = own.stage("two", "c/c_1.deb", "a/a_2.deb"), os.rename, []
    transaction.drop("pool/b/b_1.deb")

    def killed(source: str, target: str) -> None:
        if str(target).startswith((str(own.root / "dists"), str(own.root / "pool"))):
            if len(done) == steps:
                raise _KilledError
            done.append(target)
        rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", killed)
        with pytest.raises(_KilledError):
            transaction.commit()


@pytest.mark.parametrize("steps", range(6))
@pytest.mark.parametrize("known", [True, False])
def test_a_publisher_killed_between_log_and_renames(
    own: Own, monkeypatch: pytest.MonkeyPatch, known: bool, steps: int
) -> None:
    first = look(own.root) if known else None
    half_published(own, monkeypatch, steps)
    before = every_file(own.root)
    foreseen = look(own.root, first, write=False)
    assert every_file(own.root) == before
    second = look(own.root, first)
    assert (own.root / INDEX / "Packages").read_text() == "two"
    assert listed(own.root, second.snapshot) == there(own.root)
    assert foreseen.snapshot.id == second.snapshot.id
    assert foreseen.switches == second.switches


@pytest.mark.parametrize("how", ["rotated", "lost", "shorter", "garbled"])
def test_a_log_that_is_not_the_one_any_more(own: Own, how: str) -> None:
    first = look(own.root)
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
    second = look(own.root, first)
    assert second.walked == [b""] and second.notes == {b"": None}
    assert listed(own.root, second.snapshot) == there(own.root)
    third = look(own.root, second)
    assert third.snapshot.id == second.snapshot.id
    assert third.walked == ([b""] if how == "lost" else [])


@pytest.mark.parametrize("which", [0, 1])
def test_a_rewritten_list_is_made_anew_by_a_walk(own: Own, which: int) -> None:
    first = look(own.root)
    own.publish("two")
    name = snapshots_of(own.root).lists.names(first.snapshot.parts[b""].content)[which]
    path = own.root / ".distrogate" / "lists" / name
    path.chmod(0o644)
    data = path.read_bytes()
    path.write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
    second = look(own.root, first)
    assert second.walked == [b""]
    assert listed(own.root, second.snapshot) == there(own.root)


def test_deep_with_lists_that_are_lost(own: Own) -> None:
    first = look(own.root)
    for name in snapshots_of(own.root).names(first.snapshot):
        (own.root / ".distrogate" / "lists" / name).unlink()
    own.publish("two")
    second = look(own.root, first, deep=True)
    assert second.deep is not None and not any(second.deep)
    assert listed(own.root, second.snapshot) == there(own.root)


@pytest.mark.parametrize("write", [True, False])
def test_a_publisher_that_never_rests(own: Own, write: bool) -> None:
    first = look(own.root)
    own.publish("two")
    with open(own.root / ".distrogate" / "lock", "rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(DistrogateError) as caught:
            source_of(own.root, timeout=0.1).observe(first.snapshot, write=write)
    assert caught.value.reason == "lock_timeout"


def fail_after(call: t.Callable[..., t.Any], count: int, fails: t.Any) -> t.Callable[..., t.Any]:
    """The call, which fails when it was made so many times."""
    left = [count]

    def failing(*args: t.Any, **options: t.Any) -> t.Any:
        left[0] -= 1
        if left[0] < 0:
            raise fails
        return call(*args, **options)

    return failing


@pytest.mark.parametrize("call", ["rename", "link", "fsync"])
@pytest.mark.parametrize("fails", [_KilledError, OSError(errno.ENOSPC, "No space left on device")])
def test_killed_or_full_at_every_step(
    own: Own, monkeypatch: pytest.MonkeyPatch, call: str, fails: BaseException | type[BaseException]
) -> None:
    seen, original = look(own.root), getattr(os, call)
    reasons: set[str] = set()
    for step in range(100):
        own.publish(f"state {step}", f"a/p_{step}")
        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail_after(original, step, fails))
            try:
                look(own.root, seen)
                break
            except (_KilledError, DistrogateError) as error:
                reasons.add(getattr(error, "reason", "killed"))
        assert snapshots_of(own.root).load(seen.snapshot.id).id == seen.snapshot.id
        after = look(own.root, seen)
        assert after.walked == [] and listed(own.root, after.snapshot) == there(own.root)
        seen = after
    assert 1 < step < 99 and reasons == {"killed" if fails is _KilledError else "no_space"}
    snapshots_of(own.root).collect([seen.snapshot.id])
    assert not [name for name in os.listdir(own.root / ".distrogate" / "lists") if name.startswith(".tmp")]


def test_a_list_found_broken_can_be_fetched(own: Own) -> None:
    first = look(own.root)
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
    assert look(own.root).snapshot.id == first.snapshot.id and path.read_bytes() == data


def test_an_index_file_on_another_file_system_is_copied(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    def other_system(*_args: object, **_options: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", other_system)
    first = look(own.root)
    source = source_of(own.root)
    for _path, _old, entry in source.snapshots.delta(None, first.snapshot).index:
        assert entry is not None and source.blobs.has(entry)
        assert os.stat(source.blobs.path(entry)).st_nlink == 1
