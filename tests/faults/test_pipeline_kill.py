# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""check, gate and post are killed at random instants, and run again.

100 deaths with a small package and 5 with a real one, or as many as DISTROGATE_FAULTS_SECONDS allow for;
DISTROGATE_FAULTS_SEED repeats their order.
"""

from __future__ import annotations

import pathlib
import time

import pytest

from ansible_collections.distrogate.ci.tests.faults.pipeline_kill import Deaths
from ansible_collections.distrogate.ci.tests.faults.siege import Budget


@pytest.mark.faults
@pytest.mark.parametrize(
    ("project", "deaths", "part"),
    [("tiny", 50, 0), ("tiny", 50, 1), ("hello", 5, 2)],
    ids=["tiny-1", "tiny-2", "hello"],  # which may run at once (-n 2)
)
def test_a_pipeline_dies(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], project: str, deaths: int, part: int
) -> None:
    budget = Budget.from_environment()
    seed = budget.seed + part
    end = time.monotonic() + (budget.seconds or 7200)
    with capsys.disabled():
        print(f"\n{project}: DISTROGATE_FAULTS_SEED={seed - part}", flush=True)
    with Deaths(tmp_path / "site", seed, project) as killed:
        while killed.deaths < deaths and time.monotonic() < end:
            # The real build is what check and gate do.
            told = killed.round("" if project == "tiny" else killed.chance.choice(("check", "gate")))
            with capsys.disabled():
                print(told, flush=True)
    with capsys.disabled():
        print(killed, flush=True)
    assert killed.deaths
