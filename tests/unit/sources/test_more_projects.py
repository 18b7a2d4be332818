# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Projects of the workspace that no change belongs to: an image is made of several."""

from __future__ import annotations

import pathlib
import shutil

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._sources import _resolve
from ansible_collections.distrogate.ci.tests.unit.sources.repositories import Machine, Project

NAMES = ["world", "hello"]


@pytest.fixture
def world(tmp_path: pathlib.Path, machine: Machine) -> Project:
    """Another project than the queue's."""
    other = Project(tmp_path / "review" / "world")
    machine.projects["world"] = {"url": f"file://{other.path}", "packages": None}
    return other


def test_they_are_as_their_branch_is(machine: Machine, project: Project, world: Project) -> None:
    change = project.change(1, {"a": "1"})
    frozen = _resolve.resolve("gate", [change], _resolve.Sources(machine.projects, machine.cache), NAMES)
    assert [one["project"] for one in frozen["queue"]] == ["hello"]
    assert {**machine.freeze(change)["projects"], "world": frozen["projects"]["world"]} == frozen["projects"]
    before, world.base = world.base, world.commit({"b": "2"})
    made = machine.prepare(frozen)
    assert made["world"]["commit"] == before
    assert (machine.folder / "workspace/hello/a").exists()
    assert (machine.folder / "workspace/world/file").exists()


def test_a_run_that_is_done_again_has_what_it_had(
    machine: Machine, project: Project, world: Project, tmp_path: pathlib.Path
) -> None:
    change = project.change(1, {"a": "1"})
    frozen = _resolve.resolve("gate", [change], _resolve.Sources(machine.projects, machine.cache), NAMES)
    world.base = world.commit({"b": "2"})
    bases = {name: one["base_commit"] for name, one in frozen["projects"].items()}
    sources = _resolve.Sources(machine.projects, str(tmp_path / "new"), bases)
    queue = [{**change, "commit": frozen["queue"][0]["commit"]}]
    assert _resolve.resolve("gate", queue, sources, [*bases]) == frozen


def test_of_checkouts_that_zuul_made(
    machine: Machine, project: Project, world: Project, tmp_path: pathlib.Path
) -> None:
    change = project.change(1, {"a": "1"})
    change["commit"] = project.git("rev-parse", change["ref"])
    checkouts = {}
    for one, head in ((project, change["commit"]), (world, world.base)):
        checkouts[one.path.name] = str(tmp_path / "src" / one.path.name)
        one.git("clone", "-q", str(one.path), checkouts[one.path.name])
        one.git("-C", checkouts[one.path.name], "fetch", "-q", "origin", head)
        one.git("-C", checkouts[one.path.name], "checkout", "-q", "--detach", head)
    shutil.move(world.path, world.path.with_name("gone"))
    sources = _resolve.Sources(machine.projects, machine.cache, checkouts=checkouts)
    frozen = _resolve.resolve("gate", [change], sources, NAMES)
    assert frozen["projects"]["world"]["base_commit"] == world.base
    del checkouts["world"]
    sources = _resolve.Sources(machine.projects, machine.cache, checkouts=checkouts)
    with pytest.raises(DistrogateError, match="There is no checkout of world"):
        _resolve.resolve("gate", [change], sources, NAMES)
