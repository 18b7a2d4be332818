# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stage is cancelled, unless it had succeeded by then; whoever fails leaves that of another alone."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _process, _under_way
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import Stage, stage_record

MODULE = pathlib.Path(__file__).resolve().parents[3] / "plugins/modules/stage.py"


@pytest.fixture
def run(tmp_path: pathlib.Path) -> Run:
    made = Run(str(tmp_path / "run"))
    made.create({"queue": [1]})
    return made


def cancel(run: Run, since: int | None) -> dict[str, t.Any]:
    given = {"state": "cancelled", "cancelled_by": "build"}
    found: dict[str, t.Any] = call(run, given if since is None else {**given, "since_ns": since})["stage"]
    return found


def call(run: Run, given: dict[str, t.Any]) -> dict[str, t.Any]:
    arguments = {"run_dir": run.path, "stage": "lint", **given}
    done = subprocess.run(
        [sys.executable, str(MODULE), json.dumps({"ANSIBLE_MODULE_ARGS": arguments})],
        env=dict(os.environ),
        capture_output=True,
        check=False,
        text=True,
    )
    result: dict[str, t.Any] = json.loads(done.stdout)
    return result


def test_a_success_meanwhile_stays(run: Run) -> None:
    with stage_record(Stage(run, "lint"), {}) as stage:
        stage.facts = {"errors": 0}
    before = run.stage("lint")
    assert before is not None
    # Its process died between the record and the note.
    _under_way.begin(run, "lint", {}, alone=False)
    assert cancel(run, before["started_ns"] - 1)["verdict"] == "success"
    assert run.stage("lint") == before and _under_way.names(run) == []


@pytest.mark.parametrize("later", [None, 1])
def test_one_of_an_earlier_try_does_not(run: Run, later: int | None) -> None:
    with stage_record(Stage(run, "lint"), {}):
        pass
    before = run.stage("lint")
    assert before is not None
    assert cancel(run, before["started_ns"] + later if later else None)["verdict"] == "cancelled"
    found = run.stage("lint")
    assert found is not None and found["cancelled_by"] == "build"


def test_a_failure_before_the_beginning_leaves_the_stage_of_another_alone(run: Run) -> None:
    one = _process.identity(os.getpid())
    other = _process.identity(os.getppid())
    _under_way.begin(run, "lint", {"controller": one}, alone=False)
    given = {"state": "failure", "reason": "no_workspace", "explanation": "There is no workspace."}
    result = call(run, {**given, "controller": other})
    assert result["reason"] == "no_workspace" and "There is no workspace." in result["msg"]
    assert run.stage("lint") is None and _under_way.names(run) == ["lint"]
    call(run, {**given, "controller": one})
    record = run.stage("lint")
    assert record is not None and record["verdict"] == "failure" and _under_way.names(run) == []
