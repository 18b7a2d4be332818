# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How leases live and end, and what holds, drains and cleans TEs."""

from __future__ import annotations

import json
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Key, Store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._cleaning import Cleanup
from ansible_collections.distrogate.ci.plugins.module_utils._leases._cleaning import Job as Cleaning
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holder import Holder, hashed, new_secret
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holds import hold_te, unhold
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import Keys
from ansible_collections.distrogate.ci.plugins.module_utils._leases._pool import Pool
from ansible_collections.distrogate.ci.plugins.module_utils._leases._registry import Registry
from ansible_collections.distrogate.ci.plugins.module_utils._leases._restored import raise_epoch
from ansible_collections.distrogate.ci.plugins.module_utils._leases._views import lease_view, te_view
from ansible_collections.distrogate.ci.tests.unit.leases.steps import (
    Job,
    reaped,
    register,
    release,
    taken,
    wanted,
)

KEYS = Keys("p")
CLEAN = {"command": ["true"], "run_on": "hosts", "timeout": 60, "attempts": 2}
HOLD = {"kind": "hold", "pool": "p", "owner": {"job": "x"}, "person": "ann", "reason": "core dump", "ttl": 60}


def status(store: Store, name: str = "a") -> str:
    return Pool.read(store, "p").status(name)


def reason_of(call: t.Callable[[], t.Any]) -> str:
    with pytest.raises(DistrogateError) as error:
        call()
    return error.value.reason


def test_a_lease_that_is_renewed_outlives_its_client(store: Store) -> None:
    register(store, "a")
    taken(store, "first", term=3)
    Holder(store, "p", "first", "s").renew(60)
    time.sleep(3.5)
    assert reaped(store) == []
    assert status(store) == "leased"


def test_a_lease_that_is_not_renewed_ends_and_its_owner_is_told(store: Store) -> None:
    register(store, "a")
    first = taken(store, "first")
    Holder(store, "p", "first", "s").renew(1)
    job = Job(store, "second")
    deadline = time.monotonic() + 60
    while reaped(store) == [] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert job.look() == ["a"]
    assert Holder(store, "p", "second", "s").lease()["tes"][0]["fence"] == first["tes"][0]["fence"] + 1
    late = Holder(store, "p", "first", "s")
    for act in (late.lease, late.release, late.cleaned, lambda: late.renew(60), lambda: late.hold(HOLD, 9)):
        assert reason_of(act) == "lease_lost"
    assert Holder(store, "p", "second", "s").lease()["id"] == "second"


def test_one_who_waits_finds_dead_leases_by_itself(store: Store) -> None:
    register(store, "a")
    taken(store, "first")
    Holder(store, "p", "first", "s").renew(1)
    assert taken(store, "second", timeout=30)["tes"][0]["name"] == "a"


def test_a_dead_waiter_is_passed_over(store: Store) -> None:
    register(store, "a")
    taken(store, "now")
    Job(store, "dead", term=2)
    later = Job(store, "later")
    time.sleep(4)
    release(store, "now")
    assert later.look() == ["a"]


def test_what_was_granted_to_one_who_died_comes_back(store: Store) -> None:
    register(store, "a")
    taken(store, "now")
    Job(store, "dying", term=6)
    later = Job(store, "later")
    release(store, "now")
    assert later.look() is None
    deadline = time.monotonic() + 60
    while reaped(store) == [] and time.monotonic() < deadline:
        time.sleep(0.2)
    assert later.look() == ["a"]


def test_one_who_stood_still_goes_to_the_end_of_the_line(store: Store) -> None:
    register(store, "a")
    taken(store, "now")
    slow, later = Job(store, "slow", term=2), Job(store, "later")
    time.sleep(4)
    slow.client.alive()
    assert slow.look() is None
    release(store, "now")
    assert (slow.look(), later.look()) == (None, ["a"])
    assert slow.wait.lost_place == 1


def test_a_wrong_secret_is_no_proof(store: Store) -> None:
    register(store, "a")
    taken(store, "first")
    for secret in ("other", "", "\udc80", hashed("s")):
        assert reason_of(Holder(store, "p", "first", secret).release) == "lease_lost"
    assert status(store) == "leased"


