# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who gets which TE, and in which order."""

from __future__ import annotations

import re
import threading
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store, open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases import _wait
from ansible_collections.distrogate.ci.plugins.module_utils._leases._acquire import acquire
from ansible_collections.distrogate.ci.plugins.module_utils._leases._client import Client
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holder import Holder
from ansible_collections.distrogate.ci.plugins.module_utils._leases._pool import Pool
from ansible_collections.distrogate.ci.plugins.module_utils._leases._registry import Registry
from ansible_collections.distrogate.ci.plugins.module_utils._leases._telling import waiting_line
from ansible_collections.distrogate.ci.tests.unit.leases.steps import (
    POOL,
    Job,
    register,
    release,
    taken,
    wanted,
)


def test_first_come_first_served_within_a_priority(store: Store) -> None:
    register(store, "a")
    taken(store, "now")
    first, second = Job(store, "first"), Job(store, "second")
    assert (second.look(), first.look()) == (None, None)
    release(store, "now")
    assert (second.look(), first.look()) == (None, ["a"])
    release(store, "first")
    assert second.look() == ["a"]


def test_the_next_one_has_the_te_in_the_moment_of_the_release(store: Store) -> None:
    register(store, "a")
    taken(store, "now")
    Job(store, "next")
    before = store.revision()
    release(store, "now")
    assert store.revision() == before + 1
    pool = Pool.read(store, "p")
    lease = pool.lease_of("a")
    assert lease is not None
    assert lease["owner"] == {"job": "next"}


def test_one_who_looks_helps_those_before_it(store: Store) -> None:
    register(store, "a", "b", "c")
    first, second = Job(store, "first"), Job(store, "second")
    assert second.look() is not None
    assert first.look() is not None
    assert len(Pool.read(store, "p").leases) == 2


def test_a_newcomer_does_not_pass_those_who_wait(store: Store) -> None:
    register(store, "a")
    first = Job(store, "first")
    with pytest.raises(DistrogateError):
        taken(store, "newcomer")
    assert first.look() == ["a"]


def test_a_higher_priority_goes_first(store: Store) -> None:
    register(store, "a")
    taken(store, "now")
    check, gate = Job(store, "check"), Job(store, "gate", Demand("p", priority=10))
    release(store, "now")
    assert (check.look(), gate.look()) == (None, ["a"])


def test_one_who_waited_long_goes_before_a_newer_higher_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(store, "a")
    taken(store, "now")
    check = Job(store, "check")
    old_gate = Job(store, "old-gate", Demand("p", priority=10))
    monkeypatch.setattr(_wait, "AGEING_SECONDS", 0.01)
    time.sleep(0.15)
    check.look()
    gate = Job(store, "gate", Demand("p", priority=10))
    release(store, "now")
    assert (gate.look(), old_gate.look(), check.look()) == (None, None, ["a"])
    release(store, "check")
    assert (gate.look(), old_gate.look()) == (None, ["a"])


