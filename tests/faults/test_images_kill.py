# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images are being made when their builders are killed.

50 deaths with a small root filesystem and 3 with a real one, or as many as DISTROGATE_FAULTS_SECONDS allow
for; DISTROGATE_FAULTS_SEED repeats their order.
"""

from __future__ import annotations

import pathlib
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.faults.images_kill import Builds, busybox
from ansible_collections.distrogate.ci.tests.faults.siege import Budget


@pytest.mark.faults
@pytest.mark.parametrize(("kind", "deaths"), [("small", 50), ("real", 3)])
def test_a_build_dies(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], kind: str, deaths: int
) -> None:
    budget = Budget.from_environment()
    end = time.monotonic() + (budget.seconds or 7200)
    request: dict[str, t.Any] = {"name": kind, "formats": ["tar", "raw", "root"]}
    if kind == "small":
        request["base"] = busybox(tmp_path / "base.tar")
    else:
        request.update(suite="bookworm", packages=["hello"], formats=["tar", "raw"])
    builds = Builds(tmp_path, budget.seed, request)
    with capsys.disabled():
        print(f"\n{kind}: DISTROGATE_FAULTS_SEED={budget.seed}", flush=True)
        while builds.deaths < deaths and time.monotonic() < end:
            print(builds.round(), flush=True)
    assert builds.deaths
