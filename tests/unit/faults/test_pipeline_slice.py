# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of a short pipeline that is killed three times, each time in another way, and ends well."""

from __future__ import annotations

import pathlib
import random

import pytest

from ansible_collections.distrogate.ci.tests.demo.site import shared_rootfs
from ansible_collections.distrogate.ci.tests.faults import pipeline_processes as processes
from ansible_collections.distrogate.ci.tests.faults.pipeline_kill import VICTIMS, Deaths
from ansible_collections.distrogate.ci.tests.faults.pipeline_site import SHORT

_ROOTFS = shared_rootfs() / "build/current/rootfs"


@pytest.mark.faults
@pytest.mark.skipif(not _ROOTFS.exists(), reason="there is no root filesystem to build in: make demo")
def test_a_few_deaths(tmp_path: pathlib.Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"DISTROGATE_FAULTS_SEED={seed}")  # shown when it fails
    with Deaths(tmp_path / "site", seed) as killed:
        for _round in range(5):  # a run may end before the first of the instants comes
            print(killed.round("gate", random.Random(seed).sample(VICTIMS, 3), SHORT))
            if killed.deaths:
                break
        assert killed.deaths
    assert processes.of_site(tmp_path) == {}
    assert not (tmp_path / "site").exists()
