# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Some seconds of hostile packages, so that every change meets a few of each kind."""

from __future__ import annotations

import random

import pytest

from ansible_collections.distrogate.ci.tests.faults.hostile_expected import sorted_out
from ansible_collections.distrogate.ci.tests.faults.hostile_siege import Tally, siege, unable


@pytest.mark.faults
@pytest.mark.skipif(bool(unable()), reason=unable())
def test_some_hostile_packages() -> None:
    seed, tally = random.SystemRandom().randrange(1 << 32), Tally()
    print(f"--seed {seed}")  # shown when it fails
    siege(("apt", "rpm", "contents"), tally, "--seed", str(seed), "--shuffle", seconds=7)
    new, _known = sorted_out(tally.problems)
    assert not new
    assert tally.tried
