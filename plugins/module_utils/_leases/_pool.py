# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole of a pool at one moment: to be shown to people. Nothing is granted by it."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Range, Store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import Keys
from ansible_collections.distrogate.ci.plugins.module_utils._leases._line import Waiter, first
from ansible_collections.distrogate.ci.plugins.module_utils._leases._te import BUSY, Te

_SERVING = ("free", "leased", "dirty", "cleaning")


@dataclasses.dataclass(frozen=True)
class Pool:
    """TEs by name, living leases by id, and those who wait in the order in which they are served."""

    name: str
    tes: dict[str, Te]
    leases: dict[str, dict[str, t.Any]]
    waiters: list[Waiter]

    @classmethod
    def read(cls, store: Store, name: str) -> Pool:
        keys = Keys(name)
        tes, leases, groups, waiters = store.read(
            [Range(keys.tes), Range(keys.leases), Range(keys.groups), Range(keys.waiters)]
        )
        demands = {entry.key[len(keys.groups) :]: Demand.of(name, entry.value) for entry in groups}
        waiting = [
            Waiter(entry, demands[group])
            for entry in waiters
            if (group := entry.key[len(keys.waiters) :].partition("/")[0]) in demands
        ]
        return cls(
            name,
            {entry.value["name"]: entry.value for entry in tes},
            {entry.value["id"]: entry.value for entry in leases},
            _in_order(waiting),
        )

    def lease_of(self, name: str) -> dict[str, t.Any] | None:
        """The living lease on a TE: of a run, of a cleaning, or a hold."""
        return self.leases.get(self.tes[name]["lease"] or "")

    def status(self, name: str) -> str:
        """The phase of a TE as a person sees it: a lease that died has ended, though nobody noted it yet."""
        te = self.tes[name]
        phase = str(te["phase"])
        if phase in BUSY and self.lease_of(name) is None:
            phase = "dirty" if te["clean"] else "free"
        return "drained" if te["state"] == "drained" and phase in ("free", "dirty") else phase

    def matching(self, demand: Demand) -> list[str]:
        """All registered TEs that the demand names, whatever their status."""
        return [name for name, te in sorted(self.tes.items()) if demand.matches(te)]

    def position(self, key: str) -> int:
        """The place in the line of the waiter with this key, from 1; that of a newcomer if there is none."""
        for number, waiter in enumerate(self.waiters, 1):
            if waiter.entry.key == key:
                return number
        return len(self.waiters) + 1

    def estimate(self, key: str, demand: Demand) -> float | None:
        """How many seconds it may take until it is our turn, going by the last leases; None if unknown."""
        names = [name for name in self.matching(demand) if self.status(name) in _SERVING]
        past = [seconds for name in names for seconds in self.tes[name]["seconds"]]
        ours = set(names)
        ahead = sum(
            waiter.demand.count
            for waiter in self.waiters[: self.position(key) - 1]
            if ours & set(self.matching(waiter.demand))
        )
        rounds = -(-(ahead + demand.count) // max(1, len(names)))
        return rounds * sum(past) / len(past) if past else None


def pool_names(store: Store) -> list[str]:
    """The names of all pools that have TEs."""
    return [entry.key.partition("/")[2] for entry in store.list("pool/")]


def _in_order(waiters: list[Waiter]) -> list[Waiter]:
    """As ``first`` would take them, one after the other."""
    by_priority: dict[int, list[Waiter]] = {}
    for waiter in sorted(waiters, key=_came, reverse=True):
        by_priority.setdefault(waiter.demand.priority, []).append(waiter)
    found = []
    for _number in waiters:
        head = first(queue[-1] for queue in by_priority.values() if queue)
        if head is not None:
            found.append(by_priority[head.demand.priority].pop())
    return found


def _came(waiter: Waiter) -> int:
    return waiter.came
