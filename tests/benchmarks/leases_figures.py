# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was measured of leases: by round, by what, and by whom."""

from __future__ import annotations

import dataclasses
import statistics
from collections import Counter

from ansible_collections.distrogate.ci.tests.benchmarks.leases_contest import Result as Contest
from ansible_collections.distrogate.ci.tests.benchmarks.leases_contest import percentile
from ansible_collections.distrogate.ci.tests.benchmarks.leases_crowd import Figures as CrowdFigures
from ansible_collections.distrogate.ci.tests.benchmarks.leases_day import Result
from ansible_collections.distrogate.ci.tests.demo.site import say

OURS = "SQLite"
ETCD = "three etcd nodes"
PEER = "three ZooKeeper nodes"
GUARDED = "key and guard, {}"  # of a place


@dataclasses.dataclass(frozen=True)
class Spread:
    """The median of the rounds, and between which values they were."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def shown(self, scale: float = 1, digits: int = 1) -> str:
        parts = [self.median, min(self.values), max(self.values)]
        middle, low, high = (f"{value * scale:,.{digits}f}" for value in parts)
        return f"{middle} ({low} - {high})"


class Figures:
    """All of a run. What is missing was not measured."""

    def __init__(self) -> None:
        self.contests: dict[str, list[Contest]] = {}  # by place
        self.crowds: dict[tuple[str, int], list[CrowdFigures]] = {}  # by place and number of TEs
        self.operations: dict[tuple[str, int], Counter[str]] = {}
        self.tasks: dict[str, list[float]] = {}  # seconds of a task, by its name
        self.days: dict[str, Result] = {}  # by place

    def add_contest(self, place: str, result: Contest) -> None:
        self.contests.setdefault(place, []).append(result)
        say(
            f"{place}: {result.rate:.1f} grants a second, evenness {result.evenness:.2f},"
            f" p50 {result.gap(50) * 1000:.1f} ms, p99 {result.gap(99) * 1000:.1f} ms"
        )

    def add_crowd(self, place: str, tes: int, crowd: CrowdFigures) -> None:
        self.crowds.setdefault((place, tes), []).append(crowd)
        times = [percentile(crowd.grants, percent) * 1000 for percent in (50, 99)]
        say(f"{place}, pool of {tes}: a grant p50 {times[0]:.2f} ms, p99 {times[1]:.2f} ms")

    def add_task(self, name: str, seconds: float) -> None:
        self.tasks.setdefault(name, []).append(seconds)
        say(f"a task of {name}: {seconds * 1000:.0f} ms")

    def rate(self, place: str) -> Spread | None:
        return _spread([result.rate for result in self.contests.get(place, [])])

    def evenness(self, place: str) -> Spread | None:
        return _spread([result.evenness for result in self.contests.get(place, [])])

    def gap(self, place: str, percent: int) -> Spread | None:
        return _spread([result.gap(percent) for result in self.contests.get(place, [])])

    def grant(self, place: str, tes: int, percent: int, what: str = "grants") -> Spread | None:
        found = self.crowds.get((place, tes), [])
        return _spread([percentile(getattr(crowd, what), percent) for crowd in found])

    def task(self, name: str) -> Spread | None:
        return _spread(self.tasks.get(name, []))


def _spread(values: list[float]) -> Spread | None:
    return Spread(tuple(values)) if values else None
