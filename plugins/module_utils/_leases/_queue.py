# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for TEs and being granted them."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Delete,
    Put,
    Store,
    until_written,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._model import (
    Demand,
    Pool,
    pool_key,
    waiter_prefix,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._views import obstacles

HEARTBEAT_TTL = 20.0
_TICKETS = "counter/te_ticket"


class Place:
    """A place in a pool's queue: taken, kept by heartbeats, and given up or turned into a lease."""

    def __init__(
        self, store: Store, demand: Demand, owner: dict[str, t.Any], heartbeat_ttl: float = HEARTBEAT_TTL
    ) -> None:
        self.store = store
        self.demand = demand
        self.owner = owner
        self.heartbeat_ttl = heartbeat_ttl
        self.since = store.now()
        self.beaten = 0.0
        self.key = ""
        self._revision = 0
        self._value: dict[str, t.Any] = {}

    def take(self) -> None:
        """Stand at the end of the queue for this priority."""

        def attempt() -> int | None:
            counter = self.store.get(_TICKETS)
            ticket = (counter.value if counter else 0) + 1
            self.key = f"{waiter_prefix(self.demand.pool)}{self.demand.rank}/{ticket:012d}"
            self._value = {
                "pool": self.demand.pool,
                "priority": self.demand.priority,
                "ticket": ticket,
                "count": self.demand.count,
                "name": self.demand.name,
                "labels": self.demand.labels,
                "owner": self.owner,
                "since": self.since,
            }
            expected = {_TICKETS: counter.revision if counter else 0, self.key: 0}
            # Ticket and place at once: whoever has the smaller ticket is already seen by the next.
            return self.store.transact(expected, [Put(_TICKETS, ticket), self._put()])

        self._revision = until_written(attempt, attempts=1000)
        self.beaten = self.store.now()

    def beat(self) -> bool:
        """Refresh the place when half its time is over; False when it was lost (we slept too long)."""
        if self.store.now() - self.beaten < self.heartbeat_ttl / 2:
            return True
        written = self.store.transact({self.key: self._revision}, [self._put()])
        self._revision, self.beaten = written or 0, self.store.now()
        return written is not None

    def leave(self) -> None:
        """Give the place up, and wake those behind it."""
        left = pool_key(self.demand.pool, "left")
        self.store.transact({}, [Delete(self.key), Put(left, self._value["ticket"])])

    def try_grant(self, pool: Pool, lease: dict[str, t.Any], ttl: float) -> dict[str, t.Any] | None:
        """Turn the place into the lease, if it is our turn in ``pool`` and nothing changed since.

        ``lease`` holds ``id``, ``owner`` and ``secret_sha256``. Returns it completed, or None.
        """
        names = pool.choose(self.demand, self.key)
        if names is None:
            return None
        now = self.store.now()
        granted = {
            **lease,
            "pool": pool.name,
            "ttl": ttl,
            "granted": now,
            "expires": now + ttl,
            "queue_seconds": round(now - self.since, 3),
            "tes": [granted_te(pool, name) for name in names],
        }
        expected = {self.key: self._revision, pool_key(pool.name, "lease", lease["id"]): 0}
        operations: list[Put | Delete] = [Delete(self.key)]
        for te in granted["tes"]:
            name = te["name"]
            entry, fence = pool.tes[name], pool.fences.get(name)
            fence_key = pool_key(pool.name, "fence", name)
            expected.update({entry.key: entry.revision, fence_key: fence.revision if fence else 0})
            expected[pool_key(pool.name, "hold", name)] = 0
            if entry.value["lease"]:
                # Expired when we looked: a renewal since then must win.
                expected[pool_key(pool.name, "lease", entry.value["lease"])] = 0
            # From now on it is dirty for whoever comes next, however this lease ends.
            operations.append(Put(entry.key, {**entry.value, "lease": lease["id"], "needs_clean": True}))
            operations.append(Put(fence_key, te["fence"]))
        operations.append(Put(pool_key(pool.name, "lease", lease["id"]), granted, ttl))
        return granted if self.store.transact(expected, operations) is not None else None

    def _put(self) -> Put:
        return Put(self.key, self._value, self.heartbeat_ttl)


def granted_te(pool: Pool, name: str) -> dict[str, t.Any]:
    """What a grant of this TE gives."""
    te = pool.tes[name].value
    fence = pool.fences[name].value if name in pool.fences else 0
    return {
        "name": name,
        "pool": pool.name,
        "labels": te["labels"],
        "hosts": te["hosts"],
        "clean": te["clean"],
        "dirty": te["needs_clean"],
        "fence": fence + 1,
    }


def check_possible(pool: Pool, demand: Demand) -> None:
    """Refuse what the pool could not give even if all its TEs were free."""
    found = len(pool.matching(demand))
    if found < demand.count:
        raise DistrogateError(
            "te_unknown",
            f"Asked for {demand}, but the pool has {found} such TEs."
            " Register more with te, or ask for others.",
        )


def timed_out(pool: Pool, demand: Demand, waiter_key: str, timeout: float) -> DistrogateError:
    """The error that says for whom we waited."""
    lines = obstacles(pool, demand, waiter_key)
    return DistrogateError(
        "lease_timeout",
        f"Waited {timeout:g} s for {demand}, in vain: {'; '.join(lines)}."
        " Raise timeout, add TEs, or release one.",
        position=pool.position(waiter_key) + 1,
        obstacles=lines,
    )
