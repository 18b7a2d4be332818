# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who gets which TE, and when: order, sets, expiry, fences, secrets."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store, open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._lease import (
    Holder,
    acquire,
    hashed,
    new_secret,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._model import Demand, Pool
from ansible_collections.distrogate.ci.plugins.module_utils._leases._queue import Place
from ansible_collections.distrogate.ci.plugins.module_utils._leases._registry import Registry
from ansible_collections.distrogate.ci.plugins.module_utils._leases._views import lease_view

POOL = Demand("p")


def _register(store: Store, *names: str, **attributes: t.Any) -> None:
    for name in names:
        Registry(store, "p").put(name, attributes)


def _lease(job: str, secret: str = "s") -> dict[str, t.Any]:
    return {"id": job, "owner": {"job": job}, "secret_sha256": hashed(secret)}


def _place(store: Store, job: str, demand: Demand = POOL, heartbeat_ttl: float = 60) -> Place:
    place = Place(store, demand, {"job": job}, heartbeat_ttl)
    place.take()
    return place


def _try(store: Store, place: Place, ttl: float = 60) -> list[str] | None:
    granted = place.try_grant(Pool.read(store, "p"), _lease(place.owner["job"]), ttl)
    return None if granted is None else [te["name"] for te in granted["tes"]]


def _release(store: Store, job: str) -> None:
    Holder(store, "p", job, "s").release()


def test_first_come_first_served_within_a_priority(store: Store) -> None:
    _register(store, "a")
    first, second = _place(store, "first"), _place(store, "second")
    assert _try(store, second) is None
    assert _try(store, first) == ["a"]
    assert _try(store, second) is None
    _release(store, "first")
    assert _try(store, second) == ["a"]


def test_a_higher_priority_goes_first(store: Store) -> None:
    _register(store, "a")
    check, gate = _place(store, "check"), _place(store, "gate", Demand("p", priority=10))
    assert _try(store, check) is None
    assert _try(store, gate) == ["a"]


def test_a_lower_priority_does_not_wait_for_what_the_higher_cannot_use(store: Store) -> None:
    _register(store, "a", labels={"arch": "amd64"})
    _register(store, "b", labels={"arch": "arm64"})
    _place(store, "gate", Demand("p", labels={"arch": "amd64"}, priority=10))
    assert _try(store, _place(store, "check")) == ["b"]


def test_all_or_none_and_the_free_part_is_kept_for_the_older_set(store: Store) -> None:
    _register(store, "a", "b")
    assert _try(store, _place(store, "one", Demand("p", name="a"))) == ["a"]
    pair = _place(store, "pair", Demand("p", count=2))
    later = _place(store, "later")
    assert _try(store, pair) is None
    assert _try(store, later) is None, "b is free, but the pair waits for it"
    _release(store, "one")
    assert _try(store, later) is None
    assert _try(store, pair) == ["a", "b"]


def test_a_set_that_can_never_be_filled_stops_nobody(store: Store) -> None:
    _register(store, "a")
    _place(store, "impossible", Demand("p", count=3))
    assert _try(store, _place(store, "later")) == ["a"]


