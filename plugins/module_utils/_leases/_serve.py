# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handing TEs out: whoever sets one free gives it to the first in the line.

Nobody decides alone: every grant is one transaction that compares the waiter
and each TE with what was read. Those who come later than that reading are
younger than the one it chose, so the order holds without a lock.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Delete,
    Entry,
    Key,
    Put,
    Range,
    Store,
    until_written,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._classes import fillable, matching
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import EPOCH, Keys, note
from ansible_collections.distrogate.ci.plugins.module_utils._leases._line import (
    Groups,
    Line,
    Waiter,
    before,
    first,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._remembered import Remembered
from ansible_collections.distrogate.ci.plugins.module_utils._leases._succession import Succession
from ansible_collections.distrogate.ci.plugins.module_utils._leases._te import (
    Operations,
    Te,
    grantable,
    leased,
    write,
)

TERM = 20.0  # Seconds that one who waits, and a lease's first term, live without a sign.
GIVEN = ("name", "labels", "hosts", "clean", "guards", "fence")


def new_lease(
    pool: str, place: dict[str, t.Any], tes: t.Iterable[Te], now: float, kind: str = "run"
) -> dict[str, t.Any]:
    """A lease for whoever has ``place`` (``lease``, ``client``, ``owner``, ``secret_sha256``, ``since``)."""
    return {
        "id": place["lease"],
        "kind": kind,
        "pool": pool,
        "client": place["client"],
        "owner": place["owner"],
        "secret_sha256": place["secret_sha256"],
        "came": place["came"],
        "ttl": TERM,
        "granted": now,
        "queue_seconds": round(max(0.0, now - place["since"]), 3),
        "tes": [{"pool": pool, **{key: te[key] for key in GIVEN}} for te in tes],
    }


class Server:
    """Hands out the TEs of one pool."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store = store
        self.keys = keys
        self.line = Line(store, keys)
        self.classes = Remembered(store, keys.classes)
        self.noted: Entry | None = None  # The last note of a grant that our client had.

    def serve(self, name: str, klass: str) -> bool:
        """Give a free TE to the first in the line; False when nobody may have it now."""

        def attempt() -> bool | None:
            queries = [Key(self.keys.te(name)), Key(EPOCH)]
            (found, epochs), groups = self.line.read(klass, queries)
            if not found or not grantable(found[0].value):
                return False
            heads = groups.heads(found_by(found[0].value), klass)
            waiter, tes = self.choose(heads, groups, found[0])
            if waiter is None:
                return False
            return True if self.grant_waiter(waiter, tes, epoch_of(epochs)) else None

        return until_written(attempt)

    def choose(self, heads: list[Waiter], groups: Groups, te: Entry) -> tuple[Waiter | None, list[Entry]]:
        """Who gets ``te``, and what else with it; nobody while it is kept for a set that is not complete."""
        while heads:
            waiter = first(heads)
            if waiter is None or waiter.demand.count == 1:
                return waiter, [te]
            classes = self.classes.complete(self.store.read([self.classes.query])[0])
            if fillable(self.keys, classes, waiter.demand, None):
                tes = self._assembled(waiter, groups, classes)
                return (waiter, tes) if tes else (None, [])
            heads = [head for head in heads if head is not waiter]
        return None, []

    def grant(
        self,
        place: dict[str, t.Any],
        tes: list[Entry],
        epoch: int,
        expected: t.Mapping[str, int],
        operations: t.Sequence[Put | Delete],
        *,
        after: Succession | None = None,
        unmade: t.Mapping[str, int] | None = None,
    ) -> dict[str, t.Any] | None:
        """Give ``tes`` to whoever has ``place``, along with ``operations``; None when something changed.

        They are free, or the operations end the lease on them.
        """
        states = [leased(entry.value, place["lease"], epoch) for entry in tes]
        lease = new_lease(self.keys.pool, place, states, self.store.now())
        written: Operations = [*operations]
        for entry, te in zip(tes, states):
            written += write(self.keys, entry.value, te)
        written.append(Put(self.keys.lease(lease["id"]), lease, session=place["session"]))
        told = {"lease": lease, "after": None}
        if after is not None and after.waiters:
            told["after"] = dataclasses.replace(after, te=states[0]).value()
        written.append(Put(note(place["client"]), told, session=place["session"]))
        compared = {**{entry.key: entry.revision for entry in tes}, **expected}
        return lease if self.store.transact(compared, written, unmade) is not None else None

    def grant_waiter(
        self,
        waiter: Waiter,
        tes: list[Entry],
        epoch: int,
        expected: t.Mapping[str, int] | None = None,
        operations: t.Sequence[Put | Delete] = (),
        *,
        after: Succession | None = None,
        unmade: t.Mapping[str, int] | None = None,
    ) -> dict[str, t.Any] | None:
        """Turn a place in the line into a lease; None when something changed."""
        entry = waiter.entry
        compared = {entry.key: entry.revision, **(expected or {})}
        place = {**entry.value, "came": waiter.came}
        written = [*operations, Delete(entry.key)]
        return self.grant(place, tes, epoch, compared, written, after=after, unmade=unmade)

    def _assembled(self, waiter: Waiter, groups: Groups, classes: list[Entry]) -> list[Entry]:
        """The set for a waiter, of what is free and nobody before it could use; empty if incomplete."""
        heads = groups.heads(_all)
        ahead = [
            head.demand
            for head in heads
            if before(head, waiter) and fillable(self.keys, classes, head.demand, self._named(head.demand))
        ]
        slack = sum(1 for demand in ahead if demand.name is not None)
        found: list[Entry] = []
        for klass in matching(self.keys, classes, waiter.demand):
            limit = waiter.demand.count - len(found) + slack
            free = self.store.read([Range(self.keys.free(klass), limit)])[0]
            names = [entry.key.rpartition("/")[2] for entry in free]
            tes = self.store.read([Key(self.keys.te(name)) for name in names]) if names else []
            for entry in (entries[0] for entries in tes if entries):
                kept = any(demand.matches(entry.value) for demand in ahead)
                if not kept and grantable(entry.value) and len(found) < waiter.demand.count:
                    found.append(entry)
            if len(found) == waiter.demand.count:
                return found
        return []

    def _named(self, demand: Demand) -> Te | None:
        entry = self.store.get(self.keys.te(demand.name)) if demand.name is not None else None
        return None if entry is None else t.cast("Te", entry.value)


def epoch_of(found: list[Entry]) -> int:
    return int(found[0].value) if found else 0


def found_by(te: Te) -> t.Callable[[Demand], bool]:
    """Whether a demand could use this TE."""

    def wanted(demand: Demand) -> bool:
        return demand.matches(te)

    return wanted


def _all(_demand: Demand) -> bool:
    return True
