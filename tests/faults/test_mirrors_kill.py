# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients, daemons and whole sets of them die at random moments, and daemons at each step of a run.

200 deaths, or as many as DISTROGATE_FAULTS_SECONDS allow for; DISTROGATE_FAULTS_SEED
repeats their order. The client at every system call is in test_kill.py.
"""

from __future__ import annotations

import pathlib
import time

import pytest

from ansible_collections.distrogate.ci.tests.faults.kill import end_agent
from ansible_collections.distrogate.ci.tests.faults.mirrors_kill import Outages
from ansible_collections.distrogate.ci.tests.faults.siege import Budget

_DEATHS = 200


@pytest.mark.faults
def test_something_dies(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    budget = Budget.from_environment()
    end = time.monotonic() + (budget.seconds or 3600)
    with capsys.disabled():
        print(f"\nmirrors die: DISTROGATE_FAULTS_SEED={budget.seed}", end=" ", flush=True)
    try:
        with Outages(tmp_path, budget.seed) as outages:
            while outages.rounds < _DEATHS and time.monotonic() < end:
                outages.round()
            mismatches = outages.readers.end()
    finally:
        end_agent(tmp_path)
    with capsys.disabled():
        print(outages, end=" ", flush=True)
    assert not mismatches, "\n".join(mismatches[:20])
