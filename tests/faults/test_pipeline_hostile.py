# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change that tries to write outside of its workspace touches nothing there; what git refuses, fails."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.distrogate.ci.tests.faults.pipeline_hostile import Hostile, verdicts


@pytest.mark.faults
def test_a_change_stays_in_its_place(tmp_path: pathlib.Path) -> None:
    with Hostile(tmp_path) as hostile:
        status, run, said = hostile.check(hostile.by_its_packages())
        assert verdicts(run).get("build") == "success", said
        assert {"install_test", "system_test"} <= verdicts(run).keys(), said
        for name in ("./evil", "tiny.postinst", "tiny.prerm", "tiny"):
            assert f"{name} as " in said, f"{name} did not run: {said[-5000:]}"
        assert status == 0, said
        for name in ("..", ".git"):
            status, run, said = hostile.check(hostile.by_its_tree(name))
            assert status and "failure" in verdicts(run).values(), said
            assert verdicts(run).get("workspace") != "success", said
