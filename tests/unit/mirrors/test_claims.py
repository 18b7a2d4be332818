# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Claims: never two at a time, everybody in the end, and what becomes of those that the dead leave behind."""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import time
import traceback
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors import _holding
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._claims import (
    Claim,
    Watch,
    claim_name,
    new_claim,
    parse_claim,
)
from ansible_collections.distrogate.ci.tests.unit.mirrors.mirror_hosts import KINDS, Host, claimed, daemon

_RACERS = 20
_LATE = 120  # seconds until a test gives up; nothing is measured


@pytest.fixture(params=["daemon", "local"])
def host(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> t.Iterator[Host]:
    with KINDS[request.param](tmp_path / "mirror") as found:
        yield found


def in_child(action: t.Callable[[], object]) -> int:
    """Do it in a process of its own, which ends with status 0 when all went well; returns its id."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            action()
            status = 0
        except BaseException:  # noqa: BLE001 (a child must not go on as pytest)
            traceback.print_exc(file=sys.stderr)
        finally:
            os._exit(status)
    return child


def wait_for(condition: t.Callable[[], object]) -> None:
    end = time.monotonic() + _LATE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_race(host: Host, tmp_path: pathlib.Path) -> None:
    witness, turns = tmp_path / "witness", tmp_path / "turns"
    turns.mkdir()

    def race() -> None:
        peer = host.peer(tmp_path / f"work{os.getpid()}", retries=5)
        for turn in range(1):
            claim = new_claim()
            peer.claim(claim, _LATE)
            os.close(os.open(witness, os.O_CREAT | os.O_EXCL))  # fails when somebody else is here
            time.sleep(0.01)
            assert claimed(peer, claim)
            witness.unlink()
            peer.release(claim)
            (turns / f"{os.getpid()}-{turn}").touch()

    children = [in_child(race) for _number in range(_RACERS)]
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert statuses == [0] * _RACERS and len(list(turns.iterdir())) == _RACERS
    assert host.peer(tmp_path / "work").look().claims == []


def test_busy_names_the_holder(host: Host, tmp_path: pathlib.Path) -> None:
    first, second = host.peer(tmp_path / "work1"), host.peer(tmp_path / "work2")
    held = new_claim()
    first.claim(held, 5)
    with pytest.raises(DistrogateError) as caught:
        second.claim(new_claim(), 0.5)
    assert caught.value.reason == "mirror_busy" and f"process {os.getpid()} on" in caught.value.message
    assert [claim.id for claim in second.look().claims] == [held.id], "the waiter's claim stayed"
    first.release(held)
    assert first.look().claims == []
    second.claim(new_claim(), 5)


def test_the_claim_of_a_dead_worker(host: Host, tmp_path: pathlib.Path) -> None:
    child = in_child(lambda: [host.peer(tmp_path / "dead").claim(new_claim(1), 5), os.kill(os.getpid(), 9)])
    os.waitpid(child, 0)
    peer = host.peer(tmp_path / "work")
    assert len(peer.look().claims) == 1
    claim = new_claim()
    assert [found.id for found in peer.claim(claim, _LATE).claims] == [claim.id]


def test_our_own_dead_claims_go_at_once(host: Host, tmp_path: pathlib.Path) -> None:
    dead = [new_claim(3600), new_claim(3600)]
    for number, claim in enumerate(dead):
        child = in_child(
            lambda number=number, claim=claim: [
                host.peer(tmp_path / f"dead{number}").claim(claim, 0, [other.id for other in dead[:number]])
                and os.kill(os.getpid(), 9)
            ]
        )
        os.waitpid(child, 0)
    peer = host.peer(tmp_path / "work")
    peer.claim(new_claim(), 0, [claim.id for claim in dead])
    assert len(peer.look().claims) == 1
    host.peer(tmp_path / "other").release(peer.look().claims[0])
    assert peer.look().claims == []


def test_a_worker_that_lives_is_not_taken_for_dead(host: Host, tmp_path: pathlib.Path) -> None:
    first, second = host.peer(tmp_path / "work1"), host.peer(tmp_path / "work2")
    claim = new_claim(1)
    first.claim(claim, 5)
    with pytest.raises(DistrogateError, match="somebody else works on it"):
        second.claim(new_claim(1), 4)
    assert claimed(first, claim)
    first.release(claim)


def test_a_worker_that_was_stopped_for_too_long(host: Host, tmp_path: pathlib.Path) -> None:
    """It loses the mirror to another, and finds that out before it changes anything."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source/InRelease").write_text("late")
    ready, go_on = tmp_path / "ready", tmp_path / "go"

    def work() -> None:
        peer = host.peer(tmp_path / "stopped")
        claim = new_claim(1)
        peer.claim(claim, 5)
        ready.touch()
        wait_for(go_on.exists)
        assert not claimed(peer, claim)
        for attempt in (
            lambda: peer.switch(str(tmp_path / "source"), [], [b"InRelease"]),
            lambda: peer.finish(str(tmp_path / "source"), [b"InRelease"], []),
            lambda: peer.send(str(tmp_path / "source"), [b"InRelease"]),
        ):
            with pytest.raises(DistrogateError) as caught:
                attempt()
            assert caught.value.reason == "claim_lost"
        peer.release(claim)

    child = in_child(work)
    try:
        wait_for(ready.exists)
        os.kill(child, signal.SIGSTOP)
        other, taken = host.peer(tmp_path / "other"), new_claim()
        other.claim(taken, _LATE)
        go_on.touch()
    finally:
        os.kill(child, signal.SIGCONT)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not (host.tree / "InRelease").exists()
    assert [claim.id for claim in other.look().claims] == [taken.id] and claimed(other, taken)


