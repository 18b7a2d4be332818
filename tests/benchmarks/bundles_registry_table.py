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
BOTH = "CPU of both sides"
BARRED = (TWO, READ)  # promotion makes two calls, prepared and committed; a bundle may have manifests or not


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one promotion took: seconds of the clock, and of the CPU of the client and of the registry."""

    wall: float
    client: float
    registry: float

    @property
    def cpu(self) -> float:
        return self.client + self.registry


@dataclasses.dataclass(frozen=True)
class Row:
    """One of ours against one peer; ``limit`` is the largest ratio that is good enough, if there is one."""

    case: str
    measure: str
    who: str
    peer: str
    ours: float
    theirs: float
    limit: float | None

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    @property
    def met(self) -> bool:
        return self.limit is None or self.ratio <= self.limit


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

    def rows(self) -> list[Row]:
        """Each of ours against each peer, in each measure."""
        found = []
        for case, limit in BARS.items():
            pairs = [(who, SKOPEO) for who in (TWO, READ, OURS)] + [(TWO, peer) for peer in (WARM, MANY)]
            for who, peer in pairs:
                for measure in MEASURES:
                    ours, theirs = (self.median(case, name, measure) for name in (who, peer))
                    if ours is not None and theirs:
                        barred = who in BARRED and peer == SKOPEO and measure == BOTH
                        found.append(Row(case, measure, who, peer, ours, theirs, limit if barred else None))
        return found

    def missed(self) -> list[str]:
        """The bars are on the CPU of client and registry, against plain skopeo copy."""
        return [f"{row.who}, {row.case}, {row.measure}" for row in self.rows() if not row.met]

    def bars(self) -> str:
        head = ("what", "measure", "who", "takes", "peer", "takes", "ratio", "bar", "met")
        lines = []
        for row in self.rows():
            cells = ("-", "-") if row.limit is None else (f"{row.limit:g} x", "yes" if row.met else "NO")
            ours, theirs = (f"{seconds:.2f} s" for seconds in (row.ours, row.theirs))
            what = [row.case, row.measure, row.who, ours, row.peer, theirs]
            lines.append([*what, f"{row.ratio:.3f}", *cells])
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
