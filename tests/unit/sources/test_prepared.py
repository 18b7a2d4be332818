# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checkouts that Zuul has merged: what is checked out is tested, and nobody asks the review system."""

from __future__ import annotations

import pathlib
import shutil
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._sources import _resolve
from ansible_collections.distrogate.ci.plugins.module_utils._sources._prepared import checkout_path
from ansible_collections.distrogate.ci.tests.unit.sources.repositories import Machine, Project


class Zuul:
    """Merges as Zuul's merger does (git merge, as zuul, now) into a clone below ``src``."""

    def __init__(self, home: pathlib.Path, project: Project) -> None:
        self.path = home / "src" / "git.example.org" / "hello"
        self.path.parent.mkdir(parents=True)
        self._project = project
        project.git("clone", "-q", str(project.path), str(self.path))

    def merge(self, *changes: dict[str, str], squash: bool = False) -> None:
        for change in changes:
            self.git("fetch", "-q", str(self._project.path), change["ref"])
            self.git("merge", "-q", *(["--squash"] if squash else ["-m", "Merge"]), "FETCH_HEAD")
            if squash:
                self.git("commit", "-q", "-m", "squashed")

    def git(self, *arguments: str) -> str:
        return self._project.git("-C", str(self.path), *arguments)


@pytest.fixture
def zuul(tmp_path: pathlib.Path, project: Project) -> Zuul:
    return Zuul(tmp_path / "home", project)


def resolved(machine: Machine, zuul: Zuul, *queue: t.Any, pipeline: str = "gate") -> dict[str, t.Any]:
    checkouts = {"hello": str(zuul.path)}
    sources = _resolve.Sources(machine.projects, machine.cache, checkouts=checkouts)
    return _resolve.resolve(pipeline, queue, sources)


def with_commit(project: Project, change: dict[str, str]) -> dict[str, str]:
    return {**change, "commit": project.git("rev-parse", change["ref"])}


def test_the_workspace_is_what_zuul_merged(machine: Machine, project: Project, zuul: Zuul) -> None:
    one, two = project.change(1, {"file": "two\n"}), project.change(2, {"new": "x\n"})
    queue = [with_commit(project, one), with_commit(project, two)]
    zuul.merge(one, two)
    head, tree = zuul.git("rev-parse", "HEAD"), zuul.git("rev-parse", "HEAD^{tree}")
    shutil.move(project.path, project.path.with_name("gone"))  # nobody may ask the review system
    frozen = resolved(machine, zuul, *queue)
    assert frozen["projects"]["hello"]["base_commit"] == project.base
    assert frozen["prepared"]["hello"]["commit"] == head
    shutil.rmtree(zuul.path)  # the node may be gone when the stage runs again
    made = machine.prepare(frozen)["hello"]
    assert made["commit"] == frozen["prepared"]["hello"]["commit"]
    assert made["tree"] == tree
    assert (machine.folder / "workspace/hello/new").exists()


def test_it_has_the_key_that_merging_here_has(machine: Machine, project: Project, zuul: Zuul) -> None:
    """Else the layers of a change ahead that Jenkins tested would not be found."""
    one, two = project.change(1, {"file": "two\n"}), project.change(2, {"new": "x\n"})
    zuul.merge(one, two)
    here = machine.freeze(one, two)
    there = resolved(machine, zuul, with_commit(project, one), with_commit(project, two))
    assert (there["queue_key"], there["ahead"]) == (here["queue_key"], here["ahead"])
    assert there["queue"] == here["queue"]
    assert machine.prepare(there)["hello"]["tree"] == machine.prepare(here)["hello"]["tree"]


def test_a_base_that_has_moved(machine: Machine, project: Project, zuul: Zuul) -> None:
    """The base is the branch as Zuul found it, a merge of others included."""
    change = project.change(1, {"new": "x\n"})
    for number in range(5):
        project.git("checkout", "-q", "-b", f"side{number}")
        project.commit({f"side{number}": "x"})
        project.git("checkout", "-q", "main")
        project.git("merge", "-q", "--no-ff", "-m", "side", f"side{number}")
    tip = project.git("rev-parse", "main")
    zuul.git("pull", "-q", str(project.path), "main")
    zuul.merge(change)
    frozen = resolved(machine, zuul, with_commit(project, change))
    assert frozen["projects"]["hello"]["base_commit"] == tip


def test_post_takes_what_is_there(machine: Machine, project: Project, zuul: Zuul) -> None:
    change = project.change(1, {"new": "x\n"})
    zuul.merge(change)
    frozen = resolved(machine, zuul, with_commit(project, change), pipeline="post")
    assert frozen["projects"]["hello"]["base_commit"] == zuul.git("rev-parse", "HEAD")


def test_squashed(machine: Machine, project: Project, zuul: Zuul) -> None:
    change = project.change(1, {"new": "x\n"})
    zuul.merge(change, squash=True)
    with pytest.raises(DistrogateError) as caught:
        resolved(machine, zuul, with_commit(project, change))
    assert caught.value.reason in ("not_prepared", "no_commit")


def test_no_checkout(machine: Machine, project: Project, zuul: Zuul, tmp_path: pathlib.Path) -> None:
    home = str(tmp_path / "home")
    assert checkout_path(home, "src/git.example.org/hello", "hello") == str(zuul.path)
    for bad in ("src/git.example.org/other", "src"):
        with pytest.raises(DistrogateError, match="prepare-workspace"):
            checkout_path(home, bad, "hello")
    with pytest.raises(DistrogateError, match="would leave"):
        checkout_path(home, "../x", "hello")
    change = with_commit(project, project.change(1, {"new": "x\n"}))
    with pytest.raises(DistrogateError, match="no checkout of hello"):
        _resolve.resolve(
            "gate",
            [change],
            _resolve.Sources(machine.projects, machine.cache, checkouts={"other": "/x"}),
        )
