# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Some seconds of the siege of leases, so that every change sees one; and what the siege itself promises."""

from __future__ import annotations

import pathlib
import random
import shutil
import threading
import time

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Put, open_store
from ansible_collections.distrogate.ci.tests.faults.leases import demands
from ansible_collections.distrogate.ci.tests.faults.leases.etcd_place import EtcdPlace, Nodes
from ansible_collections.distrogate.ci.tests.faults.leases.guard import Guard
from ansible_collections.distrogate.ci.tests.faults.leases.siege import Place, Siege, judged, summary
from ansible_collections.distrogate.ci.tests.faults.leases.sqlite_place import SqlitePlace
from ansible_collections.distrogate.ci.tests.tools.lease_client import Client

with_etcd = pytest.mark.skipif(not shutil.which("etcd"), reason="etcd is not installed")


def seed() -> int:
    chosen = random.SystemRandom().randrange(1 << 32)
    print(f"DISTROGATE_FAULTS_SEED={chosen}")  # shown when it fails
    return chosen


EVENTS = {"granted", "guard_accepted", "final", "place"}


def besieged(place: Place, folder: pathlib.Path, clients: int) -> list[str]:
    """The faults; a siege in which too little happened, as on a busy machine, is repeated for longer."""
    for seconds in (8, 24, 72):
        name = folder / str(seconds)
        name.mkdir()
        siege = Siege(place, name, seed(), seconds, clients=clients, pause=0.2, attacks=8)
        history, faults = judged(siege)
        print(summary(siege, history))
        if faults or {event["what"] for event in history} >= EVENTS:
            return faults
    raise AssertionError("no client came to anything")


@pytest.mark.faults
def test_a_few_seconds_on_sqlite(tmp_path: pathlib.Path) -> None:
    assert besieged(SqlitePlace(tmp_path), tmp_path, 16) == []


@pytest.mark.faults
@with_etcd
def test_a_few_seconds_on_etcd(tmp_path: pathlib.Path) -> None:
    with EtcdPlace() as place:
        assert besieged(place, tmp_path, 12) == []


@pytest.mark.faults
def test_a_store_that_compares_nothing_is_found(tmp_path: pathlib.Path) -> None:
    faults: list[str] = []
    for attempt in range(5):  # a busy machine may let too few clients run at one time
        place = tmp_path / str(attempt)
        place.mkdir()
        _history, faults = judged(Siege(SqlitePlace(place), place, seed(), 4, clients=16, heedless=True))
        if faults:
            break
    assert any("was given to" in fault or "have fence" in fault for fault in faults), faults


@pytest.mark.faults
@with_etcd
def test_two_of_three_nodes_are_down() -> None:
    """A clear error, nothing granted, and it goes on when they are back."""
    with Nodes() as nodes:
        url = nodes.url("siege")
        with Client.open(url) as client:
            client.register_all(demands.POOL, {"te": {}})
            before = client.look(demands.POOL).tes["te"]
        leader = nodes.leader()
        down = [leader, (leader + 1) % 3]
        for node in down:
            nodes.kill(node)
        began = time.monotonic()
        with pytest.raises(DistrogateError) as error, Client.open(url) as client:
            client.acquire(demands.POOL, timeout=5)
        assert error.value.reason == "store_unavailable"
        assert "Check that most of its nodes run" in str(error.value)
        assert time.monotonic() - began < 60
        nodes.heal()
        with Client.open(url) as client:
            assert client.look(demands.POOL).tes["te"] == before
            lease = client.acquire(demands.POOL, timeout=30)
            assert lease["tes"][0]["fence"] == before["fence"] + 1
            client.release(lease)


@pytest.mark.faults
@with_etcd
def test_a_node_that_is_cut_off() -> None:
    """Neither hears the other, and the others go on; afterwards it knows what they did."""
    with Nodes() as nodes:
        lonely = nodes.leader()
        others = [node for node in range(3) if node != lonely]
        with nodes.peers.cut(lonely):
            with open_store(nodes.url("", *others)) as store:
                assert store.transact({}, [Put("a", 1)])
            with pytest.raises(DistrogateError), open_store(nodes.url("", lonely)) as store:
                store.transact({}, [Put("a", 2)])
        nodes.wait_healthy()
        with open_store(nodes.url("", lonely)) as store:
            entry = store.get("a")
        assert entry is not None and entry.value == 1


@pytest.mark.faults
@with_etcd
def test_who_waits_through_a_restart_stops_waiting() -> None:
    """A stream that broke when the time to wait was over must not be begun again for ever."""
    with Nodes() as nodes, open_store(nodes.url()) as store:
        told: list[bool] = []

        def wait() -> None:
            with store.watch("a") as watch:
                told.append(watch.wait(0.5))
                for node in range(3):
                    nodes.kill(node)
                for node in range(3):
                    nodes.start_node(node)
                told.append(watch.wait(0.1))

        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        thread.join(60)
        assert told == [False, False]


def test_the_guard_hears_one_lease(tmp_path: pathlib.Path) -> None:
    guard = Guard(tmp_path, tmp_path)
    assert guard.raise_fence("te", 1, 60, "x") == ""
    assert guard.use("te", 1, "x") == ""
    assert guard.raise_fence("te", 1, 60, "y") == "fence_behind"
    assert guard.raise_fence("te", 2, 60, "y") == ""
    assert [guard.use("te", 1, "x"), guard.renew("te", 1, 60, "x")] == ["fence_behind"] * 2
    assert guard.raise_fence("te", 1, 60, "x") == "fence_behind"
    assert guard.end("te", 2, "y") == ""
    assert [guard.use("te", 2, "y"), guard.renew("te", 2, 60, "y")] == ["lease_ended"] * 2
    assert guard.raise_fence("te", 2, 60, "y") == ""
    assert guard.renew("te", 2, 0, "y") == ""
    assert guard.use("te", 2, "y") == "lease_ended"
