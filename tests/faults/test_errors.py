# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every write, rename, link and mkdir meets a full disk, every sync a broken one; see test_kill.py."""

from __future__ import annotations

import shutil

import pytest

from ansible_collections.distrogate.ci.tests.faults.errors import can_fail, fail
from ansible_collections.distrogate.ci.tests.faults.siege import Budget, Siege, worlds
from ansible_collections.distrogate.ci.tests.faults.subjects import REPOSITORIES


@pytest.mark.faults
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize("name", sorted(REPOSITORIES))
def test_an_error_at_every_call(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    budget = Budget.from_environment(share=len(REPOSITORIES))
    with capsys.disabled():
        print(f"\nerrors, {name}: DISTROGATE_FAULTS_SEED={budget.seed}", end=" ", flush=True)
        with worlds(REPOSITORIES[name], budget.jobs) as subjects:
            tally = Siege(subjects, budget, attack=fail, wanted=can_fail).run()
        print(tally, end=" ", flush=True)
    assert tally.effective > 0.5 * tally.tried
