# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark of leases works, and tells the truth about its bars; its figures are not looked at."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest

from ansible_collections.distrogate.ci.tests.benchmarks import (
    leases,
    leases_contest,
    leases_crowd,
    leases_day,
    leases_figures,
    leases_table,
)
from ansible_collections.distrogate.ci.tests.benchmarks.leases_figures import ETCD, OURS, PEER

SIZES = dataclasses.replace(leases.QUICK, clients=3, seconds=0.5, warm=0.2, grants=8, runs=30, pools=(3, 12))
Grant = leases_contest.Grant
SECOND = 1_000_000_000


def test_a_little_of_all_on_sqlite(tmp_path: pathlib.Path) -> None:
    bench = leases.Bench(tmp_path, SIZES, (OURS,))
    for part in ("contest", "crowd", "operations", "day"):
        getattr(bench, part)()
    text, _missed = leases.shown(bench)
    for row in ("| SQLite ", "| 30, SQLite ", "| 12, SQLite ", "of gate, SQLite ", "TEs lost: none"):
        assert row in text
    small, large = (bench.figures.operations[OURS, size] for size in SIZES.pools)
    assert small == large and sum(small.values()) > 0
    assert bench.figures.days[OURS].left == 0


def test_what_a_contest_counts() -> None:
    grants = [
        Grant(1 * SECOND, 1 * SECOND, 0),  # before it counts
        Grant(3 * SECOND, 4 * SECOND, 0),
        Grant(5 * SECOND, 5 * SECOND, 1),
        Grant(7 * SECOND, 8 * SECOND, 0),
        Grant(12 * SECOND, 12 * SECOND, 1),  # and after
    ]
    result = leases_contest.evaluate(grants, 2, 12, 2)
    assert (result.counts, result.gaps, result.rate, result.evenness) == ([2, 1], [1, 2], 0.3, 0.5)


def test_a_contest_that_two_win() -> None:
    with pytest.raises(RuntimeError, match="at one time"):
        leases_contest.evaluate([Grant(1, 5, 0), Grant(4, 6, 1)], 0, 1, 2)


def figures(ours: float, kazoo: float) -> leases_figures.Figures:
    """Grants a second, each with a gap of a second."""
    found = leases_figures.Figures()
    for place, rate in ((ETCD, ours), (PEER, kazoo)):
        found.add_contest(place, leases_contest.Result(10, [round(rate * 10)], [1.0]))
    return found


@pytest.mark.parametrize(("ours", "kazoo", "met"), [(300, 300, "yes"), (299, 300, "NO")])
def test_a_bar(ours: float, kazoo: float, met: str) -> None:
    rows = leases_table.rows(figures(ours, kazoo), 100, 10)
    assert rows[0].met == met
    assert leases_table.missed(rows) == ([rows[0].what] if met == "NO" else [])
    assert rows[3].met == "not shown"


def test_the_bar_of_a_large_pool() -> None:
    found = leases_figures.Figures()
    for size, seconds in ((10, 1.0), (100, 3.1)):
        found.add_crowd(OURS, size, leases_crowd.Figures([seconds], [seconds], [seconds]))
    assert len(leases_table.missed(leases_table.rows(found, 100, 10))) == 1
    assert leases_table.missed(leases_table.rows(found, 100, 100)) == []


def test_a_lost_te_is_over_the_bar() -> None:
    found = leases_figures.Figures()
    found.days[OURS] = leases_day.Result([], ["te01"], 0, 1.0)
    assert leases_table.missed(leases_table.rows(found, 100, 10)) == ["TEs lost in a simulated day, SQLite"]


def test_utilisation_counts_what_is_within() -> None:
    run = leases_day.Run(0, 100, 0, 2, "", begin=50)
    day = leases_day.Result([run], [], 0, 1.0)
    assert day.utilisation(100, 200) == pytest.approx(2 * 50 / (50 * 100))
    assert day.waits(0) == [50]
