# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same queue gives the same commits; what does not merge says which file and which change."""

from __future__ import annotations

import os
import pathlib
import subprocess
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._sources import _resumed
from ansible_collections.distrogate.ci.tests.unit.sources.repositories import ENVIRONMENT, Machine, Project


def refused(reason: str) -> t.Any:
    return pytest.raises(DistrogateError, check=lambda error: error.reason == reason)


def test_the_same_on_two_machines(tmp_path: pathlib.Path, project: Project) -> None:
    other = Project(tmp_path / "review" / "world")
    one = project.change(1, {"file": "two\n" + "one\n" * 8})
    two = other.change(2, {"new": "x"})
    three = project.change(3, {"file": "one\n" * 8 + "three\n"})
    made = []
    for name in ("first", "second"):
        made.append(Machine(tmp_path / name, project, other).workspace(one, two, three))
    assert made[0] == made[1]
    assert made[0]["hello"]["count"] == 3
    assert made[0]["world"]["base_commit"] == other.base
    checkout = tmp_path / "first" / "workspace" / "hello"
    assert (checkout / "file").read_text() == "two\n" + "one\n" * 7 + "three\n"
    assert sorted(os.listdir(checkout)) == [".git", "file", "other"]


def test_the_second_on_top_of_the_first(machine: Machine, project: Project) -> None:
    one = project.change(1, {"a": "1"})
    project.git("reset", "-q", "--hard", one["ref"])
    two = project.change(2, {"b": "2"})
    alone, both = machine.workspace(two), machine.workspace(one, two)
    assert alone["hello"]["tree"] == both["hello"]["tree"]
    assert machine.freeze(one, two)["ahead"] == [machine.freeze(one)["queue_key"]]
    assert sorted(os.listdir(machine.folder / "workspace" / "hello")) == [".git", "a", "b", "file", "other"]


def test_conflicts_name_files_and_change(machine: Machine, project: Project) -> None:
    one = project.change(1, {"file": "mine\n", "other": None})
    two = project.change(2, {"file": "yours\n", "other": "changed\n"})
    before = machine.workspace(one)
    with refused("merge_conflict") as caught:
        machine.workspace(one, two)
    assert "Change 2 does not merge into hello main: conflict in file, other" in caught.value.message
    assert caught.value.details["change"]["change_id"] == "2"
    assert machine.workspace(one) == before


def test_unrelated_histories(machine: Machine, project: Project) -> None:
    made = project.git("commit-tree", project.git("rev-parse", "HEAD^{tree}"), stdin=b"x")
    with refused("merge_failed"):
        machine.workspace(project.propose(1, made))


def test_what_is_merged_already(machine: Machine, project: Project) -> None:
    change = project.propose(1, project.base)
    assert machine.workspace(change)["hello"]["commit"] == project.base


def test_frozen_commits_stay(machine: Machine, project: Project) -> None:
    """A branch that moves, and a change that gets a new patch set, change nothing of what is frozen."""
    change = project.change(1, {"a": "1"})
    frozen = machine.freeze(change)
    before = machine.prepare(frozen)
    project.base = project.commit({"b": "2"})
    project.change(1, {"a": "other"})
    machine.freeze(change)
    assert machine.prepare(frozen) == before
    assert machine.freeze(change)["queue"] != frozen["queue"]


def test_frozen_with_other_inputs(machine: Machine, project: Project) -> None:
    change = project.change(1, {"a": "1"})
    frozen = {"id": "x", "profile": "p", **machine.freeze(change)}
    project.base = project.commit({"b": "2"})
    ask: dict[str, t.Any] = {"projects": machine.projects, "settings": {"profile": "p"}}
    _resumed.refuse_others(frozen, [change], **ask)
    _resumed.refuse_others(frozen, [{**change, "commit": frozen["queue"][0]["commit"]}], **ask)
    for queue, more in (
        ([change, {**change, "change_id": "2"}], {}),
        ([{**change, "patch_set": "2"}], {}),
        ([{**change, "commit": "0" * 40}], {}),
        ([change], {"settings": {"profile": "q"}}),
        ([change], {"projects": {"hello": {"url": "elsewhere"}}}),
        ([change], {"projects": {}}),
    ):
        with refused("run_frozen"):
            _resumed.refuse_others(frozen, queue, **{**ask, **more})


def test_commits_and_tags(machine: Machine, project: Project) -> None:
    change = project.change(1, {"a": "1"})
    commit = project.git("rev-parse", change["ref"])
    project.git("tag", "-a", "-m", "x", "v1", commit)
    tag = project.git("rev-parse", "v1")
    project.git("update-ref", change["ref"], tag)
    by_tag = machine.freeze({**change, "commit": tag})
    assert by_tag["queue"][0]["commit"] == commit
    assert machine.prepare(by_tag)["hello"]["count"] == 2
    with refused("no_commit"):
        machine.freeze({**change, "commit": "1" * 40})


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"project": "nosuch"}, "unknown_project"), ({"ref": "refs/changes/9/9/9"}, "command_failed")],
)
def test_what_is_not_there(machine: Machine, project: Project, change: t.Any, reason: str) -> None:
    with refused(reason):
        machine.freeze({**project.change(1, {"a": "1"}), **change})


def test_two_branches_and_no_url(machine: Machine, project: Project) -> None:
    project.git("branch", "old")
    one, two = project.change(1, {"a": "1"}), project.change(2, {"b": "1"})
    with refused("two_branches"):
        machine.freeze(one, {**two, "branch": "old"})
    machine.projects["hello"] = t.cast(t.Any, {"packages": {}})
    with refused("bad_project"):
        machine.freeze(one)


def test_a_date_that_no_archive_holds(machine: Machine, project: Project) -> None:
    project._clock = 1 << 33
    with refused("bad_date"):
        machine.workspace(project.change(1, {"a": "1"}))


def prepared(folder: pathlib.Path, project: Project, ref: str) -> str:
    """What another system merged."""
    folder.mkdir()
    subprocess.run(
        ["git", "clone", "-q", str(project.path), str(folder / "hello")], env=ENVIRONMENT, check=True
    )
    argv = ["git", "-C", str(folder / "hello")]
    subprocess.run([*argv, "fetch", "-q", "origin", ref], env=ENVIRONMENT, check=True)
    subprocess.run([*argv, "checkout", "-q", "FETCH_HEAD"], env=ENVIRONMENT, check=True)
    return str(folder)


def test_prepared_checkouts(machine: Machine, project: Project, tmp_path: pathlib.Path) -> None:
    one, two = project.change(1, {"a": "1"}), project.change(2, {"b": "1"})
    folder = prepared(tmp_path / "zuul", project, one["ref"])
    made = machine.workspace(one, prepared=folder)["hello"]
    assert made["commit"] == project.git("rev-parse", one["ref"])
    with refused("not_prepared"):
        machine.workspace(one, two, prepared=folder)


def test_killed_while_it_was_made(machine: Machine, project: Project) -> None:
    change = project.change(1, {"a": "1"})
    workspace = machine.folder / "workspace"
    (workspace / ".new-hello").mkdir(parents=True)
    (workspace / "hello" / "rest").mkdir(parents=True)
    machine.workspace(change)
    assert os.listdir(workspace) == ["hello"]
    assert not (workspace / "hello" / "rest").exists()
