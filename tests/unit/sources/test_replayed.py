# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is done again: on the commits that it had, wherever its branches are now."""

from __future__ import annotations

import pathlib
import shutil
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._sources import _resolve, _workspace
from ansible_collections.distrogate.ci.tests.unit.sources.repositories import Machine, Project

KEYS = ("project", "branch", "ref", "commit", "change_id", "patch_set")


def again(frozen: dict[str, t.Any], machine: Machine, cache: str) -> dict[str, t.Any]:
    """As the role replay freezes it."""
    queue = [{key: change[key] for key in KEYS} for change in frozen["queue"]]
    bases = {name: project["base_commit"] for name, project in frozen["projects"].items()}
    addresses = {name: project["url"] for name, project in machine.projects.items()}
    projects = {name: {"url": p["url"], "packages": p["packages"]} for name, p in frozen["projects"].items()}
    return _resolve.resolve("gate", queue, _resolve.Sources(projects, cache, bases, addresses))


@pytest.fixture
def moved(machine: Machine, project: Project, tmp_path: pathlib.Path) -> tuple[dict[str, t.Any], Machine]:
    """A frozen run whose branch was thrown away since, and whose change has another patch set."""
    frozen = machine.freeze(project.change(1, {"a": "1"}))
    project.git("commit", "-q", "--amend", "--allow-empty", "-m", "another root")
    project.base = project.commit({"b": "2"})
    project.change(1, {"a": "other"})
    copy = tmp_path / "mirror" / project.path.name
    shutil.copytree(project.path, copy)
    shutil.rmtree(project.path)  # nobody may ask there again
    other = Machine.__new__(Machine)
    other.projects = {project.path.name: {"url": f"file://{copy}", "packages": None}}
    return frozen, other


def test_the_same_inputs_from_elsewhere(
    moved: tuple[dict[str, t.Any], Machine], tmp_path: pathlib.Path
) -> None:
    frozen, machine = moved
    for _twice in range(2):
        assert again(frozen, machine, str(tmp_path / "new")) == frozen
    heads = _workspace.prepare(frozen, str(tmp_path / "w"), str(tmp_path / "new"), str(tmp_path / "log"))
    assert heads["hello"]["base_commit"] == frozen["projects"]["hello"]["base_commit"]


def test_a_server_that_gives_no_commit_by_its_id(
    machine: Machine, project: Project, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = machine.freeze(project.change(1, {"a": "1"}))
    project.base = project.commit({"b": "2"})
    real = _resolve.bring.__globals__["Git"].call

    def call(self: t.Any, *arguments: str, **options: t.Any) -> t.Any:
        if arguments[0] == "fetch" and any("refs/distrogate/commits" in word for word in arguments):
            return real(self, "cat-file", "-e", "0" * 40, check=False)
        return real(self, *arguments, **options)

    monkeypatch.setattr(_resolve.bring.__globals__["Git"], "call", call)
    assert again(frozen, machine, str(tmp_path / "new")) == frozen


def test_commits_that_are_gone(machine: Machine, project: Project, tmp_path: pathlib.Path) -> None:
    frozen = machine.freeze(project.change(1, {"a": "1"}))
    lost = {**frozen, "queue": [{**frozen["queue"][0], "commit": "0" * 40}]}
    assert _resolve.bring_all(lost, str(tmp_path / "new"), {}) == [("hello", "0" * 40, "change 1")]
    assert _resolve.bring_all(frozen, str(tmp_path / "third"), {}, ask=False) == [
        ("hello", project.base, "base"),
        ("hello", frozen["queue"][0]["commit"], "change 1"),
    ]
    assert _resolve.bring_all(frozen, str(tmp_path / "new"), {}) == []
    with pytest.raises(DistrogateError) as caught:
        again(lost, machine, str(tmp_path / "new"))
    assert caught.value.reason == "no_commit"


def test_hostile_ids_and_addresses(machine: Machine, project: Project, tmp_path: pathlib.Path) -> None:
    frozen = machine.freeze(project.change(1, {"a": "1"}))
    bad = {"hello": {**frozen["projects"]["hello"], "base_commit": "--upload-pack=touch x"}}
    with pytest.raises(DistrogateError) as caught:
        _resolve.bring_all({**frozen, "projects": bad}, str(tmp_path / "new"), {})
    assert caught.value.reason == "bad_commit"
    for url in ("--upload-pack=x", "ext::sh -c x"):
        with pytest.raises(DistrogateError) as caught:
            _resolve.bring_all(frozen, str(tmp_path / url[:5]), {"hello": url})
        assert caught.value.reason == "bad_url"
