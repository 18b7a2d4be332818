# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run directory: frozen once, one record a stage, whatever happens to the stage."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run, file_artifact
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import Stage, stage_record


@pytest.fixture
def run(tmp_path: pathlib.Path) -> Run:
    made = Run(str(tmp_path / "run"))
    made.create({"created": "2026-01-01T00:00:00Z", "queue": [1]})
    return made


def refused(reason: str) -> t.Any:
    return pytest.raises(DistrogateError, check=lambda error: error.reason == reason)


def test_frozen_once(run: Run) -> None:
    before = pathlib.Path(run.file("run.json")).read_bytes()
    run.create({"created": "2027-01-01T00:00:00Z", "queue": [1]})
    with refused("run_frozen"):
        run.create({"created": "2026-01-01T00:00:00Z", "queue": [2]})
    assert pathlib.Path(run.file("run.json")).read_bytes() == before


def test_other_versions_and_none(run: Run, tmp_path: pathlib.Path) -> None:
    pathlib.Path(run.file("run.json")).write_text('{"version": 2}')
    with refused("run_version"):
        assert run.frozen
    pathlib.Path(run.file("run.json")).write_text("{")
    with refused("bad_json"):
        assert run.frozen
    with refused("no_run"):
        assert Run(str(tmp_path)).frozen


@pytest.mark.parametrize("name", ["", "A", "../x", "a/b", "a\n", "a.json", "9", "a" * 65])
def test_names_of_stages(run: Run, name: str) -> None:
    with refused("bad_name"):
        run.stage(name)
    with refused("bad_name"), stage_record(Stage(run, name), {}):
        pass


def test_success(run: Run) -> None:
    result: dict[str, t.Any] = {}
    with stage_record(Stage(run, "build"), result) as stage:
        pathlib.Path(run.file("artifacts", "a.deb")).write_bytes(b"deb")
        stage.artifacts = [file_artifact(run, run.file("artifacts", "a.deb"), "deb", package="a")]
        pathlib.Path(stage.log).write_text("log")
    assert result["stage"]["verdict"] == "success" and result["stage"]["log"] == run.log("build")
    record = run.stage("build")
    assert record is not None and record["logs"] == ["logs/build.log"]
    assert [a["path"] for a in run.artifacts("deb")] == ["artifacts/a.deb"]
    assert run.artifacts()[0]["size"] == 3 and not run.artifacts("rpm")


def test_failure(run: Run) -> None:
    result: dict[str, t.Any] = {}
    with refused("bad") as caught, stage_record(Stage(run, "build"), result) as stage:
        pathlib.Path(stage.log).write_text("log")
        stage.artifacts = [{"type": "deb"}]
        raise DistrogateError("bad", "It is bad.", msg="not this", files=["a"])
    assert caught.value.message == f"Stage build failed: It is bad.\nThe log is {run.log('build')}"
    assert caught.value.details == {"files": ["a"]}
    assert (result["stage"]["verdict"], result["stage"]["reason"]) == ("failure", "bad")
    assert run.artifacts() == []


def test_an_error_of_ours(run: Run) -> None:
    result: dict[str, t.Any] = {}
    with pytest.raises(ZeroDivisionError), stage_record(Stage(run, "build"), result):
        raise ZeroDivisionError
    record = run.stage("build")
    assert record is not None and record["reason"] == "internal_error"
    assert "ZeroDivisionError" in pathlib.Path(run.log("build")).read_text()
    assert result["stage"]["verdict"] == "failure"


def test_a_killed_stage_does_not_look_like_the_one_before(run: Run) -> None:
    with stage_record(Stage(run, "build"), {}):
        pass
    if (child := os.fork()) == 0:
        with stage_record(Stage(run, "build"), {}):
            os._exit(9)
    os.waitpid(child, 0)
    assert run.stage("build") is None
    assert run.stages() == {}


def test_in_the_order_of_their_beginning(run: Run) -> None:
    for name in ("z", "a", "m"):
        with stage_record(Stage(run, name), {}):
            pass
    pathlib.Path(run.file("stages", ".tmp-x")).write_text("{")
    assert list(run.stages()) == ["z", "a", "m"]


def test_nothing_leaves(run: Run) -> None:
    with refused("bad_name"):
        run.file("..", "x")
    assert json.loads(pathlib.Path(run.file("run.json")).read_text())["queue"] == [1]
