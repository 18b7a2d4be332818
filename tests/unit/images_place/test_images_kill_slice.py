# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A few of the deaths that tests/faults/test_images_kill.py makes many of."""

from __future__ import annotations

import pathlib

from ansible_collections.distrogate.ci.tests.faults.images_kill import Builds, busybox


def test_a_build_dies(tmp_path: pathlib.Path) -> None:
    request = {"name": "small", "base": busybox(tmp_path / "base.tar"), "formats": ["tar", "raw", "root"]}
    builds = Builds(tmp_path, 8, request)
    while builds.deaths < 2:
        builds.round()
