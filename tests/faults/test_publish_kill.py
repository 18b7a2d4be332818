# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What publishes is killed at every rename, link, unlink and fsync; readers never see a mixture.

DISTROGATE_FAULTS_SECONDS bounds the time (all subjects together),
DISTROGATE_FAULTS_SEED repeats an order.
"""

from __future__ import annotations

import os
import random
import shutil

import pytest

from ansible_collections.distrogate.ci.tests.faults.kill import besiege
from ansible_collections.distrogate.ci.tests.faults.subjects import SUBJECTS

SECONDS = float(os.environ.get("DISTROGATE_FAULTS_SECONDS", "120"))
SEED = int(os.environ.get("DISTROGATE_FAULTS_SEED") or random.SystemRandom().randrange(1 << 32))


@pytest.mark.faults
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize("name", sorted(SUBJECTS))
def test_killed_at_every_call(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{name}: DISTROGATE_FAULTS_SEED={SEED}", end=" ", flush=True)
        result = besiege(SUBJECTS[name], SECONDS / len(SUBJECTS), SEED)
        print(result, end=" ", flush=True)
    assert result["killed"]