def test_a_claim_lost_ends_a_transfer(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with daemon(tmp_path / "mirror") as host:
        peer, claim = host.peer(tmp_path / "work", bandwidth=16), new_claim(1)
        peer.claim(claim, 5)
        (tmp_path / "source").mkdir()
        (tmp_path / "source/large").write_bytes(b"x" * (64 << 20))
        with peer._holding._lock:  # a renewal under way might put it back
            (host.tree / os.fsdecode(claim.name)).unlink()
        with pytest.raises(DistrogateError) as caught:
            peer.send(str(tmp_path / "source"), [b"large"])
        assert caught.value.reason == "claim_lost" and not (host.tree / "large").exists()


def test_an_unreadable_claim_counts(host: Host, tmp_path: pathlib.Path) -> None:
    peer = host.peer(tmp_path / "work")
    (host.tree / ".distrogate/claims").mkdir(parents=True)
    for number, data in enumerate(
        (b"", b"[1]", b"\xff", b"{" * 5000, b'{"holder": 1, "since": "", "seconds": 1}')
    ):
        (host.tree / f".distrogate/claims/{number}.json").write_bytes(data)
        with pytest.raises(DistrogateError) as caught:
            peer.claim(new_claim(), 0)
        assert caught.value.reason == "mirror_busy" and "somebody unknown" in caught.value.message


def test_staleness_is_told_by_our_own_clock() -> None:
    clock = [100.0]
    watch = Watch(lambda: clock[0])
    claim = Claim("1" * 32, "x", "long ago", 10)
    assert watch.stale([claim]) == []
    clock[0] += 9.9
    assert watch.stale([claim]) == []
    clock[0] += 0.2
    assert watch.stale([claim]) == [claim]
    assert watch.stale([claim.renewed()]) == []
    clock[0] += 11
    assert watch.stale([]) == [] and watch.stale([claim]) == []


def test_what_a_claim_says_is_bounded() -> None:
    long = parse_claim(
        "a.json", b'{"holder": "x\\u001b[2J\\n%s", "since": "s", "seconds": 99999999}' % (b"y" * 1000)
    )
    assert long.holder.isprintable() and len(long.holder) <= 200 and long.seconds == 86400
    with pytest.raises(DistrogateError):
        claim_name("../x")
    assert _holding.now() > 0
