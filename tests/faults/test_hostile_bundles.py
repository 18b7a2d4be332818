# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""More than a thousand bundles, envelopes and records that somebody changed: each is refused, with a reason.

DISTROGATE_FAULTS_SEED repeats a run. Each kind is tried equally often.
"""

from __future__ import annotations

import collections
import pathlib
import random
import time

import pytest

from ansible_collections.distrogate.ci.tests.faults.hostile.bundle_mutants import MUTANTS
from ansible_collections.distrogate.ci.tests.faults.hostile.bundle_run import SealedRun
from ansible_collections.distrogate.ci.tests.faults.hostile.bundle_stages import STAGE_MUTANTS
from ansible_collections.distrogate.ci.tests.faults.siege import Budget

_NUMBER = 1000


@pytest.mark.faults
def test_hostile_bundles(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    budget = Budget.from_environment()
    end = time.monotonic() + (budget.seconds or 3600)
    run = SealedRun(tmp_path)
    kinds = sorted({**MUTANTS, **STAGE_MUTANTS})
    refused: collections.Counter[str] = collections.Counter()
    taken = []
    tried = 0
    # The thousand first, then as many as the time allows.
    while tried < _NUMBER or (budget.seconds and time.monotonic() < end):
        kind = kinds[tried % len(kinds)]
        rng = random.Random(f"{budget.seed} {tried}")
        if kind in MUTANTS:
            reason = run.refusal(MUTANTS[kind](run, rng))
        else:
            reason = run.seal_refusal(*STAGE_MUTANTS[kind](run, rng))
        refused.update([reason])
        taken += [] if reason else [f"{kind} {tried}"]
        tried += 1
    with capsys.disabled():
        print(f"\nhostile bundles: DISTROGATE_FAULTS_SEED={budget.seed} {tried} tried, refused for", end=" ")
        print(", ".join(f"{reason or 'NOTHING'} ({count})" for reason, count in refused.most_common()))
    assert not taken, f"{len(taken)} were taken: {taken[:20]}"
    assert run.refusal(run.files()) == "", "what nobody changed is refused, too"
