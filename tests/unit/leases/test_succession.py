# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release hands on to whom the grant named, unless the line is another one by now."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete, Store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holder import Holder
from ansible_collections.distrogate.ci.plugins.module_utils._leases._pool import Pool
from ansible_collections.distrogate.ci.plugins.module_utils._leases._registry import Registry
from ansible_collections.distrogate.ci.tests.tools.wrapped_store import CountingStore
from ansible_collections.distrogate.ci.tests.unit.leases.steps import POOL, Job, register, release, taken


class Line:
    """One TE, leased; three who wait for it; ``first`` has just been granted it."""

    def __init__(self, store: Store) -> None:
        self.store = CountingStore(store)
        register(store, "a")
        taken(store, "now")
        self.jobs = {name: Job(self.store, name) for name in ("first", "second", "third")}
        release(store, "now")
        self.look("first")

    def look(self, name: str) -> bool:
        """Whether it has the TE; it learns who comes after."""
        return self.jobs[name].look() is not None

    def release(self, name: str) -> int:
        """How often the store was read for that."""
        client = self.jobs[name].client
        assert client.server.noted is not None
        lease = client.server.noted.value["lease"]
        before = self.store.counts["read"]
        Holder.of(lease, "s", client.server).release()
        return self.store.counts["read"] - before

    def holder(self) -> t.Any:
        lease = Pool.read(self.store, "p").lease_of("a")
        return lease and lease["owner"]["job"]


def test_the_next_one_is_known(store: Store) -> None:
    line = Line(store)
    assert line.release("first") == 0
    assert line.look("second")
    assert line.release("second") == 0
    assert line.holder() == "third"


def test_a_more_urgent_newcomer_is_not_passed_over(store: Store) -> None:
    line = Line(store)
    line.jobs["gate"] = Job(line.store, "gate", Demand("p", priority=10))
    assert line.release("first") > 0
    assert line.holder() == "gate"


def test_one_who_left_is_passed_over(store: Store) -> None:
    line = Line(store)
    line.jobs["second"].wait.leave()
    line.release("first")
    assert line.holder() == "third"


def test_a_te_that_changed_is_read_again(store: Store) -> None:
    line = Line(store)
    Registry(store, "p").put("a", {"state": "drained"})
    line.release("first")
    assert line.holder() is None
    assert Pool.read(store, "p").status("a") == "drained"


def test_an_empty_group_may_get_a_more_urgent_first_and_so_says_nothing(store: Store) -> None:
    register(store, "a")
    taken(store, "now")
    gate = Job(store, "gate", Demand("p", priority=10))
    store.transact({}, [Delete(gate.wait.key)])  # It died; its group is there still.
    jobs = {name: Job(store, name) for name in ("first", "second")}
    release(store, "now")
    assert jobs["first"].look() is not None
    late = Job(store, "late", Demand("p", priority=10))
    Holder.of(jobs["first"].client.server.noted.value["lease"], "s", jobs["first"].client.server).release()  # type: ignore[union-attr]
    assert (late.look(), jobs["second"].look()) == (["a"], None)


def test_a_lease_that_was_renewed_is_read_again(store: Store) -> None:
    line = Line(store)
    server = line.jobs["first"].client.server
    assert server.noted is not None
    holder = Holder.of(server.noted.value["lease"], "s", server)
    holder.renew(60)
    holder.release()
    assert line.holder() == "second"


def test_a_set_in_the_line_says_nothing_of_those_behind_it(store: Store) -> None:
    register(store, "a", "b")
    taken(store, "now", Demand("p", name="a"))
    taken(store, "other", Demand("p", name="b"))
    first = Job(store, "first", POOL)
    pair = Job(store, "pair", Demand("p", count=2))
    last = Job(store, "last", POOL)
    release(store, "now")
    assert first.look() == ["a"]
    server = first.client.server
    assert server.noted is not None
    Holder.of(server.noted.value["lease"], "s", server).release()
    assert (last.look(), pair.look()) == (None, None)
    release(store, "other")
    assert pair.look() == ["a", "b"]
