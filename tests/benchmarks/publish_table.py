# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures as tables, and whether they are within the bars."""

from __future__ import annotations

import dataclasses
import statistics

from ansible_collections.distrogate.ci.tests.benchmarks import publish_cases as cases
from ansible_collections.distrogate.ci.tests.benchmarks import report
from ansible_collections.distrogate.ci.tests.benchmarks.publish_figures import Figures, Key

OURS = cases.OURS


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How many packages a repository has."""

    small: int = 1000
    middle: int = 20_000
    large: int = 100_000


@dataclasses.dataclass(frozen=True)
class Row:
    """A figure of ours against one to compare it with, at most ``limit`` times as large; in CPU seconds."""

    what: str
    ours: float | None
    peer: str
    theirs: float | None
    limit: float | None = None
    unit: str = "s"

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.ours is not None and self.theirs else None

    @property
    def met(self) -> str:
        if self.limit is None:
            return "-"
        if self.ratio is None:
            return "not shown"
        return "yes" if self.ratio <= self.limit else "NO"

    def cells(self) -> list[str]:
        shown = [
            f"{value:.3g} {self.unit}" if value is not None else "-" for value in (self.ours, self.theirs)
        ]
        ratio = f"{self.ratio:.2f}" if self.ratio is not None else "-"
        if self.unit == "MiB":  # the bar is a figure itself
            return [self.what, shown[0], "-", "-", "-", shown[1], self.met]
        limit = f"{self.limit:g} x" if self.limit is not None else "-"
        return [self.what, shown[0], self.peer, shown[1], ratio, limit, self.met]


def rows(figures: Figures, sizes: Sizes) -> list[Row]:
    """Those with a bar, and what stands beside them."""
    debs, rpms = f"{cases.ADD} (deb)", f"{cases.ADD} (rpm)"
    new_debs, new_rpms = f"{cases.NOTHING} (deb)", f"{cases.NOTHING} (rpm)"
    copied, in_pool = f"{cases.COPY} (deb)", f"{cases.POOL} (deb)"

    def row(what: str, key: tuple[str, int], peer: str, limit: float | None) -> Row:
        case, count = key
        missing = figures.missing.get(peer.partition(",")[0].removeprefix("cp -r + "))
        name = f"{peer}: not installed (apt-get install {missing})" if missing else peer
        shown = what.format(f"{count:,}")
        return Row(shown, figures.cpu(case, OURS, count), name, figures.cpu(case, peer, count), limit)

    small, middle, large = sizes.small, sizes.middle, sizes.large
    growth = [figures.cpu(debs, OURS, count) for count in (large, small)]
    return [
        row("add one to {} debs", (debs, middle), "reprepro", 0.5),
        row("add one to {} debs", (debs, large), "reprepro", 0.2),
        Row(f"add one to {large:,} debs", growth[0], f"ours, {small:,} debs", growth[1], 3),
        row("{} debs from nothing, in the pool", (in_pool, middle), "apt-ftparchive", 0.6),
        row("{} debs from nothing, linked", (new_debs, middle), "apt-ftparchive", None),
        row("{} debs from nothing, linked", (new_debs, middle), cases.SHA256, None),
        row("{} debs from nothing, copied", (copied, middle), "cp -r + apt-ftparchive", None),
        row("{} debs from nothing", (new_debs, middle), cases.LIMIT, None),
        row("add one to {} rpms", (rpms, middle), "createrepo_c", 0.3),
        row("{} rpms from nothing", (new_rpms, middle), "createrepo_c", 1.2),
        row("{} rpms from nothing", (new_rpms, middle), cases.LIMIT, None),
        row("add one to {} debs", (debs, middle), "aptly", None),
        Row("start of a module, part of each", figures.cpu(cases.START, OURS, 0), "-", None),
        *_memory(figures, large),
    ]


def _memory(figures: Figures, count: int) -> list[Row]:
    """Against a limit in MiB."""
    found = {
        f"memory, add one to {count:,} debs": f"{cases.ADD_MEMORY} (deb)",
        f"memory, {count:,} debs from nothing": f"{cases.NOTHING} (deb)",
    }
    return [
        Row(what, figures.memory(case, OURS, count), "300 MiB", 300, 1, "MiB") for what, case in found.items()
    ]


def missed(found: list[Row]) -> list[str]:
    return [f"{row.what} ({row.peer})" for row in found if row.met == "NO"]


def bars(found: list[Row]) -> str:
    head = ("what", "ours", "peer", "peer's", "ratio", "bar", "met")
    return report.table(head, [row.cells() for row in found])


def growth(figures: Figures, sizes: Sizes) -> str:
    """Add one, to more and more packages."""
    case = f"{cases.ADD} (deb)"
    lines = []
    for count in dataclasses.astuple(sizes):
        ours, theirs = (figures.cpu(case, who, count) for who in (OURS, "reprepro"))
        ratio = f"{ours / theirs:.2f}" if ours is not None and theirs else "-"
        lines.append([f"{count:,}", *(f"{v:.3f}" if v is not None else "-" for v in (ours, theirs)), ratio])
    return report.table(("debs", "ours CPU s", "reprepro CPU s", "ratio"), lines)


def written(figures: Figures) -> str:
    """What one added package leaves on the disk."""
    lines = [
        [f"{count:,} {kind}s", f"{forced / 1024:,.0f}", f"{beside / 1024:,.0f}"]
        for (kind, count), (forced, beside) in figures.bytes.items()
    ]
    return report.table(("added to", "the format's KiB", "KiB beside"), lines)


def everything(figures: Figures, counted: str = "packages") -> str:
    """Every figure: the median of the runs, and between which values they were."""
    head = ("what", counted, "who", "runs", "CPU s", "lowest", "highest", "clock s", "peak MiB")
    return report.table(head, [_line(figures, key) for key in sorted(figures.runs)])


def _line(figures: Figures, key: Key) -> list[object]:
    what, who, count = key
    found = figures.runs[key]
    cpu = [used.cpu for used in found]
    times = [statistics.median(cpu), min(cpu), max(cpu), statistics.median(used.seconds for used in found)]
    memory = figures.memory(what, who, count) or 0
    return [what, f"{count:,}", who, len(found), *(f"{value:.3f}" for value in times), f"{memory:.0f}"]
