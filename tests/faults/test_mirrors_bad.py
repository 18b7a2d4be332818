# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One of three mirrors is bad in every way there is; see mirrors_bad.py.

All kinds are tried at least once, and again while DISTROGATE_FAULTS_SECONDS
last; DISTROGATE_FAULTS_SEED repeats their order.
"""

from __future__ import annotations

import pathlib
import random
import time

import pytest

from ansible_collections.distrogate.ci.tests.faults.kill import end_agent
from ansible_collections.distrogate.ci.tests.faults.mirrors_bad import KINDS, BadMirror
from ansible_collections.distrogate.ci.tests.faults.siege import Budget

_ROUNDS = 3


@pytest.mark.faults
def test_bad_mirrors(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    budget = Budget.from_environment()
    end = time.monotonic() + (budget.seconds or 3600)
    kinds, rounds = random.Random(budget.seed).sample(sorted(KINDS), len(KINDS)), 0
    with capsys.disabled():
        print(f"\nbad mirrors: DISTROGATE_FAULTS_SEED={budget.seed}", end=" ", flush=True)
    try:
        with BadMirror(tmp_path, budget.seed) as world:
            while rounds < _ROUNDS and (not rounds or time.monotonic() < end):
                for kind in kinds:
                    world.attempt(kind)
                rounds += 1
            mismatches = world.readers.end()
    finally:
        end_agent(tmp_path)
    with capsys.disabled():
        print(f"{rounds} times {len(kinds)} kinds; {world.readers}")
        print("\n".join(f"  {kind}: {said}" for kind, said in sorted(world.said.items())))
    assert not mismatches, "\n".join(mismatches[:20])
