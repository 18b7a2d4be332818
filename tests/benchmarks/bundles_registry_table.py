# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures of promotions in a registry as tables, and whether they are within the bars."""

from __future__ import annotations

import dataclasses
import statistics
import typing as t

from ansible_collections.distrogate.ci.tests.benchmarks import report

SAME, ACROSS = "within each repository", "to other repositories"
OURS, TWO, READ, SKOPEO, WARM, MANY = (
    "ours, in one call",
    "ours",
    "ours, manifests not in the bundle",
    "skopeo copy",
    "skopeo copy, places known",
    "skopeo copy, 8 at a time",
)
BARS = {SAME: 0.2, ACROSS: 0.5}
BOTH = "CPU of both sides"  # for information: the bars are on what skopeo copy itself takes


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one promotion took: seconds of the clock, and of the CPU of the client and of the registry."""

    wall: float
    client: float
    registry: float

    @property
    def cpu(self) -> float:
        return self.client + self.registry


MEASURES: dict[str, t.Callable[[Cost], float]] = {
    "wall": lambda cost: cost.wall,
    BOTH: lambda cost: cost.cpu,
    "CPU of the client": lambda cost: cost.client,
}


class Costs:
    """All runs, by case and by who."""

    def __init__(self) -> None:
        self.runs: dict[tuple[str, str], list[Cost]] = {}

    def add(self, case: str, who: str, cost: Cost) -> None:
        self.runs.setdefault((case, who), []).append(cost)
        print(
            f"{case}: {who} {cost.wall:.2f} s, client {cost.client:.2f}, registry {cost.registry:.2f} CPU s"
        )

    def median(self, case: str, who: str, measure: str) -> float | None:
        found = self.runs.get((case, who))
        return statistics.median(map(MEASURES[measure], found)) if found else None

    def rows(self) -> list[tuple[str, str, str, float, float, float, float]]:
        """Case, measure, peer, ours, theirs, ratio, bar."""
        found = []
        for case, bar in BARS.items():
            for peer in (SKOPEO, WARM, MANY):
                for measure in MEASURES:
                    ours, theirs = (self.median(case, who, measure) for who in (OURS, peer))
                    if ours is not None and theirs:
                        found.append((case, measure, peer, ours, theirs, ours / theirs, bar))
        return found

    def missed(self) -> list[str]:
        """The bars are those against plain skopeo copy."""
        return [
            f"{case}, {measure} ({peer})"
            for case, measure, peer, _ours, _theirs, ratio, bar in self.rows()
            if ratio > bar and peer == SKOPEO and measure != BOTH
        ]

    def bars(self) -> str:
        head = ("what", "measure", "ours", "peer", "peer's", "ratio", "bar", "met")
        lines = []
        for case, measure, peer, ours, theirs, ratio, bar in self.rows():
            barred = peer == SKOPEO and measure != BOTH
            limit = (f"{bar:g} x", "yes" if ratio <= bar else "NO") if barred else ("-", "-")
            lines.append([case, measure, f"{ours:.2f} s", peer, f"{theirs:.2f} s", f"{ratio:.3f}", *limit])
        return report.table(head, lines)

    def everything(self) -> str:
        head = ("what", "who", "runs", "wall s", "lowest", "highest", "client CPU s", "registry CPU s")
        lines = []
        for (case, who), found in self.runs.items():
            walls = [cost.wall for cost in found]
            figures = [statistics.median(walls), min(walls), max(walls)]
            figures += [
                statistics.median(getattr(cost, name) for cost in found) for name in ("client", "registry")
            ]
            lines.append([case, who, len(found), *(f"{figure:.2f}" for figure in figures)])
        return report.table(head, lines)