def test_two_sets_that_overlap_do_not_deadlock(store_url: str, store: Store) -> None:
    _register(store, "a", "b", "c")
    order: list[str] = []

    def work(job: str, count: int) -> None:
        with open_store(store_url) as own:
            for number in range(5):
                name = f"{job}-{number}"
                lease = acquire(own, Demand("p", count=count), _lease(name), ttl=60, timeout=30)
                assert len(lease["tes"]) == count
                order.append(name)
                Holder(own, "p", name, "s").release()

    threads = [threading.Thread(target=work, args=arguments) for arguments in (("x", 2), ("y", 3), ("z", 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(order) == 15


def test_a_dead_waiter_vanishes(store: Store) -> None:
    _register(store, "a")
    _place(store, "dead", heartbeat_ttl=0.2)
    later = _place(store, "later")
    assert _try(store, later) is None
    time.sleep(0.3)
    assert _try(store, later) == ["a"]


def test_a_waiter_that_stood_still_loses_its_place(store: Store) -> None:
    _register(store, "a")
    place = _place(store, "slow", heartbeat_ttl=0.2)
    time.sleep(0.3)
    assert _try(store, place) is None
    assert not place.beat()
    place.take()
    assert _try(store, place) == ["a"]


def test_heartbeats_keep_a_place(store: Store) -> None:
    _register(store, "a")
    place = _place(store, "alive", heartbeat_ttl=0.3)
    for _number in range(6):
        time.sleep(0.1)
        assert place.beat()
    assert _try(store, place) == ["a"]


def test_an_expired_lease_is_taken_over_with_a_higher_fence(store: Store) -> None:
    _register(store, "a")
    first = acquire(store, POOL, _lease("first"), ttl=0.5, timeout=5)
    assert (first["tes"][0]["fence"], first["tes"][0]["dirty"]) == (1, False)
    started = time.monotonic()
    second = acquire(store, POOL, _lease("second"), ttl=60, timeout=10)
    assert time.monotonic() - started < 3
    assert (second["tes"][0]["fence"], second["tes"][0]["dirty"]) == (2, True)
    late = Holder(store, "p", "first", "s")
    for act in (late.lease, late.release, late.cleaned, lambda: late.renew(60)):
        with pytest.raises(DistrogateError) as error:
            act()
        assert error.value.reason == "lease_lost"
    assert Holder(store, "p", "second", "s").lease()["id"] == "second"


def test_a_wrong_secret_is_no_proof(store: Store) -> None:
    _register(store, "a")
    acquire(store, POOL, _lease("first"), ttl=60, timeout=0)
    with pytest.raises(DistrogateError) as error:
        Holder(store, "p", "first", "other").release()
    assert error.value.reason == "lease_lost"
    assert Pool.read(store, "p").status("a") == "leased"


def test_a_renewal_between_looking_and_granting_wins(store: Store) -> None:
    _register(store, "a")
    acquire(store, POOL, _lease("first"), ttl=60, timeout=0)
    place = _place(store, "second")
    seen = Pool.read(store, "p")
    blind = dataclasses.replace(seen, leases={})  # As if the lease had just expired.
    assert place.try_grant(blind, _lease("second"), 60) is None


def test_what_changes_between_looking_and_granting_stops_the_grant(store: Store) -> None:
    _register(store, "a", "b")
    check = _place(store, "check", Demand("p", name="a"))
    seen = Pool.read(store, "p")
    assert _try(store, _place(store, "gate", Demand("p", name="a", priority=10))) == ["a"]
    assert check.try_grant(seen, _lease("check"), 60) is None
    other = _place(store, "other", Demand("p", name="b"))
    seen = Pool.read(store, "p")
    Registry(store, "p").put("b", {"state": "drained"})
    assert other.try_grant(seen, _lease("other"), 60) is None
    Registry(store, "p").put("b", {"state": "present"})
    seen = Pool.read(store, "p")
    Registry(store, "p").hold("b", "mine", 60)
    assert other.try_grant(seen, _lease("other"), 60) is None


def test_the_fence_outlives_the_te(store: Store) -> None:
    _register(store, "a")
    acquire(store, POOL, _lease("first"), ttl=60, timeout=0)
    with pytest.raises(DistrogateError) as error:
        Registry(store, "p").remove("a")
    assert error.value.reason == "te_leased"
    assert "first" in error.value.message
    _release(store, "first")
    Registry(store, "p").remove("a")
    _register(store, "a")
    again = acquire(store, POOL, _lease("second"), ttl=60, timeout=0)
    assert (again["tes"][0]["fence"], again["tes"][0]["dirty"]) == (2, True)


def test_held_and_drained_tes_are_not_granted(store: Store) -> None:
    _register(store, "a", "b")
    Registry(store, "p").put("b", {"state": "drained"})
    Registry(store, "p").hold("a", "looking into it", 60)
    place = _place(store, "job")
    assert _try(store, place) is None
    Registry(store, "p").unhold("a")
    assert _try(store, place) == ["a"]
    Holder(store, "p", "job", "s").release("core dump", 60)
    assert Pool.read(store, "p").status("a") == "held"


def test_the_timeout_names_the_holder_and_leaves_the_queue(store: Store) -> None:
    _register(store, "a")
    acquire(store, POOL, _lease("nightly"), ttl=60, timeout=0)
    lines: list[str] = []
    with pytest.raises(DistrogateError) as error:
        acquire(store, POOL, _lease("second"), ttl=60, timeout=0.3, progress=lines.append)
    assert error.value.reason == "lease_timeout"
    assert "job nightly" in error.value.message
    assert any("position 1" in line and "job nightly" in line for line in lines)
    assert Pool.read(store, "p").waiters == []


def test_asking_for_more_than_there_is_fails_at_once(store: Store) -> None:
    _register(store, "a")
    started = time.monotonic()
    with pytest.raises(DistrogateError) as error:
        acquire(store, Demand("p", count=2), _lease("x"), ttl=60, timeout=60)
    assert error.value.reason == "te_unknown"
    assert time.monotonic() - started < 1


def test_cleaning_is_noted_in_the_lease_alone(store: Store) -> None:
    _register(store, "a")
    acquire(store, POOL, _lease("first"), ttl=60, timeout=0)
    _release(store, "first")
    assert acquire(store, POOL, _lease("second"), ttl=60, timeout=0)["tes"][0]["dirty"]
    holder = Holder(store, "p", "second", "s")
    holder.cleaned()
    assert not holder.renew(60)["tes"][0]["dirty"]
    holder.release()
    assert acquire(store, POOL, _lease("third"), ttl=60, timeout=0)["tes"][0]["dirty"]


def test_the_secret_is_nowhere(store: Store, tmp_path: t.Any) -> None:
    secret = new_secret()
    assert len(bytes.fromhex(secret)) == 16
    _register(store, "a")
    lease = acquire(store, POOL, _lease("first", secret), ttl=60, timeout=0)
    assert secret not in json.dumps([lease, lease_view(lease), [entry.value for entry in store.list("")]])
    assert hashed(secret) not in json.dumps(lease_view(lease))
    assert all(secret.encode() not in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("variable", ["ansible_password", "ansible_become_pass", "api_token", "x_secret"])
def test_secrets_are_not_registered(store: Store, variable: str) -> None:
    with pytest.raises(DistrogateError) as error:
        _register(store, "a", hosts={"one": {variable: "x"}})
    assert error.value.reason == "secret_in_hosts"
    _register(store, "a", hosts={"one": {"ansible_private_key_file": "/k", "ansible_ssh_pass_file": "/p"}})


def test_a_host_serves_one_te(store: Store) -> None:
    _register(store, "a", hosts={"one": {}})
    with pytest.raises(DistrogateError) as error:
        _register(store, "b", hosts={"one": {}})
    assert error.value.reason == "host_taken"


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\n", "-a", "a" * 64])
def test_names_cannot_leave_their_keys(store: Store, name: str) -> None:
    with pytest.raises(DistrogateError) as error:
        _register(store, name)
    assert error.value.reason == "bad_name"
