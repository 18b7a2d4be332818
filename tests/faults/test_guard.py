# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard is killed at every call that changes something, and every one of them meets a full disk.

Variables of the environment as in test_kill.
"""

from __future__ import annotations

import pathlib
import random
import shutil
import time

import pytest

from ansible_collections.distrogate.ci.tests.faults.guard_kill import NO_SPACE, OPERATIONS, Attack
from ansible_collections.distrogate.ci.tests.faults.siege import Budget
from ansible_collections.distrogate.ci.tests.faults.trace import KILL

_FULL = ("write", "rename", "fsync", "ftruncate")


@pytest.mark.faults
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_guard_at_every_call(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    budget, attack = Budget.from_environment(), Attack(tmp_path)
    found = [case for name in OPERATIONS for case in attack.cases(name, tmp_path / "calls")]
    log = str(attack.host.log)
    full = [
        case
        for case in found
        if case.call in _FULL and case.target.startswith(str(tmp_path)) and case.target != log
    ]
    attacks = [(case, KILL) for case in found] + [(case, NO_SPACE) for case in full]
    random.Random(budget.seed).shuffle(attacks)
    end = time.monotonic() + (budget.seconds or 3600)
    tried = effective = 0
    for case, effect in attacks[budget.begin :]:
        if time.monotonic() > end:
            break
        tried += 1
        effective += attack.attack(case, effect).status != 0
    with capsys.disabled():
        print(
            f"\nguard: DISTROGATE_FAULTS_SEED={budget.seed} {tried} of {len(attacks)}, {effective}", end=" "
        )
    assert effective > 0.9 * tried
