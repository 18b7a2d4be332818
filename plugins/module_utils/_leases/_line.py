# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Those who wait, and who among them is first.

Those who ask for the same wait in one group, where the one that came first is
the head. Only heads are ever read, so it costs nothing how long a group is.
Who came first is told by the store's revisions, and by no clock.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Delete,
    Entry,
    Key,
    Range,
    Store,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import Keys
from ansible_collections.distrogate.ci.plugins.module_utils._leases._remembered import Remembered

# A waiter gains one step of priority in this time: a check at 0 passes newer gates at 10 after 50 minutes.
AGEING_SECONDS = 300.0
_REMEMBERED = 10_000
_SEEN = 5  # So many of a group are read: the first, and those who come after.


@dataclasses.dataclass(frozen=True)
class Waiter:
    """One who waits, as the store has it."""

    entry: Entry
    demand: Demand

    @property
    def came(self) -> int:
        """The revision at which it came; one that was sent back to its place keeps that."""
        return int(self.entry.value["came"] or self.entry.created)

    @property
    def rank(self) -> tuple[int, int]:
        """Sorts those of different priorities: the more urgent first, then the older."""
        return (-(self.demand.priority + self.entry.value["aged"]), self.came)


def before(one: Waiter, other: Waiter) -> bool:
    """Whether ``one`` is served first. Within a priority nothing counts but who came first."""
    if one.demand.priority == other.demand.priority:
        return one.came < other.came
    return one.rank < other.rank


def first(waiters: t.Iterable[Waiter]) -> Waiter | None:
    """Who is served first.

    One of each priority first: ageing is noted now and then only, and must not
    turn the order within a priority round.
    """
    oldest: dict[int, Waiter] = {}
    for waiter in waiters:
        other = oldest.get(waiter.demand.priority)
        if other is None or waiter.came < other.came:
            oldest[waiter.demand.priority] = waiter
    return min(oldest.values(), key=_rank, default=None)


def _rank(waiter: Waiter) -> tuple[int, int]:
    return waiter.rank


class Line:
    """Reads the groups of a pool and their heads, in as few requests as will do.

    It remembers which groups concerned a class of TEs last time, and reads
    their heads along with the list of groups: mostly that is all.
    """

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store = store
        self.keys = keys
        self._known: dict[str, list[str]] = {}
        self._demands: dict[str, Demand] = {}
        self._groups = Remembered(store, keys.groups, constant=True)

    def read(
        self, klass: str, queries: t.Sequence[Key | Range], fresh: bool = True
    ) -> tuple[list[list[Entry]], Groups]:
        """Answer ``queries``, and see the groups, at one revision."""
        known = self._known.get(klass, [])
        heads: list[Key | Range] = [self._head(group) for group in known]
        answers = self.store.read([*queries, self._groups.query, *heads], fresh)
        groups = Groups(self, self._groups.complete(answers[len(queries)]), answers.revision)
        for group, found in zip(known, answers[len(queries) + 1 :]):
            groups.note(group, found)
        return answers[: len(queries)], groups

    def demand(self, group: str, entry: Entry) -> Demand:
        """What a group asks for, which never changes: it is named by it."""
        known = self._demands.get(group)
        if known is None:
            if len(self._demands) > _REMEMBERED:
                self._demands.clear()
            known = self._demands[group] = Demand.of(self.keys.pool, entry.value)
        return known

    def remember(self, klass: str, groups: t.Iterable[str]) -> None:
        self._known[klass] = list(groups)

    def heads(self, groups: t.Sequence[str]) -> list[list[Entry]]:
        return self.store.read([self._head(group) for group in groups]) if groups else []

    def _head(self, group: str) -> Range:
        return Range(self.keys.waiter(group), _SEEN, oldest=True)


class Groups:
    """The groups of a pool at one moment, and their heads, as far as they were read."""

    def __init__(self, line: Line, entries: t.Iterable[Entry], revision: int) -> None:
        self._line = line
        self.revision = revision
        start = len(line.keys.groups)
        self._entries = {entry.key[start:]: entry for entry in entries}
        self.demands = {group: line.demand(group, entry) for group, entry in self._entries.items()}
        self._heads: dict[str, list[Waiter]] = {}

    def note(self, group: str, found: list[Entry]) -> None:
        """The head of a group was read."""
        if group in self.demands:
            self._heads[group] = [Waiter(entry, self.demands[group]) for entry in found]

    def heads(self, wanted: t.Callable[[Demand], bool], klass: str | None = None) -> list[Waiter]:
        """The heads of the groups that are wanted; ``klass`` is what they are remembered for."""
        firsts = self.firsts(wanted, klass)
        return [waiters[0] for waiters in firsts if waiters]

    def firsts(self, wanted: t.Callable[[Demand], bool], klass: str | None = None) -> list[list[Waiter]]:
        """The first few of each of the groups that are wanted."""
        names = [group for group, demand in self.demands.items() if wanted(demand)]
        missing = [group for group in names if group not in self._heads]
        for group, found in zip(missing, self._line.heads(missing)):
            self.note(group, found)
        for group in names:
            if not self._heads[group]:
                self._forget(group)
        if klass is not None:
            self._line.remember(klass, names)
        return [self._heads[group] for group in names]

    def _forget(self, group: str) -> None:
        """Nobody waits in it any more. One who comes now writes the group again, so this does nothing."""
        entry = self._entries[group]
        self._line.store.transact({entry.key: entry.revision}, [Delete(entry.key)])
