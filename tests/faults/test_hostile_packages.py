# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packages that lie are refused, or published right; nothing else changes, ends late, or takes much memory.

The first half of the inputs (about 3,000) is always tried; the others as long as
DISTROGATE_FAULTS_SECONDS lasts. DISTROGATE_FAULTS_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
import time

import pytest

from ansible_collections.distrogate.ci.tests.faults.hostile_expected import KNOWN, lost, sorted_out
from ansible_collections.distrogate.ci.tests.faults.hostile_siege import Tally, siege, unable

SECONDS = float(os.environ.get("DISTROGATE_FAULTS_SECONDS", "120"))
SEED = int(os.environ.get("DISTROGATE_FAULTS_SEED") or random.SystemRandom().randrange(1 << 32))
PARTS = 2
_FORMATS = ("apt", "rpm", "contents")


@pytest.mark.faults
@pytest.mark.skipif(bool(unable()), reason=unable())
def test_hostile_packages(capsys: pytest.CaptureFixture[str]) -> None:
    tally, end = Tally(), time.monotonic() + SECONDS
    options = ("--seed", str(SEED), "--heavy", "--coverage", "--processes", "20", "--parts", str(PARTS))
    siege(_FORMATS, tally, *options, "--part", "0", seconds=1800)
    missing = lost(tally.causes)
    siege(_FORMATS, tally, *options, "--part", "1", seconds=max(0.0, end - time.monotonic()))
    new, known = sorted_out(tally.problems)
    with capsys.disabled():
        print(f"\nhostile packages: DISTROGATE_FAULTS_SEED={SEED}\n{tally.table()}\n\n{tally.covered()}")
        print(
            "known findings", *(f"{count:6} {KNOWN[pattern]}" for pattern, count in known.items()), sep="\n"
        )
    assert not new, f"{len(new)} findings:\n" + "\n".join(new[:40])
    assert not missing
    assert tally.tried >= 2000
    assert min(tally.own_processes[name] for name in ("apt", "rpm")) >= 60
    assert all(known.values()), "a known finding is gone: remove it from KNOWN"
