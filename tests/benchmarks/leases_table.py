# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures of leases as tables, and whether they are within the bars."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from ansible_collections.distrogate.ci.tests.benchmarks import leases_day, leases_task, report
from ansible_collections.distrogate.ci.tests.benchmarks.leases_contest import percentile
from ansible_collections.distrogate.ci.tests.benchmarks.leases_figures import (
    ETCD,
    OURS,
    PEER,
    Figures,
    Spread,
)


@dataclasses.dataclass(frozen=True)
class Row:
    """A figure of ours, and the limit that it must stay below, or with ``least`` reach."""

    what: str
    ours: float | None
    limit: float | None
    named: str
    least: bool = False
    unit: str = ""

    @property
    def met(self) -> str:
        if self.ours is None or self.limit is None:
            return "not shown"
        good = self.ours >= self.limit if self.least else self.ours <= self.limit
        return "yes" if good else "NO"

    def cells(self) -> list[str]:
        sign = "at least" if self.least else "at most"
        shown = [
            f"{value:,.4g}{self.unit}" if value is not None else "-" for value in (self.ours, self.limit)
        ]
        return [self.what, shown[0], f"{sign} {shown[1]}", self.named, self.met]


def rows(figures: Figures, large: int, small: int) -> list[Row]:
    """Those with a bar."""
    contest = "64 waiters on one TE, three etcd nodes: "
    peer_p99 = _median(figures.gap(PEER, 99), 1000)
    task, empty = (_median(figures.task(name), 1000) for name in (leases_task.OURS, leases_task.EMPTY))
    found = [
        Row(
            f"{contest}grants a second",
            _median(figures.rate(ETCD)),
            _median(figures.rate(PEER)),
            "kazoo's lock",
            True,
        ),
        Row(f"{contest}min/max of a client", _median(figures.evenness(ETCD)), 0.9, "-", True),
        Row(
            f"{contest}release to grant, p99",
            _median(figures.gap(ETCD, 99), 1000),
            peer_p99,
            "kazoo's",
            unit=" ms",
        ),
        Row("64 waiters on one TE, SQLite: grants a second", _median(figures.rate(OURS)), 200, "-", True),
        Row(
            "64 waiters on one TE, SQLite: min/max of a client",
            _median(figures.evenness(OURS)),
            0.8,
            "-",
            True,
        ),
    ]
    for place in (OURS, ETCD):
        grant, limit = (_median(figures.grant(place, size, 99), 1000) for size in (large, small))
        named = f"3 x that of {small}"
        limit = 3 * limit if limit else None
        found.append(Row(f"a grant's p99 in a pool of {large:,}, {place}", grant, limit, named, unit=" ms"))
    limit = 1.3 * empty if empty else None
    found.append(Row("te_lock as a task, SQLite", task, limit, "1.3 x ping", unit=" ms"))
    for place, day in figures.days.items():
        found.append(Row(f"TEs lost in a simulated day, {place}", float(len(day.lost) + day.left), 0, "-"))
    return found


def _median(spread: Spread | None, scale: float = 1) -> float | None:
    return spread.median * scale if spread else None


def missed(found: Iterable[Row]) -> list[str]:
    return [row.what for row in found if row.met == "NO"]


def bars(found: Iterable[Row]) -> str:
    return report.table(("what", "ours", "bar", "that is", "met"), [row.cells() for row in found])


def contests(figures: Figures) -> str:
    """Every contest: the median of the rounds, and the lowest and highest."""
    head = ("64 processes, one TE", "grants a second", "min/max", "p50 ms", "p99 ms", "grants")
    lines = []
    for place, results in figures.contests.items():
        spreads = [
            figures.rate(place),
            figures.evenness(place),
            figures.gap(place, 50),
            figures.gap(place, 99),
        ]
        scales = [(1, 1), (1, 2), (1000, 1), (1000, 1)]
        cells = [spread.shown(*scale) for spread, scale in zip(spreads, scales) if spread]
        lines.append([place, *cells, f"{sum(sum(result.counts) for result in results):,}"])
    return report.table(head, lines)


def crowds(figures: Figures) -> str:
    """A grant, and the calls alone."""
    head = (
        "TEs, store",
        "a grant p50 ms",
        "p99 ms",
        "release p50 ms",
        "p99 ms",
        "to the queue p50 ms",
        "p99 ms",
    )
    lines = []
    for place, tes in sorted(figures.crowds):
        spreads = [
            figures.grant(place, tes, percent, what)
            for what in ("grants", "releases", "placings")
            for percent in (50, 99)
        ]
        lines.append([f"{tes:,}, {place}", *(spread.shown(1000, 2) for spread in spreads if spread)])
    return report.table(head, lines)


def operations(figures: Figures) -> str:
    """By the size of the pool."""
    names = sorted({name for counts in figures.operations.values() for name in counts})
    lines = [
        [f"{tes:,}, {place}", *(counts[name] for name in names), sum(counts.values())]
        for (place, tes), counts in sorted(figures.operations.items())
    ]
    return report.table(("TEs, store", *names, "all"), lines)


def tasks(figures: Figures) -> str:
    spreads = {name: figures.task(name) for name in figures.tasks}
    lines = [[name, spread.shown(1000, 0)] for name, spread in spreads.items() if spread]
    return report.table(("task", "ms"), lines)


def days(figures: Figures) -> str:
    """Waits in minutes, and how much of the TEs' time was leased."""
    head = ("runs, store", "waits p50 min", "p95 min", "longest min")
    lines = []
    for place, day in figures.days.items():
        for priority, name in leases_day.PRIORITIES.items():
            waits = day.waits(priority)
            times = [percentile(waits, 50), percentile(waits, 95), max(waits)]
            lines.append([f"{len(waits):,} of {name}, {place}", *(f"{wait / 60:.1f}" for wait in times)])
    return report.table(head, lines)


def utilisation(figures: Figures) -> str:
    """A sentence for each store."""
    hours = [hour * 3600.0 for hour in leases_day.PEAK]
    sentences = []
    for place, day in figures.days.items():
        shares = [day.utilisation(0, leases_day.DAY), day.utilisation(*hours)]
        whole, work = (f"{share:.0%}" for share in shares)
        lost = ", ".join(day.lost) or "none"
        sentences.append(
            f"{place}: the TEs were leased for {whole} of the day, and for {work} of the time from"
            f" {leases_day.PEAK[0]} to"
            f" {leases_day.PEAK[1]} o'clock; TEs lost: {lost}; waiters and leases left: {day.left};"
            f" {day.seconds:.0f} s for all of it."
        )
    return " ".join(sentences)
