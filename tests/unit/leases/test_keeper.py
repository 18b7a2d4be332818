# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keeper's decisions, with a clock, a playbook and a store that are played."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper import Keeper
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_renewal import Renewal
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_voice import Voice, printable
from ansible_collections.distrogate.ci.plugins.module_utils._leases._lease_file import LeaseFile
from ansible_collections.distrogate.ci.plugins.module_utils._leases._trusted_file import Known, read_trusted

LEASE = {"id": "l1", "tes": [{"name": "te1", "fence": 7}]}


class World:
    """A clock that goes on with each look at the playbook, and what was said."""

    pid = 4711

    def __init__(self) -> None:
        self.time = 1000.0
        self.said: list[str] = []
        self.noted: list[str] = []
        self.answers: list[Exception | None] = []
        self.stopped = 0
        self.given_up = 0
        self.events: list[t.Callable[[], object]] = []
        self.ends_at = float("inf")

    def now(self) -> float:
        return self.time

    def say(self, line: str) -> None:
        self.said.append(line)

    def note(self, line: str) -> None:
        self.noted.append(line)

    def renew(self) -> None:
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer

    def ended(self, seconds: float) -> bool:
        self.time += seconds
        if self.events:
            self.events.pop(0)()
        return self.time >= self.ends_at

    def stop(self) -> list[int]:
        self.stopped += 1
        return []

    def give_up(self) -> None:
        self.given_up += 1

    def renewal(self, what: str = "the lease", ttl: float = 30) -> Renewal:
        return Renewal(what, self.renew, ttl=ttl, since=self.time, say=self.say, now=self.now)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def file(tmp_path: pathlib.Path) -> str:
    path = str(tmp_path / "lease.json")
    LeaseFile(path).write("sqlite:////x", "p", "l1", "s", True)
    return path


class Idle(Renewal):
    """One whose thread does nothing: the test sets what it comes to."""

    def keep(self, stopped: t.Any) -> None:
        return


def _keeper(world: World, file: str, *renewals: Renewal) -> Keeper:
    known = Known("sqlite:////x", "p", "l1", "s")
    return Keeper(
        file,
        known,
        LEASE,
        playbook=world,
        renewals=renewals,
        voice=world,
        stop=world.stop,
        give_up=world.give_up,
        now=world.now,
    )


def _idle(world: World, what: str = "the lease", ttl: float = 30) -> Renewal:
    return Idle(what, world.renew, ttl=ttl, since=world.time, say=world.say, now=world.now)


def test_renews_at_a_third_of_the_ttl(world: World) -> None:
    renewal = world.renewal()
    assert renewal.pause() == 10
    world.time += 10
    renewal.attempt()
    assert (renewal.renewed, renewal.deadline, renewal.pause()) == (1010, 1040, 10)


def test_counts_from_the_start_of_a_slow_call(world: World) -> None:
    renewal = world.renewal()
    world.time += 10

    def slow() -> None:
        world.time += 8

    renewal._renew = slow
    renewal.attempt()
    assert renewal.deadline == 1040


def test_errors_are_retried_until_the_deadline_and_no_longer(world: World) -> None:
    renewal = world.renewal()
    error = DistrogateError("store_unavailable", "The store is down.")
    world.answers = [error, error, OSError("no route"), None, error, error]
    for _attempt in range(3):
        world.time += 5
        renewal.attempt()
        assert renewal.pause() <= 2 and not renewal.lost()
    assert len(world.said) == 1 and "could not be renewed" in world.said[0]
    renewal.attempt()
    assert world.said[1] == "the lease is renewed again" and renewal.deadline == 1045
    renewal.attempt()
    world.time = 1044.9
    assert renewal.lost() == ""
    world.time = 1045
    assert renewal.lost() == "The store is down."


@pytest.mark.parametrize("reason", ["lease_lost", "lease_ended", "fence_behind", "guard_refused"])
def test_some_answers_are_final(world: World, reason: str) -> None:
    renewal = world.renewal()
    world.answers = [DistrogateError(reason, "It has ended.")]
    renewal.attempt()
    assert renewal.lost() == "It has ended."


def test_time_that_passed_without_us_loses_the_lease(world: World) -> None:
    renewal = world.renewal()
    world.time += 31
    assert "stood still" in renewal.lost()


def test_a_playbook_that_ends_is_left_alone(world: World, file: str) -> None:
    world.ends_at = 1005
    assert _keeper(world, file, _idle(world)).run() == "playbook_ended"
    assert (world.said, world.stopped) == ([], 0)


