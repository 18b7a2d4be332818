# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What publishes is killed at every system call that changes something; readers never see a mixture.

DISTROGATE_FAULTS_SECONDS bounds the time (all subjects together; without it
every case is tried), DISTROGATE_FAULTS_SEED repeats an order,
DISTROGATE_FAULTS_FROM goes on in it, DISTROGATE_FAULTS_JOBS says how many run
side by side.
"""

from __future__ import annotations

import shutil

import pytest

from ansible_collections.distrogate.ci.tests.faults.siege import Budget, Siege, worlds
from ansible_collections.distrogate.ci.tests.faults.subjects import SUBJECTS


@pytest.mark.faults
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize("name", sorted(SUBJECTS))
def test_killed_at_every_call(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    budget = Budget.from_environment(share=len(SUBJECTS))
    with capsys.disabled():
        print(f"\nkill, {name}: DISTROGATE_FAULTS_SEED={budget.seed}", end=" ", flush=True)
        with worlds(SUBJECTS[name], budget.jobs) as subjects:
            tally = Siege(subjects, budget).run()
        print(tally, end=" ", flush=True)
    assert tally.effective > 0.9 * tally.tried
