# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A build that read what may have changed since is not taken from another run."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import Stage, stage_record
from ansible_collections.distrogate.ci.plugins.module_utils._packages._build_stage import agreed


@pytest.mark.parametrize(
    ("given", "shared"),
    [
        ({}, "/srv/shared"),
        ({"sources": ["deb http://host/ x main"]}, None),
        ({"bind": ["/srv/repositories"]}, None),
    ],
)
def test_shared(tmp_path: pathlib.Path, given: dict[str, t.Any], shared: str | None) -> None:
    run = Run(str(tmp_path / "run"))
    run.create({"queue": [{"project": "a"}]})
    with stage_record(Stage(run, "workspace"), {}) as stage:
        stage.facts = {"projects": {"a": {"tree": "1"}}}
    params = {
        "rootfs": str(tmp_path),
        "projects": [],
        "sources": [],
        "bind": [],
        "reads": ["workspace"],
        "adds": None,
        "force": False,
        "shared": "/srv/shared",
        "code": "sha256:1",
        "controller": None,
        **given,
    }
    found = agreed(run, params)
    assert found.shared == shared and found.inputs["workspace"] == {"a": {"tree": "1"}}