@pytest.mark.parametrize("other", [False, True])
def test_a_release_is_quiet(world: World, file: str, other: bool) -> None:
    def release() -> None:
        os.unlink(file)
        if other:
            LeaseFile(file).write("sqlite:////x", "p", "l2", "s", True)

    world.events = [lambda: None, release]
    assert _keeper(world, file, _idle(world)).run() == "released"
    assert (world.said, world.stopped) == ([], 0)


def test_a_file_written_again_for_the_same_lease_changes_nothing(world: World, file: str) -> None:
    world.events = [lambda: LeaseFile(file).write("sqlite:////x", "p", "l1", "s", True)]
    world.ends_at = 1010
    assert _keeper(world, file, _idle(world)).run() == "playbook_ended"
    assert world.said == []


def test_a_lease_that_ended_a_moment_before_its_file_was_released(world: World, file: str) -> None:
    renewal = _idle(world)
    renewal.ended = "It has ended."
    world.events = [lambda: None, lambda: os.unlink(file)]
    assert _keeper(world, file, renewal).run() == "released"
    assert (world.said, world.stopped) == ([], 0)


def test_a_lost_lease_stops_the_playbook_and_says_what_and_why(world: World, file: str) -> None:
    renewal = _idle(world)
    renewal.failing = "The store is down."
    assert _keeper(world, file, renewal).run() == "lost"
    assert world.stopped == 1 and world.time >= 1030
    text = " ".join(world.said)
    for words in ("LEASE LOST: lease l1 on TE te1 (fence 7) of pool p", "The store is down", file + ".log"):
        assert words in text


def test_a_guard_alone_loses_the_lease(world: World, file: str) -> None:
    guard = _idle(world, "the guard of TE te1 on h", ttl=10)
    assert _keeper(world, file, _idle(world), guard).run() == "lost"
    assert "the guard of TE te1 on h was last renewed" in world.said[0]


def test_a_forged_file_ends_renewing_at_once_and_the_playbook_in_time(world: World, file: str) -> None:
    world.events = [lambda: None, lambda: os.chmod(file, 0o666)]
    keeper = _keeper(world, file, _idle(world))
    assert keeper.run() == "lost"
    assert keeper._stopped.is_set() and world.given_up == 1
    assert world.said[0].startswith("WARNING: lease l1 on TE te1") and "others may use it" in world.said[0]
    assert world.time >= 1030


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"version": 1}', "9" * 70_000, "[" * 60_000, '{"a": 1, "a": 2}'],
    ids=["empty", "cut", "list", "null", "keys", "huge", "deep", "twice"],
)
def test_bad_contents_are_refused(file: str, content: str) -> None:
    pathlib.Path(file).write_text(content, encoding="utf-8")
    with pytest.raises(DistrogateError) as caught:
        read_trusted(file)
    assert caught.value.reason == "bad_lease_file"


@pytest.mark.parametrize("field", ["store", "pool", "lease", "secret"])
@pytest.mark.parametrize("value", [None, 5, ["x"], "a\0b"])
def test_fields_of_other_kinds_are_refused(file: str, field: str, value: t.Any) -> None:
    whole = json.loads(pathlib.Path(file).read_text())
    pathlib.Path(file).write_text(json.dumps({**whole, field: value}), encoding="utf-8")
    with pytest.raises(DistrogateError, match="does not hold"):
        read_trusted(file)


def test_what_others_could_have_put_there_is_refused(
    file: str, tmp_path: pathlib.Path, monkeypatch: t.Any
) -> None:
    assert read_trusted(file) == Known("sqlite:////x", "p", "l1", "s")
    assert read_trusted(f"{file}.missing") is None
    (tmp_path / "link").symlink_to(file)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("link", "pipe", "."):
        with pytest.raises(DistrogateError, match="cannot be trusted"):
            read_trusted(str(tmp_path / name))
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(DistrogateError, match="belongs to user"):
        read_trusted(file)


def test_the_secret_is_not_shown() -> None:
    assert "s3cret" not in repr(Known("sqlite:////x", "p", "l1", "s3cret"))


def test_the_log_is_private_bounded_and_plain(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * (1 << 20) + b"yy")
    voice = Voice(str(log), 0)
    voice.say("a\x1b[31m\nb")  # There is no process 0: nothing but the log is written.
    assert log.read_text().endswith(": a [31m b\n") and log.stat().st_size < 200
    assert len(printable("ü" * 10_000).encode()) <= 4000
    other = tmp_path / "other"
    (tmp_path / "link").symlink_to(other)
    Voice(str(tmp_path / "link"), 0).note("x")
    assert not other.exists()
    Voice(str(tmp_path / "new"), 0).note("x")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
