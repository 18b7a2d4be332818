# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packages that lie are refused, or published right; nothing else changes, ends late, or takes much memory.

The first third of the inputs (more than 2,000) is always tried, the others as
long as DISTROGATE_FAULTS_SECONDS lasts (without it all are). DISTROGATE_FAULTS_SEED
repeats a run.
"""

from __future__ import annotations

import time

import pytest

from ansible_collections.distrogate.ci.tests.faults.hostile.expected import KNOWN, lost, sorted_out
from ansible_collections.distrogate.ci.tests.faults.hostile.siege import Tally, siege, unable
from ansible_collections.distrogate.ci.tests.faults.siege import Budget

_PARTS = 3
_FORMATS = ("apt", "rpm", "contents")


@pytest.mark.faults
@pytest.mark.skipif(bool(unable()), reason=unable())
def test_hostile_packages(capsys: pytest.CaptureFixture[str]) -> None:
    budget, tally, begin = Budget.from_environment(), Tally(), time.monotonic()
    options = ("--seed", str(budget.seed), "--heavy", "--coverage", "--processes", "12", f"--parts={_PARTS}")
    siege(_FORMATS, tally, *options, "--part", "0", seconds=3600)
    missing = lost(tally.causes, whole=False)
    for part in range(1, _PARTS):
        left = begin + (budget.seconds or 3600) - time.monotonic()
        if left > 0:
            siege(_FORMATS, tally, *options, "--part", str(part), seconds=left)
    new, known = sorted_out(tally.problems)
    with capsys.disabled():
        print(
            f"\nhostile packages: DISTROGATE_FAULTS_SEED={budget.seed}\n{tally.table()}\n\n{tally.covered()}"
        )
        print(
            "known findings", *(f"{count:6} {KNOWN[pattern]}" for pattern, count in known.items()), sep="\n"
        )
    assert not new, f"{len(new)} findings:\n" + "\n".join(new[:40])
    assert not (missing if budget.seconds else lost(tally.causes, whole=True))
    assert tally.tried >= 2000
    assert min(tally.own_processes[name] for name in ("apt", "rpm")) >= 60
    assert budget.seconds or all(known.values()), "a known finding is gone: remove it from KNOWN"
