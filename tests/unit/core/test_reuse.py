# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stage whose inputs are those of an earlier success is not run again; any difference runs it."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _under_way
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._reuse import remember, reused
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run, file_artifact
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import Stage, Terms, stage_record

TERMS = Terms(code="sha256:1", settings={"fail_on": "error"}, reads=("build",))


def make_run(path: pathlib.Path, package: bytes = b"deb") -> Run:
    run = Run(str(path))
    run.create({"queue": [1]})
    with stage_record(Stage(run, "build"), {}) as stage:
        pathlib.Path(run.file("artifacts", "a.deb")).write_bytes(package)
        stage.artifacts = [file_artifact(run, run.file("artifacts", "a.deb"), "deb")]
    return run


@pytest.fixture
def run(tmp_path: pathlib.Path) -> Run:
    return make_run(tmp_path / "runs" / "one")


def go(run: Run, agreed: Terms, name: str = "lint", contents: bytes = b"report") -> tuple[bool, t.Any]:
    """Run the stage, or take an earlier result; whether it was taken, and the result."""
    stage, result = Stage(run, name, agreed), {}
    if reused(stage, result) is not None:
        return True, result
    with stage_record(stage, result):
        path = pathlib.Path(run.file("artifacts", "report"))
        path.write_bytes(contents)
        pathlib.Path(stage.log).write_text("all is well")
        stage.artifacts = [file_artifact(run, str(path), "report")]
        stage.facts = {"errors": 0}
    remember(stage)
    return False, result


def test_the_same_again(run: Run) -> None:
    assert go(run, TERMS)[0] is False
    before = run.stage("lint")
    taken, result = go(run, TERMS)
    assert taken and result["stage"]["reused"] == "this_run" and result["stage"]["verdict"] == "success"
    assert "its earlier result is reused" in result["msg"]
    assert run.stage("lint") == before


@pytest.mark.parametrize(
    "other",
    [
        {"code": "sha256:2"},
        {"code": ""},
        {"settings": {"fail_on": "warning"}},
        {"inputs": {"rootfs": "other"}},
        {"force": True},
    ],
)
def test_any_difference_runs_it(run: Run, other: dict[str, t.Any]) -> None:
    go(run, TERMS)
    assert go(run, dataclasses.replace(TERMS, **other))[0] is False


def test_what_was_read_changed(run: Run) -> None:
    go(run, TERMS)
    with stage_record(Stage(run, "build"), {}) as stage:
        stage.facts = {"new": 1}
    assert go(run, TERMS)[0] is False


def test_a_failure_is_no_result(run: Run) -> None:
    with pytest.raises(DistrogateError), stage_record(Stage(run, "lint", TERMS), {}):
        raise DistrogateError("bad", "Bad.")
    assert go(run, TERMS)[0] is False


@pytest.mark.parametrize("damage", ["changed", "gone", "link"])
def test_a_damaged_artifact_is_made_anew(run: Run, damage: str, tmp_path: pathlib.Path) -> None:
    go(run, TERMS)
    path = pathlib.Path(run.file("artifacts", "report"))
    whole = path.read_bytes()
    path.unlink()
    if damage == "changed":
        path.write_bytes(b"other.")
    if damage == "link":
        (tmp_path / "elsewhere").write_bytes(whole)
        path.symlink_to(tmp_path / "elsewhere")
    assert go(run, TERMS)[0] is False


def test_what_it_reads_must_have_succeeded(run: Run) -> None:
    with pytest.raises(DistrogateError, match="publish_test gives, which has not run") as caught:
        reused(Stage(run, "lint", dataclasses.replace(TERMS, reads=("publish_test",))), {})
    assert caught.value.reason == "stage_missing"


def test_between_runs(run: Run, tmp_path: pathlib.Path) -> None:
    shared = dataclasses.replace(TERMS, shared=str(tmp_path / "shared"))
    go(run, shared)
    other = make_run(tmp_path / "runs" / "two")
    taken, result = go(other, shared)
    assert taken and result["stage"]["reused"] == "one" and "reused from one" in result["msg"]
    assert pathlib.Path(other.file("artifacts", "report")).read_bytes() == b"report"
    assert pathlib.Path(other.log("lint")).read_text() == "all is well"
    record = other.stage("lint")
    assert record is not None and record["facts"] == {"errors": 0} and record["reused"] == "one"
    assert _under_way.names(other) == []
    # A third run says where it was made, and it is taken as one of this run when asked for again.
    assert go(make_run(tmp_path / "runs" / "three"), shared)[1]["stage"]["reused"] == "one"
    assert go(other, shared)[1]["stage"]["reused"] == "one"


def test_between_runs_only_what_is_whole(run: Run, tmp_path: pathlib.Path) -> None:
    shared = dataclasses.replace(TERMS, shared=str(tmp_path / "shared"))
    go(run, shared)
    pathlib.Path(run.file("artifacts", "report")).write_bytes(b"changed")
    other = make_run(tmp_path / "runs" / "two")
    assert go(other, shared)[0] is False
    (entry,) = (tmp_path / "shared").iterdir()
    texts = ("{", "[]", "{}", '{"version": 1, "run": 5}', '{"version": 1, "run": "/nowhere"}')
    for number, text in enumerate(texts):
        entry.write_text(text)
        assert go(make_run(tmp_path / "runs" / f"x{number}"), shared)[0] is False


def test_undeclared_artifacts_are_refused(run: Run) -> None:
    with pytest.raises(DistrogateError) as caught:
        go(run, dataclasses.replace(TERMS, adds=("deb",)))
    assert caught.value.reason == "undeclared_artifact"
    record = run.stage("lint")
    assert record is not None and record["verdict"] == "failure"


def test_all_before_are_read_those_of_a_site_and_of_groups_too(tmp_path: pathlib.Path) -> None:
    run = Run(str(tmp_path / "run"))
    run.create({"queue": [1], "stages": ["build", ["acme.site.scan", "install_test"], "seal", "promote"]})
    for name in ("build", "scan", "install_test", "promote"):
        with stage_record(Stage(run, name), {}) as stage:
            stage.facts = {"said": name}
    sealing = Terms(code="sha256:1", reads=("*",))
    assert go(run, sealing, "seal")[0] is False
    assert go(run, sealing, "seal")[0] is True
    record = run.stage("seal")
    assert record is not None and list(record["reads"]) == ["build", "install_test", "scan"]
    with stage_record(Stage(run, "scan"), {}) as stage:
        stage.facts = {"said": "something else"}
    assert go(run, sealing, "seal")[0] is False
