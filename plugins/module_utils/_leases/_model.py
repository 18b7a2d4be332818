# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a pool looks like in the store, and the rule of who may have which TE.

Keys::

    te/<pool>/te/<name>        the TE: labels, hosts, clean, state, needs_clean, lease (the last one's id)
    te/<pool>/fence/<name>     its fence; it outlives the TE, so that it only rises
    te/<pool>/lease/<id>       a living lease; the entry expires with the lease
    te/<pool>/hold/<name>      the TE is held back from everyone; expires too
    te/<pool>/left             written when a waiter gives up, to wake those behind it
    waiter/<pool>/<rank>/<ticket>   who waits; expires unless its process refreshes it
    counter/te_ticket          the last ticket

Waiters lie apart, so that their heartbeats do not wake those who watch the pool.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Entry, Store

MAXIMUM_PRIORITY = 999
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}\Z")


def checked_name(name: str, what: str) -> str:
    """A pool's or TE's name, which becomes a part of keys."""
    if not _NAME.match(name):
        raise DistrogateError(
            "bad_name", f"{name!r} is not a {what}'s name: use letters, digits, '.', '_' and '-', at most 63."
        )
    return name


def pool_key(pool: str, *parts: str) -> str:
    """A key of the pool; without parts, the prefix of all of them."""
    return f"te/{checked_name(pool, 'pool')}/" + "/".join(parts)


def waiter_prefix(pool: str) -> str:
    return f"waiter/{checked_name(pool, 'pool')}/"


@dataclasses.dataclass(frozen=True)
class Demand:
    """What someone asks for: ``count`` TEs of a pool that match, all at once or none."""

    pool: str
    count: int = 1
    name: str | None = None
    labels: dict[str, str] = dataclasses.field(default_factory=dict)
    priority: int = 0

    def __post_init__(self) -> None:
        checked_name(self.pool, "pool")
        if self.count < 1 or abs(self.priority) > MAXIMUM_PRIORITY or (self.name and self.count > 1):
            raise DistrogateError(
                "bad_options",
                "count is at least 1 (exactly 1 with a name),"
                f" priority from -{MAXIMUM_PRIORITY} to {MAXIMUM_PRIORITY}.",
            )

    @property
    def rank(self) -> str:
        """Sorts higher priorities first."""
        return f"{MAXIMUM_PRIORITY - self.priority:04d}"

    def matches(self, te: dict[str, t.Any]) -> bool:
        labels = te["labels"]
        return (self.name is None or te["name"] == self.name) and all(
            key in labels and labels[key] == value for key, value in self.labels.items()
        )

    def __str__(self) -> str:
        wanted = [f"named {self.name}"] if self.name else []
        wanted += [f"{key}={value}" for key, value in sorted(self.labels.items())]
        return f"{self.count} of pool {self.pool}" + (f" ({', '.join(wanted)})" if wanted else "")

    @classmethod
    def of_waiter(cls, value: dict[str, t.Any]) -> Demand:
        return cls(value["pool"], value["count"], value["name"], value["labels"], value["priority"])


@dataclasses.dataclass(frozen=True)
class Pool:
    """One consistent view of a pool."""

    name: str
    tes: dict[str, Entry]
    fences: dict[str, Entry]
    leases: dict[str, Entry]
    holds: dict[str, Entry]
    waiters: list[Entry]

    @classmethod
    def read(cls, store: Store, name: str) -> Pool:
        """Read a pool: everything but its waiters is of one revision.

        The waiters are read first: one that is granted in between makes us
        cautious, never bold; it also changes the pool, which wakes us again.
        """
        waiters = store.list(waiter_prefix(name))
        prefix = pool_key(name)
        kinds: dict[str, dict[str, Entry]] = {"te": {}, "fence": {}, "lease": {}, "hold": {}}
        for entry in store.list(prefix):
            kind, _slash, item = entry.key[len(prefix) :].partition("/")
            if kind in kinds:
                kinds[kind][item] = entry
        return cls(name, kinds["te"], kinds["fence"], kinds["lease"], kinds["hold"], waiters)

    def lease_of(self, name: str) -> dict[str, t.Any] | None:
        """The living lease on a TE."""
        entry = self.leases.get(self.tes[name].value["lease"] or "")
        return None if entry is None else t.cast("dict[str, t.Any]", entry.value)

    def status(self, name: str) -> str:
        """``leased``, ``held``, ``drained`` or ``free``: the first that is so."""
        if self.lease_of(name) is not None:
            return "leased"
        if name in self.holds:
            return "held"
        return "drained" if self.tes[name].value["state"] == "drained" else "free"

    def matching(self, demand: Demand) -> list[str]:
        """All registered TEs that the demand names, whatever their status."""
        return [name for name, entry in sorted(self.tes.items()) if demand.matches(entry.value)]

    def position(self, waiter_key: str) -> int:
        """How many waiters stand before this one."""
        return sum(1 for waiter in self.waiters if waiter.key < waiter_key)

    def reserved(self, waiter_key: str) -> set[str]:
        """What those before this waiter could use, alone or as part of their set.

        A set that the pool cannot ever fill reserves nothing: it would stop
        everyone behind it for nothing.
        """
        taken: set[str] = set()
        for waiter in self.waiters:
            if waiter.key >= waiter_key:
                break
            demand = Demand.of_waiter(waiter.value)
            usable = [name for name in self.matching(demand) if self.tes[name].value["state"] == "present"]
            if len(usable) >= demand.count:
                taken.update(usable)
        return taken

    def choose(self, demand: Demand, waiter_key: str) -> list[str] | None:
        """The TEs that this waiter may have now, or None: all that it asks for, or none."""
        reserved = self.reserved(waiter_key)
        free = [
            name for name in self.matching(demand) if self.status(name) == "free" and name not in reserved
        ]
        # Clean ones first: they are ready sooner.
        free.sort(key=lambda name: (self.tes[name].value["needs_clean"], name))
        return sorted(free[: demand.count]) if len(free) >= demand.count else None


def who(owner: t.Mapping[str, t.Any]) -> str:
    """An owner in a few words."""
    words = [f"{key} {owner[key]}" for key in ("job", "change", "url") if owner.get(key)]
    words = words or [f"{key} {value}" for key, value in sorted(owner.items()) if value]
    return ", ".join(words) or "an unnamed owner"
