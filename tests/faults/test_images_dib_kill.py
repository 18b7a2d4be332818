# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kill -9 of a build by diskimage-builder at many instants: the next build finds nothing of it."""

from __future__ import annotations

import os
import pathlib
import random
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.faults.images_builds import ELEMENTS, Builds

SECONDS = float(os.environ.get("DISTROGATE_KILL_SECONDS", "60"))  # for all of it
MOST = 50


@pytest.fixture(name="builds")
def _builds(tmp_path: pathlib.Path) -> Builds:
    options: dict[str, t.Any] = {
        "name": "tiny",
        "builder": "dib",
        "elements": ["tiny"],
        "element_path": [str(ELEMENTS)],
        "environment": {"SKIP_BASE": "1"},
        "formats": ["tar"],
    }
    return Builds(tmp_path, options)


def test_killed(builds: Builds) -> None:
    begin = time.monotonic()
    builds.run()
    whole = time.monotonic() - begin
    builds.clean()
    seed = random.randrange(1 << 30)
    print(f"seed {seed}, a whole build takes {whole:.1f} s")
    chance = random.Random(seed)
    killed = 0
    while killed < MOST and (killed < 2 or time.monotonic() - begin < SECONDS - whole):
        builds.options["environment"] = {"SKIP_BASE": "1", "TINY_WORD": f"word{killed}"}
        killed += builds.kill(chance.uniform(0, whole))
        builds.survived()
    result = builds.run()
    builds.clean()
    assert not result.get("failed") and killed
    print(f"killed {killed} builds")
