# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every case once, in an order that a seed repeats, until the time is over."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import random
import tempfile
import threading
import time
import typing as t

from ansible_collections.distrogate.ci.tests.faults.kill import Subject, end_agent
from ansible_collections.distrogate.ci.tests.faults.run import Outcome
from ansible_collections.distrogate.ci.tests.faults.trace import KILL, Case

Make = t.Callable[[pathlib.Path], Subject]


@dataclasses.dataclass(frozen=True)
class Budget:
    """How long (0: to the end), in which order, from which case on, and how many at a time."""

    seconds: float = 0
    seed: int = 0
    begin: int = 0
    jobs: int = 1

    @classmethod
    def from_environment(cls, seconds: float = 0, share: int = 1) -> Budget:
        """What DISTROGATE_FAULTS_SECONDS, _SEED, _FROM and _JOBS say; the time is shared by ``share`` tests."""
        value = os.environ.get
        return cls(
            seconds=float(value("DISTROGATE_FAULTS_SECONDS") or seconds) / share,
            seed=int(value("DISTROGATE_FAULTS_SEED") or random.SystemRandom().randrange(1 << 32)),
            begin=int(value("DISTROGATE_FAULTS_FROM") or 0),
            jobs=int(value("DISTROGATE_FAULTS_JOBS") or os.cpu_count() or 1),
        )


@dataclasses.dataclass
class Tally:
    """How many cases there are, how many were tried (from ``begin`` on), and how many took effect."""

    budget: Budget
    cases: int = 0
    tried: int = 0
    effective: int = 0

    def __str__(self) -> str:
        reached = self.budget.begin + self.tried
        text = f"{self.tried} of {self.cases} cases tried, {self.effective} took effect"
        if reached < self.cases:
            text += f"; DISTROGATE_FAULTS_SEED={self.budget.seed} DISTROGATE_FAULTS_FROM={reached} goes on"
        return text


class Siege:
    """Attacks on subjects of one kind, side by side, each in a world of its own."""

    def __init__(
        self,
        make: Make,
        budget: Budget,
        attack: t.Callable[[Subject, Case], Outcome] = lambda subject, case: subject.attack(case, KILL),
        wanted: t.Callable[[Case], bool] = lambda case: True,
    ) -> None:
        self._make, self._budget, self._attack, self._wanted = make, budget, attack, wanted
        self._lock = threading.Lock()
        self.tally = Tally(budget)

    def run(self) -> Tally:
        """Attack until all is tried or the time is over; the first broken promise is raised."""
        end = time.monotonic() + self._budget.seconds if self._budget.seconds else float("inf")
        with contextlib.ExitStack() as stack:
            folders = [
                pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dg-")))
                for _job in range(self._budget.jobs)
            ]
            for folder in folders:
                stack.callback(end_agent, folder)
            pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(len(folders)))
            subjects = list(pool.map(self._make, folders))
            order = self._order(subjects[0])
            working = [pool.submit(self._work, subject, order, end) for subject in subjects]
            try:
                for work in concurrent.futures.as_completed(working):
                    work.result()
            finally:
                order.clear()  # so that the others end as well
        return self.tally

    def _order(self, subject: Subject) -> list[Case]:
        found = [case for name in subject.operations for case in subject.cases(name) if self._wanted(case)]
        self.tally.cases = len(found)
        order = random.Random(self._budget.seed).sample(found, len(found))[self._budget.begin :]
        return order[::-1]

    def _work(self, subject: Subject, order: list[Case], end: float) -> None:
        while time.monotonic() < end:
            with self._lock:
                if not order:
                    return
                case = order.pop()
                self.tally.tried += 1
            done = self._attack(subject, case)
            with self._lock:
                self.tally.effective += done.status != 0
