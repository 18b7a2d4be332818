# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A project's own tests, run in a sandbox of busybox: all of them, by nobody, and what they leave."""

from __future__ import annotations

import os
import pathlib
import pwd
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import (
    Stage,
    Terms,
    stage_record,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages import _project_test
from ansible_collections.distrogate.ci.plugins.modules.project_test import perform
from ansible_collections.distrogate.ci.tests.unit.core.people import Person, place

JUNIT = '<testsuites><testsuite name="unit"><testcase classname="a" name="b"/></testsuite></testsuites>'
LEAVES = ["sh", "-c", f"echo '{JUNIT}' >/results/unit.xml"]
LIES = ["sh", "-c", "echo '<!DOCTYPE x><testsuites/>' >/results/lies.xml"]
# Busybox has no install(1).
INSTALL = b"""#!/bin/sh
for word; do case $word in -*) ;; *) mkdir -p "$word"; chown 1000:1000 "$word" ;; esac; done
"""


@pytest.fixture(scope="module")
def rootfs() -> t.Iterator[str]:
    """A root filesystem of busybox."""
    with place() as folder:
        me = Person(pwd.getpwuid(os.getuid()).pw_name, folder)
        yield me.make_rootfs("with-install", files={"usr/bin/install": INSTALL})


def workspace(path: pathlib.Path) -> Run:
    """A run with a checkout of one project."""
    run = Run(str(path / "run"))
    run.create({"queue": [{"project": "service"}]})
    checkout = pathlib.Path(run.file("workspace", "service"))
    (checkout / ".git").mkdir(parents=True)
    (checkout / "code").write_text("good\n")
    with stage_record(Stage(run, "workspace"), {}) as stage:
        known = {"path": "workspace/service", "tree": "0a1b", "date": 1760000000, "count": 3}
        stage.facts = {"projects": {"service": known}}
    return run


def stage_of(run: Run, rootfs: str, *commands: list[str]) -> tuple[Stage, list[dict[str, str]], str]:
    """Run the stage; what it left out, and why it failed."""
    params: dict[str, t.Any] = {"commands": list(commands), "scratch": None, "timeout": 60, "environment": {}}
    stage = Stage(run, "project_test", Terms(inputs={"rootfs": {"path": rootfs}}))
    said: list[str] = []
    left_out: list[dict[str, str]] = []
    with stage_record(stage, {}):
        left_out = perform(stage, params, _project_test.tested_project(run, ""), said.append)
    return stage, left_out, "\n".join(said)


def test_the_checkout_is_tested_by_nobody_without_a_network(tmp_path: pathlib.Path, rootfs: str) -> None:
    run = workspace(tmp_path)
    looks = [
        "sh",
        "-c",
        "grep -c localhost /etc/hosts; cat code; id -u; ls -A; cat /proc/net/dev | grep -c eth; echo $HOME",
    ]
    stage, left_out, said = stage_of(run, rootfs, ["grep", "-q", "good", "code"], LEAVES, looks)
    assert pathlib.Path(stage.log).read_text().split("\n")[-7:-1] == [
        "2",
        "good",
        "1000",
        "code",
        "0",
        "/build",
    ]
    assert (stage.facts, left_out) == ({"commands": 3, "results": 1}, [])
    assert said.startswith("runs grep -q good code\n")
    record = run.stage("project_test")
    assert record and record["results"] == ["results/project_test-service-1.xml", "results/project_test.xml"]
    assert 'name="b"' in pathlib.Path(run.file("results", "project_test-service-1.xml")).read_text()


def test_all_are_run_and_each_that_failed_is_named(tmp_path: pathlib.Path, rootfs: str) -> None:
    run = workspace(tmp_path)
    with pytest.raises(DistrogateError) as caught:
        stage_of(run, rootfs, ["sh", "-c", "echo style >&2; exit 3"], LEAVES, LIES, ["nosuch"])
    assert caught.value.reason == "test_failed"
    assert "2 of 4 commands of service failed.\nsh ended with status 3:\nstyle\n" in caught.value.message
    assert "nosuch ended with status 127" in caught.value.message
    record = run.stage("project_test")
    assert record and record["results"] == ["results/project_test-service-2.xml", "results/project_test.xml"]
    assert pathlib.Path(run.file("results", "project_test.xml")).read_text().count("<failure") == 2
    assert not pathlib.Path(run.file("scratch", "project_test", "tests")).exists()


def test_no_test_at_all_is_no_success(tmp_path: pathlib.Path) -> None:
    with pytest.raises(DistrogateError, match=r"Give distrogate_projects\.service\.project_test") as caught:
        _project_test.checked_commands([], "service")
    assert caught.value.reason == "nothing_tested"
    assert _project_test.checked_commands([["true", 1]], "service") == [["true", "1"]]
    with pytest.raises(DistrogateError, match="The workspace has no project other; it has service"):
        _project_test.tested_project(workspace(tmp_path), "other")