def test_the_longest_life_ends_renewals(store: Store) -> None:
    register(store, "a")
    taken(store, "first")
    holder = Holder(store, "p", "first", "s")
    holder.renew(60, max_lifetime=2)
    holder.renew(60, max_lifetime=2)
    deadline = time.monotonic() + 60
    while store.read([Key(KEYS.life("first"))])[0] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert reason_of(lambda: holder.renew(60, max_lifetime=2)) == "lease_too_old"


def test_the_fence_outlives_the_te(store: Store) -> None:
    register(store, "a", clean=CLEAN)
    taken(store, "first")
    assert reason_of(lambda: Registry(store, "p").remove("a")) == "te_leased"
    release(store, "first")
    Registry(store, "p").remove("a")
    register(store, "a", clean=CLEAN)
    assert status(store) == "dirty"
    Registry(store, "p").put("a", {"clean": {**CLEAN, "attempts": 3}})
    assert Pool.read(store, "p").tes["a"]["fence"] == 1


def test_a_new_epoch_raises_every_fence(store: Store) -> None:
    register(store, "a", "b")
    assert taken(store, "first")["tes"][0]["fence"] == 1
    assert raise_epoch(store) == 1
    assert taken(store, "second")["tes"][0]["fence"] == 1_000_000_001
    assert raise_epoch(store, 7_000_000_005) == 8


def test_drained_tes_are_not_granted(store: Store) -> None:
    register(store, "a")
    Registry(store, "p").put("a", {"state": "drained"})
    job = Job(store, "job")
    assert (job.look(), status(store)) == (None, "drained")
    Registry(store, "p").put("a", {"state": "present"})
    assert job.look() == ["a"]
    Registry(store, "p").put("a", {"state": "drained"})
    assert status(store) == "leased"
    release(store, "job")
    assert status(store) == "drained"


def test_a_lease_becomes_a_hold(store: Store) -> None:
    register(store, "a")
    fence = taken(store, "job")["tes"][0]["fence"]
    hold = Holder(store, "p", "job", "s").hold(HOLD, 2)
    assert hold["tes"][0]["fence"] == fence + 1
    assert status(store) == "held"
    assert te_view(Pool.read(store, "p"), "a")["held"]["reason"] == "core dump"
    assert Job(store, "next").look() is None
    assert unhold(store, KEYS, "a")[0] == "core dump"
    assert status(store) == "free"


def test_a_hold_ends_by_itself(store: Store) -> None:
    register(store, "a", clean=CLEAN)
    hold_te(store, KEYS, "a", {**HOLD, "ttl": 1}, 2)
    deadline = time.monotonic() + 60
    while reaped(store) == [] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert status(store) == "dirty"


def test_a_hold_on_a_leased_te_begins_when_the_lease_ends(store: Store) -> None:
    register(store, "a")
    taken(store, "job")
    assert hold_te(store, KEYS, "a", HOLD, 2) == ("", "core dump")
    assert status(store) == "leased"
    next_job = Job(store, "next")
    release(store, "job")
    assert (status(store), next_job.look()) == ("held", None)


def test_a_person_may_hold_so_many(store: Store) -> None:
    register(store, "a", "b", "c")
    taken(store, "job", Demand("p", count=2))
    hold_te(store, KEYS, "c", HOLD, 2)
    assert reason_of(lambda: Holder(store, "p", "job", "s").hold(HOLD, 2)) == "hold_quota"
    Holder(store, "p", "job", "s").hold({**HOLD, "person": "bob"}, 2)


class Quick(Cleaning):
    """A cleaning that is over at once."""

    def __init__(self, done: bool | None) -> None:
        self.done = done
        self.stopped = False

    def poll(self) -> bool | None:
        return self.done

    def stop(self) -> None:
        self.stopped = True


def test_one_who_waits_cleans_what_is_dirty(store: Store) -> None:
    register(store, "a", clean=CLEAN)
    taken(store, "first")
    release(store, "first")
    assert status(store) == "dirty"
    job = Job(store, "second")
    started: list[t.Any] = []

    def cleaner(lease: dict[str, t.Any]) -> Cleaning:
        started.append(lease)
        return Quick(True)

    cleanup = Cleanup(job.client, cleaner)
    assert job.wait.look(cleanup) is None
    assert status(store) == "cleaning"
    assert (started[0]["kind"], started[0]["tes"][0]["fence"]) == ("cleaning", 2)
    job.wait.look(cleanup)
    assert job.look() == ["a"]
    assert Pool.read(store, "p").tes["a"]["fence"] == 3


