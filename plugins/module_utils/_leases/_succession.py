# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who comes after: what a grant tells its owner, so that the release may hand on without asking.

It holds as long as the line is what it was: each of those who come after is
compared when it is granted the TE, those who came later stand behind it, and
no group may have been made since, since its first might be more urgent.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Entry
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import EPOCH, Keys
from ansible_collections.distrogate.ci.plugins.module_utils._leases._line import Waiter, first
from ansible_collections.distrogate.ci.plugins.module_utils._leases._te import Te

AHEAD = 4  # How many who come after are told: each is a few hundred bytes.


@dataclasses.dataclass(frozen=True)
class Succession:
    """Those who come after for one TE, in order, as the line was at ``seen``."""

    te: Te
    seen: int
    epoch: tuple[int, int]  # Its value and its revision.
    waiters: list[Waiter]

    def value(self) -> dict[str, t.Any]:
        """As it stands in a note."""
        waiters = [
            [entry.key, entry.value, entry.revision, entry.created, waiter.demand.value()]
            for waiter in self.waiters
            for entry in [waiter.entry]
        ]
        return {"te": self.te, "seen": self.seen, "epoch": list(self.epoch), "waiters": waiters}

    @classmethod
    def of(cls, pool: str, value: dict[str, t.Any]) -> Succession:
        """From a note."""
        waiters = [
            Waiter(Entry(key, place, revision, created), Demand.of(pool, demand))
            for key, place, revision, created, demand in value["waiters"]
        ]
        return cls(value["te"], value["seen"], (value["epoch"][0], value["epoch"][1]), waiters)

    def expected(self, keys: Keys) -> tuple[dict[str, int], dict[str, int]]:
        """What must be as it was, and below which prefix nothing may have been made since."""
        return {EPOCH: self.epoch[1]}, {keys.groups: self.seen}


def in_order(groups: t.Sequence[t.Sequence[Waiter]], taken: Waiter) -> list[Waiter]:
    """Those who come after ``taken``, out of the first few of each group, as far as that is certain."""
    if not all(groups):
        return []  # One that was empty may have got a first since, and we would not know.
    left = [[waiter for waiter in group if waiter is not taken] for group in groups]
    found: list[Waiter] = []
    while len(found) < AHEAD and all(left):
        head = first(group[0] for group in left)
        if head is None or head.demand.count > 1:
            break
        found.append(head)
        left = [group[1:] if group[0] is head else group for group in left]
    return found
