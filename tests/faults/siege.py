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

Made = t.TypeVar("Made", bound=Subject)


@dataclasses.dataclass(frozen=True)
class Budget:
    """How long (0: to the end), in which order, from which case on, how many (0: all), how many at once."""

    seconds: float = 0
    seed: int = 0
    begin: int = 0
    attacks: int = 0
    jobs: int = 1

    @classmethod
    def from_environment(cls, seconds: float = 0, share: int = 1) -> Budget:
        """What DISTROGATE_FAULTS_SECONDS, _SEED, _FROM and _JOBS say; ``share`` tests share the time."""
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


@contextlib.contextmanager
def worlds(make: t.Callable[[pathlib.Path], Made], number: int) -> t.Iterator[list[Made]]:
    """Subjects of one kind, each with a folder and a key of its own."""
    with contextlib.ExitStack() as stack:
        folders = []
        for _job in range(number):
            name = stack.enter_context(tempfile.TemporaryDirectory(prefix="dg-"))
            folders.append(pathlib.Path(name))
            stack.callback(end_agent, folders[-1])
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(number))
        subjects = list(pool.map(make, folders))
        for subject in subjects:
            stack.callback(subject.end)
        yield subjects


class Siege(t.Generic[Made]):
    """Attacks on the same operations of ``subjects``, side by side."""

    def __init__(
        self,
        subjects: t.Sequence[Made],
        budget: Budget,
        attack: t.Callable[[Made, Case], Outcome] = lambda subject, case: subject.attack(case, KILL),
        wanted: t.Callable[[Case], bool] = lambda case: True,
        operations: t.Sequence[str] = (),
    ) -> None:
        self._subjects, self._budget, self._attack = subjects, budget, attack
        self.tally = Tally(budget)
        self._lock = threading.Lock()
        self._order = self._cases(operations or subjects[0].operations, wanted)

    def _cases(self, operations: t.Sequence[str], wanted: t.Callable[[Case], bool]) -> list[Case]:
        """What is to be tried, the last first."""
        subject, budget = self._subjects[0], self._budget
        found = [case for name in operations for case in subject.cases(name) if wanted(case)]
        self.tally.cases = len(found)
        end = budget.begin + budget.attacks if budget.attacks else None
        return random.Random(budget.seed).sample(found, len(found))[budget.begin : end][::-1]

    def run(self) -> Tally:
        """Attack until all is tried or the time is over; the first broken promise is raised."""
        end = time.monotonic() + self._budget.seconds if self._budget.seconds else float("inf")
        with concurrent.futures.ThreadPoolExecutor(len(self._subjects)) as pool:
            working = [pool.submit(self._work, subject, end) for subject in self._subjects]
            try:
                for work in concurrent.futures.as_completed(working):
                    work.result()
            finally:
                self._order.clear()  # so that the others end as well
        return self.tally

    def _work(self, subject: Made, end: float) -> None:
        while time.monotonic() < end:
            with self._lock:
                if not self._order:
                    return
                case = self._order.pop()
                self.tally.tried += 1
            done = self._attack(subject, case)
            with self._lock:
                self.tally.effective += done.status != 0