def test_a_te_that_cannot_be_cleaned_is_broken_and_repaired_by_draining(store: Store) -> None:
    register(store, "a", clean=CLEAN)
    taken(store, "first")
    release(store, "first")
    job = Job(store, "second")
    cleanup = Cleanup(job.client, lambda _lease: Quick(False))
    for _number in range(4):
        job.wait.look(cleanup)
    assert status(store) == "broken"
    assert (
        "2 attempts" in str(te_view(Pool.read(store, "p"), "a"))
        or Pool.read(store, "p").tes["a"]["failures"] == 2
    )
    Registry(store, "p").put("a", {"state": "drained"})
    Registry(store, "p").put("a", {"state": "present"})
    assert status(store) == "dirty"


def test_a_cleaning_that_is_stopped_leaves_the_te_dirty(store: Store) -> None:
    register(store, "a", clean=CLEAN)
    taken(store, "first")
    release(store, "first")
    job, quick = Job(store, "second"), Quick(None)
    cleanup = Cleanup(job.client, lambda _lease: quick)
    job.wait.look(cleanup)
    cleanup.stop()
    assert quick.stopped
    te = Pool.read(store, "p").tes["a"]
    assert (te["phase"], te["failures"]) == ("dirty", 0)


def test_tes_whose_guards_fail_are_broken_in_the_end(store: Store) -> None:
    register(store, "a")
    for number in range(3):
        taken(store, f"job{number}")
        Holder(store, "p", f"job{number}", "s").fail(["a"])
    assert status(store) == "broken"
    assert Job(store, "later").look() is None


def test_the_secret_is_nowhere(store: Store, tmp_path: t.Any) -> None:
    secret = new_secret()
    assert len(bytes.fromhex(secret)) == 16
    register(store, "a")
    taken(store, "first")
    Holder(store, "p", "first", "s").release()
    lease = taken(store, "second")
    assert hashed("s") not in json.dumps(lease_view(lease, 0))
    assert wanted("x", secret)["secret_sha256"] == hashed(secret)


@pytest.mark.parametrize("variable", ["ansible_password", "ansible_become_pass", "api_token", "x_secret"])
def test_secrets_are_not_registered(store: Store, variable: str) -> None:
    assert reason_of(lambda: register(store, "a", hosts={"one": {variable: "x"}})) == "secret_in_hosts"
    register(store, "a", hosts={"one": {"ansible_private_key_file": "/k", "ansible_ssh_pass_file": "/p"}})


def test_a_host_serves_one_te(store: Store) -> None:
    register(store, "a", hosts={"one": {}})
    assert reason_of(lambda: register(store, "b", hosts={"one": {}})) == "host_taken"
    Registry(store, "p").put("a", {"hosts": {"two": {}}})
    register(store, "b", hosts={"one": {}})


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\n", "-a", "a" * 64, "x" * (1 << 20)])
def test_names_cannot_leave_their_keys(store: Store, name: str) -> None:
    assert reason_of(lambda: register(store, name)) == "bad_name"
    assert reason_of(lambda: Demand(name)) == "bad_name"
    assert reason_of(lambda: Demand("p", name=name)) == "bad_name"


@pytest.mark.parametrize("labels", [{"a\nb": "x"}, {"": "x"}, {"a": "x" * (1 << 20)}, {"a": "\x00"}])
def test_labels_are_short_and_printable(store: Store, labels: dict[str, str]) -> None:
    assert reason_of(lambda: register(store, "a", labels=labels)) == "bad_options"


def test_what_one_lost_while_it_stood_still_is_not_taken_for_what_it_has_now(store: Store) -> None:
    register(store, "a", "b")
    for job in ("one", "two"):
        taken(store, job)
    slow = Job(store, "slow")
    release(store, "one")
    store.end(slow.client.session)  # As if it had stood still.
    assert slow.look() is None
    release(store, "two")
    assert slow.look() is not None
    lost = reaped(store)
    assert len(lost) == 1
    assert sorted(status(store, name) for name in ("a", "b")) == ["free", "leased"]
