# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A short run of the hostile bundles and envelopes; tests/faults does a thousand of them."""

from __future__ import annotations

import pathlib
import random

import pytest

from ansible_collections.distrogate.ci.tests.faults.hostile.bundle_mutants import MUTANTS
from ansible_collections.distrogate.ci.tests.faults.hostile.bundle_run import SealedRun
from ansible_collections.distrogate.ci.tests.faults.hostile.bundle_stages import STAGE_MUTANTS

_EACH = 8


@pytest.fixture
def run(tmp_path: pathlib.Path) -> SealedRun:
    return SealedRun(tmp_path)


def test_what_nobody_changed_is_promoted_and_sealed(run: SealedRun) -> None:
    assert run.refusal(run.files()) == ""
    assert run.seal_refusal(*run.sealable()) == ""


@pytest.mark.parametrize("kind", sorted(MUTANTS))
def test_what_somebody_changed_is_not_promoted(run: SealedRun, kind: str) -> None:
    for seed in range(_EACH):
        files = MUTANTS[kind](run, random.Random(seed))
        assert files != run.files(), f"{kind} {seed} changed nothing"
        assert run.refusal(files), f"{kind} {seed} was taken"
    assert run.refusal(run.files()) == ""


@pytest.mark.parametrize("kind", sorted(STAGE_MUTANTS))
def test_what_no_stage_may_record_is_not_sealed(run: SealedRun, kind: str) -> None:
    for seed in range(_EACH):
        frozen, stages = STAGE_MUTANTS[kind](run, random.Random(seed))
        assert run.seal_refusal(frozen, stages), f"{kind} {seed} was sealed"
