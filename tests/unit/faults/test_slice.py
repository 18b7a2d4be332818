# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ten seconds of ``make faults``, so that every change sees some kills."""

from __future__ import annotations

import random
import shutil

import pytest

from ansible_collections.distrogate.ci.tests.faults.kill import besiege
from ansible_collections.distrogate.ci.tests.faults.subjects import SUBJECTS


@pytest.mark.faults
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize("name", sorted(SUBJECTS))
def test_a_few_kills(name: str) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"DISTROGATE_FAULTS_SEED={seed}")  # shown when it fails
    assert besiege(SUBJECTS[name], 3.3, seed)["tried"]