def test_ageing_that_is_noted_late_does_not_turn_the_order_round(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(store, "a")
    taken(store, "now")
    first, second = Job(store, "first"), Job(store, "second", Demand("p", labels={}))
    monkeypatch.setattr(_wait, "AGEING_SECONDS", 0.01)
    time.sleep(0.05)
    second.look()  # It notes its age; the first one has not looked since.
    release(store, "now")
    assert (second.look(), first.look()) == (None, ["a"])


def test_a_lower_priority_does_not_wait_for_what_the_higher_cannot_use(store: Store) -> None:
    register(store, "a", labels={"arch": "amd64"})
    register(store, "b", labels={"arch": "arm64"})
    taken(store, "now", Demand("p", name="a"))
    Job(store, "gate", Demand("p", labels={"arch": "amd64"}, priority=10))
    assert Job(store, "check").look() == ["b"]


@pytest.mark.parametrize("where", ["arch == arm64", "arch != amd64", "size in (large) or arch == arm64"])
def test_expressions_choose(store: Store, where: str) -> None:
    register(store, "a", labels={"arch": "amd64", "size": "small"})
    register(store, "b", labels={"arch": "arm64", "size": "small"})
    assert taken(store, "x", Demand("p", where=where))["tes"][0]["name"] == "b"


def test_all_or_none_and_the_free_part_is_kept_for_the_older_set(store: Store) -> None:
    register(store, "a", "b")
    taken(store, "one", Demand("p", name="a"))
    pair, later = Job(store, "pair", Demand("p", count=2)), Job(store, "later")
    assert pair.look() is None
    assert later.look() is None, "b is free, but the pair waits for it"
    release(store, "one")
    assert (later.look(), pair.look()) == (None, ["a", "b"])
    release(store, "pair")
    assert later.look() is not None


def test_a_set_that_leaves_gives_up_what_was_kept_for_it(store: Store) -> None:
    register(store, "a", "b")
    taken(store, "one", Demand("p", name="a"))
    pair, later = Job(store, "pair", Demand("p", count=2)), Job(store, "later")
    assert later.look() is None
    assert pair.wait.leave() is None
    assert later.look() == ["b"]


def test_an_older_one_who_names_a_te_keeps_it_from_a_set(store: Store) -> None:
    register(store, "a", "b", "c")
    taken(store, "one", Demand("p", name="a"))
    taken(store, "other", Demand("p", name="c"))
    named = Job(store, "named", Demand("p", name="c"))
    pair = Job(store, "pair", Demand("p", count=2))
    release(store, "one")
    assert pair.look() == ["a", "b"]
    release(store, "other")
    assert named.look() == ["c"]


def test_a_set_that_can_never_be_filled_stops_nobody(store: Store) -> None:
    register(store, "a", "b", "c")
    taken(store, "now", Demand("p", name="a"))
    Job(store, "three", Demand("p", count=3))
    Registry(store, "p").put("c", {"state": "drained"})
    assert Job(store, "later").look() == ["b"]


def test_two_sets_that_overlap_do_not_deadlock(store_url: str, store: Store) -> None:
    register(store, "a", "b", "c")
    order: list[str] = []

    def work(job: str, count: int) -> None:
        with open_store(store_url) as own:
            client = Client(own, "p")
            for number in range(5):
                name = f"{job}-{number}"
                lease = acquire(client, Demand("p", count=count), wanted(name), timeout=30)
                assert len(lease["tes"]) == count
                order.append(name)
                Holder(own, "p", name, "s").release()

    threads = [threading.Thread(target=work, args=arguments) for arguments in (("x", 2), ("y", 3), ("z", 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(order) == 15


def test_asking_for_more_than_there_is_fails_at_once(store: Store) -> None:
    register(store, "a")
    for demand in (Demand("p", count=2), Demand("p", name="b"), Demand("p", where="x == y")):
        with pytest.raises(DistrogateError) as error:
            taken(store, "x", demand, timeout=600)
        assert error.value.reason == "te_unknown"


def test_what_one_reads_while_waiting(store: Store) -> None:
    register(store, "a")
    taken(store, "nightly")
    Job(store, "first")
    job = Job(store, "second")
    line = waiting_line(job.wait)
    assert re.fullmatch(
        r"waits for a TE of pool p: 2nd of 2, [0-9.]+ s; a is leased to job nightly for [0-9.]+ s", line
    ), line
    Registry(store, "p").put("a", {})
    release(store, "nightly")
    release(store, "first")
    assert " s to go by past leases; a is " in waiting_line(Job(store, "third").wait)


def test_the_timeout_names_the_holder_and_leaves_the_line(store: Store) -> None:
    register(store, "a")
    taken(store, "nightly")
    told: list[t.Any] = []
    with pytest.raises(DistrogateError) as error:
        taken(store, "second", POOL, timeout=0.3, tell=told.append)
    assert error.value.reason == "lease_timeout"
    assert "job nightly" in error.value.message
    assert told
    assert Pool.read(store, "p").waiters == []


def test_a_store_that_is_away_for_a_while_ends_no_wait(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    register(store, "a")
    taken(store, "now")
    told: list[str] = []
    real = store.read
    broken = iter([True] * 3)

    def read(queries: t.Any, fresh: bool = True) -> t.Any:
        if told and next(broken, False):
            raise DistrogateError("store_unavailable", "It is away.")
        if told:
            monkeypatch.setattr(store, "read", real)
            release(store, "now")
        return real(queries, fresh)

    monkeypatch.setattr(store, "read", read)
    monkeypatch.setattr(_wait, "_PROGRESS_SECONDS", 0)
    lease = taken(store, "second", timeout=30, tell=lambda wait: told.append(waiting_line(wait)))
    assert lease["tes"][0]["name"] == "a"
    assert any("a TE of pool p" in line and "and for the store: It is away." in line for line in told)
