# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures as tables, and whether they are within the bars."""

from __future__ import annotations

import statistics

from ansible_collections.distrogate.ci.tests.benchmarks import mirror_peers as peers
from ansible_collections.distrogate.ci.tests.benchmarks import mirror_sizes as cases
from ansible_collections.distrogate.ci.tests.benchmarks import report
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_sizes import Sizes
from ansible_collections.distrogate.ci.tests.benchmarks.publish_figures import Figures
from ansible_collections.distrogate.ci.tests.benchmarks.publish_table import Row, everything, missed

__all__ = ["bars", "everything", "growth", "missed", "rows"]
OURS = cases.OURS
AHEAD = 1.0
_CONSTANT = 1.2  # what "near constant" means, from the smallest list to the largest


def rows(figures: Figures, sizes: Sizes, trsync: str) -> list[Row]:
    """Every row of the issue, with its bar."""

    def row(what: str, case: str, count: int, peer: str, limit: float | None, who: str = OURS) -> Row:
        ours, theirs = figures.cpu(case, who, count), figures.cpu(case, peer, count)
        return Row(what.format(f"{count:,}"), ours, peer, theirs, limit)

    middle, large, first = sizes.middle, sizes.large, sizes.first
    same, few = "{} files, nothing changed", "{} files, 10 changed, a small index"
    changed, copy = "{} files, 10 changed", "first copy of {} files"
    plain, linked, copied, delayed = (
        kind.name for kind in (peers.Peer, peers.LinkDest, peers.Copied, peers.Delayed)
    )
    return [
        row(same, cases.SAME, middle, plain, 0.4),
        row(same, cases.SAME, large, plain, 0.1),
        row(same, cases.SAME, middle, trsync, AHEAD),
        row(same, cases.SAME, large, trsync, AHEAD),
        row(changed, cases.CHANGED, middle, linked, 0.1),
        row(changed, cases.CHANGED, middle, delayed, 0.5),
        row(changed, cases.CHANGED, middle, copied, None),
        row(changed, cases.CHANGED, middle, trsync, AHEAD),
        row(few, cases.FEW, middle, linked, 0.1),
        row(few, cases.FEW, middle, delayed, 0.5),
        row(few, cases.FEW, middle, copied, None),
        row(few, cases.FEW, middle, trsync, AHEAD),
        row(f"{copy}, not verified", cases.FIRST, first, plain, 1.1, cases.UNVERIFIED),
        row(f"{copy}, not verified", cases.FIRST, first, trsync, AHEAD, cases.UNVERIFIED),
        row(copy, cases.FIRST, first, plain, 1.4),
        row(copy, cases.FIRST, first, trsync, AHEAD),
        *_at_once(figures, sizes, trsync),
        _constant(figures, sizes),
    ]


def _at_once(figures: Figures, sizes: Sizes, trsync: str) -> list[Row]:
    """In seconds of the clock."""

    def wall(who: str) -> float | None:
        found = figures.runs.get((cases.AT_ONCE, who, sizes.limited))
        return statistics.median(used.seconds for used in found) if found else None

    what = f"{cases.MIRRORS} mirrors at once, {sizes.rate / 2**20:g} MiB/s each, wall"
    five = wall(cases.FIVE)
    return [
        Row(what, five, "ours, one mirror", wall(cases.ONE), 1.2),
        Row(what, five, f"{trsync}, one after the other", wall(trsync), AHEAD),
    ]


def _constant(figures: Figures, sizes: Sizes) -> Row:
    small, large = sizes.growth[0], sizes.growth[-1]
    found = [figures.cpu(cases.SAME, OURS, count) for count in (large, small)]
    return Row(f"{large:,} files, nothing changed", found[0], f"ours, {small:,} files", found[1], _CONSTANT)


def bars(found: list[Row]) -> str:
    head = ("what", "ours", "peer", "peer's", "ratio", "bar", "met")
    return report.table(head, [row.cells() for row in found])


def growth(figures: Figures, sizes: Sizes) -> str:
    """Nothing changed, in a list that grows."""
    lines = []
    for count in sizes.growth:
        ours, theirs = (figures.cpu(cases.SAME, who, count) for who in (OURS, peers.Peer.name))
        ratio = f"{ours / theirs:.2f}" if ours is not None and theirs else "-"
        lines.append([f"{count:,}", *(f"{v:.3f}" if v is not None else "-" for v in (ours, theirs)), ratio])
    return report.table(("files", "ours CPU s", "rsync -a CPU s", "ratio"), lines)
