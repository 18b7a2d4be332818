# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publishers log what they touch: who reads the log misses no path that changed, and needs few digests."""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import random
import stat
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _transaction
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._touched import (
    Note,
    Position,
    Touched,
    TouchLog,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._transactions import Transactions
from ansible_collections.distrogate.ci.plugins.module_utils._packages._collect import collect
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import QuickSigner, Suite
from ansible_collections.distrogate.ci.tests.unit.packages.test_transaction import killed_at, killed_when

Make = t.Callable[..., t.Any]
Look = dict[bytes, tuple[int, ...]]
Work = t.Callable[[], t.Any]


def look(root: t.Any) -> Look:
    """What a walk would see of all files and links but private ones."""
    found = {}
    top = os.fsencode(root)
    for folder, folders, names in os.walk(top):
        if folder == top:
            folders.remove(b".distrogate")
        for name in [*names, *(one for one in folders if os.path.islink(os.path.join(folder, one)))]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            seen = (status.st_mode, status.st_ino, status.st_size, status.st_mtime_ns)
            found[os.path.relpath(path, top)] = seen
    return found


def position(suite: Suite) -> Position:
    found = TouchLog(str(suite.root)).position()
    assert found is not None
    return found


def told(suite: Suite, since: Position) -> tuple[list[Touched], list[dict[str, t.Any]]]:
    found = TouchLog(str(suite.root)).since(since)
    assert found is not None
    touched = [one for one in found[0] if isinstance(one, Touched)]
    return touched, [one.data for one in found[0] if isinstance(one, Note)]


def check(suite: Suite, since: Position, before: Look, finished: bool = True) -> None:
    """Every path that changed is told, and a path's last digest, if it fits size and time, is the file's.

    An earlier one may fit as well: what is published within one second may have the same time. So
    may one that a killed publish has logged, until it is ``finished``.
    """
    touched, _notes = told(suite, since)
    after = look(suite.root)
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    assert changed <= {one.path for one in touched}
    for one in {one.path: one for one in touched}.values():
        assert not one.path.startswith(b".distrogate")
        mode, _inode, size, mtime_ns = after.get(one.path, (0, 0, 0, 0))
        if finished and one.sha256 and (size, mtime_ns) == (one.size, one.mtime_ns):
            assert stat.S_ISREG(mode)
            data = (suite.root / os.fsdecode(one.path)).read_bytes()
            assert hashlib.sha256(data).hexdigest() == one.sha256


def test_a_publish_tells_all_its_files_with_their_digests(suite: Suite, make: Make) -> None:
    suite(make())
    since, before = position(suite), look(suite.root)
    suite(make(version="2"), make("glance", body=b"y"), snapshot="one", compression=["gz", "xz"])
    check(suite, since, before)
    touched, _notes = told(suite, since)
    there = {one.path: one for one in touched if os.path.lexists(suite.root / os.fsdecode(one.path))}
    assert {b"pool/main/n/nova_2_all.deb", b"dists/bookworm/InRelease"} <= set(there)
    assert b"dists/bookworm/snapshots/one/InRelease" in there
    for one in there.values():
        status = os.lstat(suite.root / os.fsdecode(one.path))
        assert (one.size, one.mtime_ns) == (status.st_size, status.st_mtime_ns)
        assert one.sha256


def test_what_stays_as_it_is_is_not_touched(suite: Suite, make: Make) -> None:
    suite(make())
    since, before = position(suite), look(suite.root)
    suite(make(version="2"))
    assert not {b"key.asc", b"pool/main/n/nova_1.0-1_all.deb"} & {one.path for one in told(suite, since)[0]}
    assert before[b"key.asc"] == look(suite.root)[b"key.asc"]
    (suite.root / "key.asc").write_text("broken")
    suite(make(version="3"))
    assert suite.text("key.asc") == QuickSigner().public_key()


def test_what_is_published_later_by_another_process_has_digests_too(suite: Suite, make: Make) -> None:
    suite(make())
    since, before = position(suite), look(suite.root)
    suite(make(version="2"), state="prepared", transaction="one")
    assert position(suite) == since  # nothing is touched yet
    suite(state="committed", transaction="one")
    check(suite, since, before)
    touched, notes = told(suite, since)
    assert [one.sha256 != "" for one in touched if one.path.startswith(b"pool/")] == [True]
    assert [note["packages"]["added"] for note in notes if "packages" in note] == [[["nova", "2", "all"]]]


def test_nothing_to_do_is_told_by_nothing(suite: Suite, make: Make) -> None:
    path = make()
    suite(path)
    since = position(suite)
    suite(path)
    suite(path, check=True, label="other")
    suite(make(version="2"), state="prepared", transaction="one")
    suite(state="undone", transaction="one")
    assert position(suite) == since


def test_notes_say_what_came_and_went(suite: Suite, make: Make) -> None:
    suite(make())
    since = position(suite)
    suite(make(version="2"), transaction="one", snapshot="first", keep_versions=1)
    suite(state="undone", transaction="one")
    suite(state="absent", packages=[], snapshot="first")
    old, new = ["nova", "1.0-1", "all"], ["nova", "2", "all"]

    def where(serial: int) -> dict[str, t.Any]:
        return {"scope": "bookworm", "kind": "deb", "serial": serial}

    assert told(suite, since)[1] == [
        {"packages": {**where(2), "added": [new], "removed": [old]}},
        {"snapshots": {**where(2), "added": ["first"], "removed": []}},
        {"packages": {**where(3), "added": [old], "removed": [new]}},
        {"packages": {**where(4), "added": [], "removed": []}},
        {"snapshots": {**where(4), "added": [], "removed": ["first"]}},
    ]


def test_what_is_collected_is_told(suite: Suite, make: Make) -> None:
    suite(make())
    suite(make(version="2"))
    since, before = position(suite), look(suite.root)
    assert collect(str(suite.root), 0, [], 10, False)
    assert look(suite.root) != before
    check(suite, since, before)


@pytest.mark.parametrize(("call", "logged"), [("ftruncate", False), ("fdatasync", True), ("unlink", True)])
def test_who_finishes_logs_again(suite: Suite, make: Make, call: str, logged: bool) -> None:
    """Decided but not logged, logged but nothing moved, moved in part: nothing is missed."""
    suite(make())
    since, before = position(suite), look(suite.root)
    path = make(version="2")
    writes = Writes(suite)
    assert killed_when(functools.partial(writes.reach, call), lambda: suite(path, keep=0))
    check(suite, since, before)
    assert bool(told(suite, since)[0]) == logged
    assert (look(suite.root) != before) == (call == "unlink")
    Transactions(str(suite.root)).recover()
    check(suite, since, before)
    notes = told(suite, since)[1]
    assert notes
    assert all(note == notes[0] for note in notes)


class Writes:
    """Knows the calls since the log was opened to be written; how many come before is not always the same."""

    def __init__(self, suite: Suite) -> None:
        self.log = os.path.realpath(TouchLog(str(suite.root)).path)
        self.begun = False

    def reach(self, name: str, call: str, target: t.Any) -> bool:
        """Whether this is the first ``name`` of them."""
        if call == "ftruncate" and os.readlink(f"/proc/self/fd/{target}") == self.log:
            self.begun = True
        return self.begun and call == name


class Actions:
    """Random work on a suite, some of it killed."""

    def __init__(self, suite: Suite, make: Make, chance: random.Random) -> None:
        self.suite, self.make, self.chance = suite, make, chance
        self.number = 0

    def path(self) -> t.Any:
        name = self.chance.choice(["nova", "glance", "keystone", "libvirt0"])
        body = self.chance.choice([b"x", b"y"])
        return self.make(name, f"{self.chance.randrange(9)}-{self.number}", body)

    def options(self) -> dict[str, t.Any]:
        return {
            "keep": self.chance.choice([0, 0, 1, 5]),
            "snapshot": self.chance.choice([None, None, f"s{self.number}"]),
            "keep_snapshots": self.chance.choice([0, 1, 2]),
            "keep_snapshots_seconds": -10,
            "keep_versions": self.chance.choice([None, None, 1, 2]),
            "valid_for": self.chance.choice([None, None, 100, 0]),
            "compression": self.chance.choice([None, ["gz", "xz"]]),
            "allow_downgrade": True,
        }

    def publish(self) -> None:
        self.suite(*[self.path() for _number in range(self.chance.randrange(1, 4))], **self.options())

    def publish_and_undo(self) -> None:
        self.suite(self.path(), transaction=f"t{self.number}", **self.options())
        self.suite(state="undone", transaction=f"t{self.number}")

    def prepare_and_end(self) -> None:
        self.suite(self.path(), state="prepared", transaction=f"t{self.number}", **self.options())
        self.suite(state=self.chance.choice(["committed", "undone"]), transaction=f"t{self.number}")

    def remove(self) -> None:
        self.suite("nova", "glance", state="absent", keep=self.chance.choice([0, 5]))

    def other_suite(self) -> None:
        self.suite(self.path(), suite="trixie", **self.options())

    def collect(self) -> None:
        collect(str(self.suite.root), 0, [], 10, False)

    def random_work(self) -> Work:
        self.number += 1
        chosen = self.chance.choice(
            [
                self.publish,
                self.publish,
                self.publish_and_undo,
                self.prepare_and_end,
                self.remove,
                self.other_suite,
                self.collect,
            ]
        )
        seed = self.chance.random()

        def work() -> None:
            self.chance.seed(seed)
            try:
                chosen()
            except DistrogateError as error:  # such as a version that is there with other contents
                assert error.reason in ("content_conflict", "reserved", "unknown_transaction")  # noqa: PT017

        return work


@pytest.mark.parametrize("seed", range(12))
def test_no_change_is_missed(suite: Suite, make: Make, seed: int) -> None:
    chance = random.Random(seed)
    actions = Actions(suite, make, random.Random(seed + 1000))
    suite(make("first"))
    kills = 0
    for _round in range(12):
        since, before = position(suite), look(suite.root)
        for _action in range(chance.randrange(1, 3)):
            work = actions.random_work()
            if chance.random() < 0.5:
                kills += killed_at(chance.randrange(1, 70), work)
                check(suite, since, before, finished=False)
            else:
                work()
        for waiting in Transactions(str(suite.root)).all():
            if waiting.load() and not waiting.committed:
                suite(state="undone", transaction=waiting.identifier)
        Transactions(str(suite.root)).recover()
        check(suite, since, before)
    assert kills


def test_what_is_too_much_to_be_kept_makes_the_position_unknown(
    suite: Suite, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who commits in another process has no notes then, and a mirror must not take them for all."""
    suite(make())
    since = position(suite)
    monkeypatch.setattr(_transaction, "_TOLD", 50)
    suite(make(version="2"))  # this one has its notes still
    assert [note["packages"]["added"] for note in told(suite, since)[1]] == [[["nova", "2", "all"]]]
    suite(make(version="3"), state="prepared", transaction="one")
    suite(state="committed", transaction="one")
    assert TouchLog(str(suite.root)).since(since) is None
    since, before = position(suite), look(suite.root)
    suite(make(version="4"))
    check(suite, since, before)


def test_digests_that_are_too_many_are_left_out(
    suite: Suite, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite(make())
    since, before = position(suite), look(suite.root)
    monkeypatch.setattr(_transaction, "_PLACED", 0)
    suite(make(version="2"), state="prepared", transaction="one")
    suite(state="committed", transaction="one")
    check(suite, since, before)
    assert [one.sha256 for one in told(suite, since)[0] if one.path.startswith(b"pool/")] == [""]


def test_a_full_disk_costs_the_log_and_not_the_publish(
    suite: Suite, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite(make())
    since = position(suite)

    def full(_descriptor: int) -> t.NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", full)
        suite(make(version="2"))
    assert suite.names() == ["nova=1.0-1", "nova=2"]
    assert TouchLog(str(suite.root)).position() is None
    suite(make(version="3"))
    assert position(suite).log != since.log


def test_links_to_layers_are_told(tmp_path: t.Any, make: Make) -> None:
    below, above = Suite(tmp_path / "below"), Suite(tmp_path / "above")
    below(make())
    above(make("glance"))
    since, before = position(above), look(above.root)
    above(layers=[{"name": "below", "root": str(below.root)}])
    check(above, since, before)
    assert Touched(b"layers/below") in told(above, since)[0]
