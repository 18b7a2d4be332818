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


def given_run(path: pathlib.Path) -> Run:
    run = Run(str(path))
    run.create({"queue": [{"project": "a"}]})
    with stage_record(Stage(run, "workspace"), {}) as stage:
        stage.facts = {"projects": {"a": {"tree": "1"}}}
    return run


OPTIONS: dict[str, t.Any] = {
    "projects": [],
    "sources": [],
    "bind": [],
    "reads": ["workspace"],
    "adds": None,
    "force": False,
    "shared": "/srv/shared",
    "code": "sha256:1",
    "controller": None,
}


def test_a_root_filesystem_made_anew_is_another(tmp_path: pathlib.Path) -> None:
    """Its folder is named by its recipe alone."""
    run = given_run(tmp_path / "run")
    status = tmp_path / "0a1b" / "rootfs" / "var/lib/dpkg/status"
    status.parent.mkdir(parents=True)
    (tmp_path / "current").symlink_to("0a1b")
    keys = []
    for installed in ("gcc 1", "gcc 1", "gcc 2"):
        status.write_text(installed)
        rootfs = str(tmp_path / "current" / "rootfs")
        stage = Stage(run, "build", agreed(run, {**OPTIONS, "rootfs": rootfs}))
        stage.look()
        keys.append(stage.key)
        assert stage.terms.inputs["rootfs"]["path"] == str(tmp_path / "0a1b/rootfs")
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("given", "shared"),
    [
        ({}, "/srv/shared"),
        ({"sources": ["deb http://host/ x main"]}, None),
        ({"bind": ["/srv/repositories"]}, None),
    ],
)
def test_shared(tmp_path: pathlib.Path, given: dict[str, t.Any], shared: str | None) -> None:
    run = given_run(tmp_path / "run")
    params = {**OPTIONS, "rootfs": str(tmp_path), **given}
    found = agreed(run, params)
    assert found.shared == shared and found.inputs["workspace"] == {"a": {"tree": "1"}}
