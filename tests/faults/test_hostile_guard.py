# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Strange commands for a guard, for DISTROGATE_FAULTS_SECONDS or 60; DISTROGATE_FAULTS_SEED repeats them."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.distrogate.ci.tests.faults.guard_host import Host
from ansible_collections.distrogate.ci.tests.faults.hostile.guard import Storm
from ansible_collections.distrogate.ci.tests.faults.siege import Budget


@pytest.mark.faults
def test_strange_commands(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    budget = Budget.from_environment(seconds=60)
    host = Host(tmp_path)
    host.raise_fence(7, ttl=604800)
    host.raise_fence(3, "b", te="te2")
    storm = Storm(host, budget.seed)
    with capsys.disabled():
        print(f"\nguard: DISTROGATE_FAULTS_SEED={budget.seed}", end=" ", flush=True)
        storm.run(budget.seconds)
        print(
            f"{storm.tried} commands, {storm.taken} of them right, {storm.calls} calls", end=" ", flush=True
        )
    assert storm.taken and storm.calls
