# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Strange names and trees, for DISTROGATE_FAULTS_SECONDS or until all was tried; see mirrors_hostile.py."""

from __future__ import annotations

import pathlib
import time

import pytest

from ansible_collections.distrogate.ci.tests.faults.mirrors_hostile import REFUSALS, Hostile
from ansible_collections.distrogate.ci.tests.faults.mirrors_planted import Planted
from ansible_collections.distrogate.ci.tests.faults.siege import Budget

_TREES = 100


@pytest.mark.faults
def test_strange_sources(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    budget = Budget.from_environment(share=2)
    end = time.monotonic() + (budget.seconds or 3600)
    with Hostile(tmp_path, budget.seed) as world:
        world.every_name()
        for what in REFUSALS:
            world.refusal(what)
        for number in range(_TREES):
            if time.monotonic() > end:
                break
            world.grow(40)
            world.same(f"DISTROGATE_FAULTS_SEED={budget.seed}, tree {number}")
    with capsys.disabled():
        print(
            f"\nstrange sources: DISTROGATE_FAULTS_SEED={budget.seed} {world.tried} runs", end=" ", flush=True
        )
    assert world.refused >= len(REFUSALS) - 1


@pytest.mark.faults
def test_strange_mirrors(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    budget = Budget.from_environment(share=2)
    end = time.monotonic() + (budget.seconds or 3600)
    with Planted(tmp_path, budget.seed) as world:
        cases = world.cases()
        for name, what in cases[budget.begin :]:
            if time.monotonic() > end:
                break
            world.attempt(name, what)
    with capsys.disabled():
        print(
            f"\nstrange mirrors: DISTROGATE_FAULTS_SEED={budget.seed} {world.planted} of {len(cases)} cases,"
            f" {len(world.refusals)} refused: {world.refusals}",
            end=" ",
            flush=True,
        )
