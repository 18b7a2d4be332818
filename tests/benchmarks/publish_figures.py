# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was measured: every run by what was done, by whom, and to how many packages."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping

from ansible_collections.distrogate.ci.tests.benchmarks.publish_meter import Used
from ansible_collections.distrogate.ci.tests.demo.site import say

Key = tuple[str, str, int]  # what, who, how many packages


class Figures:
    """Runs, and what else is to be shown."""

    def __init__(self) -> None:
        self.runs: dict[Key, list[Used]] = {}
        self.bytes: dict[tuple[str, int], tuple[int, int]] = {}  # of kind and number: forced, beside
        self.missing: dict[str, str] = {}  # peers that are not installed, and the packages that have them

    def add(self, what: str, who: str, count: int, used: Used) -> None:
        self.runs.setdefault((what, who, count), []).append(used)
        say(f"{what}, {count}: {who} {used.cpu:.3f} CPU s, {used.seconds:.3f} s, {used.rss / 2**20:.0f} MiB")

    def cpu(self, what: str, who: str, count: int) -> float | None:
        """The median in seconds, if it was measured."""
        found = self.runs.get((what, who, count))
        return statistics.median(used.cpu for used in found) if found else None

    def memory(self, what: str, who: str, count: int) -> float | None:
        """The most that any run needed, in MiB."""
        found = self.runs.get((what, who, count))
        return max(used.rss for used in found) / 2**20 if found else None

    def in_turn(self, what: str, count: int, rounds: int, runs: Mapping[str, Callable[[int], Used]]) -> None:
        """Everyone once a round, the first one alternating, so that nobody has the warmer caches."""
        for number in range(rounds):
            everyone = list(runs.items())
            for who, run in everyone if number % 2 == 0 else reversed(everyone):
                self.add(what, who, count, run(number))
