# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A day of runs on a simulated clock and a real store: one process does what each run's would do.

Whoever waits is not asked to: a grant is seen right after the release that made it, and each waiter looks for
itself and grows older every five minutes. So nothing here is faster than it is with a process for each run.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import random
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Key, Store, open_store
from ansible_collections.distrogate.ci.tests.tools.lease_client import Lease, Turn
from ansible_collections.distrogate.ci.tests.tools.wrapped_store import WrappedStore

POOL = "day"
DAY = 86400.0
LOOK = 300.0
TES = {f"te{number:02d}": {"size": "large" if number % 5 < 2 else "small"} for number in range(50)}
PRIORITIES = {10: "gate", 0: "check"}
_NIGHT, _EVENING, _WORK = 0.6, 1.0, 1.45  # how much arrives in an hour
PEAK = (8, 18)


@dataclasses.dataclass
class Run:
    """One run; times in seconds of the simulated day."""

    arrival: float
    duration: float
    priority: int
    count: int
    where: str
    begin: float = -1.0
    turn: Turn | None = None
    lease: Lease = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Result:
    runs: list[Run]
    lost: list[str]  # TEs that are not free in the end
    left: int  # waiters and leases in the end
    seconds: float  # that the simulation took

    def waits(self, priority: int) -> list[float]:
        return [run.begin - run.arrival for run in self.runs if run.priority == priority]

    def utilisation(self, begin: float, end: float) -> float:
        """The share of the TEs' time that was leased."""
        busy = sum(
            run.count * max(0.0, min(end, run.begin + run.duration) - max(begin, run.begin))
            for run in self.runs
        )
        return busy / (len(TES) * (end - begin))


def arrivals(number: int, seed: int) -> list[Run]:
    """Most of them at work; a check asks for one TE, or two, of any size or large ones."""
    dice = random.Random(seed)
    hours = dice.choices(range(24), weights=[_weight(hour) for hour in range(24)], k=number)
    times = sorted(hour * 3600 + dice.uniform(0, 3600) for hour in hours)
    return [
        Run(
            at,
            min(dice.lognormvariate(7.09, 0.5), 4 * 3600),  # a median of 20 minutes
            10 if dice.random() < 0.4 else 0,
            2 if dice.random() < 0.1 else 1,
            "size == large" if dice.random() < 0.3 else "",
        )
        for at in times
    ]


def _weight(hour: int) -> float:
    if PEAK[0] <= hour < PEAK[1]:
        return _WORK
    return _EVENING if 6 <= hour < 22 else _NIGHT


class _Clock(WrappedStore):
    """A store whose clock is the simulation's; its sessions are not."""

    time = 0.0

    def now(self) -> float:
        return self.time


class Day:
    """The simulation."""

    def __init__(self, store: Store) -> None:
        self._store = _Clock(store)
        self._order = itertools.count()
        self._events: list[tuple[float, int, t.Callable[[Run], None], Run]] = []
        self._waiting: dict[str, Run] = {}  # by the key of the note that would tell of its grant

    def simulate(self, runs: list[Run]) -> Result:
        began = time.monotonic()
        Turn.register_all(self._store, POOL, TES)
        for run in runs:
            self._at(run.arrival, self._arrive, run)
        while self._events:
            self._store.time, _number, do, run = heapq.heappop(self._events)
            do(run)
        pool = Turn.look_at(self._store, POOL)
        lost = [name for name, te in pool.tes.items() if te["phase"] != "free"]
        left = len(pool.waiters) + len(pool.leases)
        return Result(runs, lost, left, time.monotonic() - began)

    def _at(self, when: float, do: t.Callable[[Run], None], run: Run) -> None:
        heapq.heappush(self._events, (when, next(self._order), do, run))

    def _arrive(self, run: Run) -> None:
        run.turn = Turn(self._store, POOL, run.count, run.where, run.priority)
        lease = run.turn.begin()
        if lease is not None:
            self._granted(run, lease)
            return
        self._waiting[run.turn.note] = run
        self._at(self._store.time + LOOK, self._look, run)
        self._notice()

    def _look(self, run: Run) -> None:
        """What a waiter does by itself."""
        if run.turn is None or run.turn.note not in self._waiting:
            return
        run.turn.look(self._store.time - run.arrival)
        self._notice()
        if run.turn.note in self._waiting:
            self._at(self._store.time + LOOK, self._look, run)

    def _end(self, run: Run) -> None:
        if run.turn is not None:
            run.turn.release(run.lease)
            run.turn.close()
        self._notice()

    def _notice(self) -> None:
        """See who was granted a lease."""
        notes = list(self._waiting)
        for note, found in zip(notes, self._store.read([Key(note) for note in notes])):
            if found:
                self._granted(self._waiting.pop(note), found[0].value["lease"])

    def _granted(self, run: Run, lease: Lease) -> None:
        run.begin, run.lease = self._store.time, lease
        self._at(run.begin + run.duration, self._end, run)


def day(url: str, number: int, seed: int = 1) -> Result:
    with open_store(url) as store:
        return Day(store).simulate(arrivals(number, seed))
