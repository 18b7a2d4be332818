# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commits under test become artifacts that any bundle may have, whatever strangers wrote."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._artifacts import sealed_artifact
from ansible_collections.distrogate.ci.plugins.module_utils._sources import _resumed
from ansible_collections.distrogate.ci.plugins.module_utils._sources._commits import address, commit_artifacts
from ansible_collections.distrogate.ci.tests.unit.sources.repositories import Machine, Project


def test_newest_commit_of_each_project(tmp_path: pathlib.Path) -> None:
    hello, other = Project(tmp_path / "review/hello"), Project(tmp_path / "review/other")
    machine = Machine(tmp_path / "machine", hello, other)
    queue = [hello.change(1, {"a": "1\n"}), other.change(2, {"b": "1\n"}), hello.change(3, {"c": "1\n"})]
    frozen = machine.freeze(*queue)
    made = commit_artifacts(frozen["queue"], frozen["projects"])
    assert [one["name"] for one in made] == ["hello", "other"]
    commit = hello.git("rev-parse", "refs/changes/03/3/1")
    assert made[0] == {
        "type": "git_commit",
        "name": "hello",
        "url": f"file://{hello.path}",
        "commit": commit,
        "tree": hello.git("rev-parse", f"{commit}^{{tree}}"),
        "subject": "change",
        "origin": {"project": "hello", "commit": commit},
    }
    assert [change["subject"] for change in frozen["queue"]] == ["change"] * 3
    sealed = sealed_artifact(made[0], "freeze", {"hello": "3,1"})
    assert sealed["origin"] == {**made[0]["origin"], "stage": "freeze", "change": "3,1"}
    _resumed.refuse_others(frozen, queue, machine.projects, {})  # the same once more


@pytest.mark.parametrize("message", ["\x1b[31mred\x1b[0m", "a\u202eb", "x" * 5000, "\x01", ""])
def test_any_subject_can_be_sealed(tmp_path: pathlib.Path, message: str) -> None:
    project = Project(tmp_path / "review/hello")
    raw = message.encode() + b"\xff\n\nbody\n"
    tree = project.git("rev-parse", f"{project.base}^{{tree}}")
    change = project.propose(1, project.git("commit-tree", tree, "-p", project.base, stdin=raw))
    frozen = Machine(tmp_path / "machine", project).freeze(change)
    (made,) = commit_artifacts(frozen["queue"], frozen["projects"])
    assert sealed_artifact(made, "freeze", {})["subject"] == frozen["queue"][0]["subject"]
    assert len(made["subject"]) <= 200
    assert "body" not in made["subject"]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://review.example.org/hello", True),
        ("ssh://ci@review.example.org:29418/hello", True),
        ("git@review.example.org:hello", True),
        ("https://ci:secret@review.example.org/hello", True),
        ("/srv/git/hello.git", True),
        ("../hello", False),
        ("review:hello", False),
    ],
)
def test_addresses(url: str, found: bool) -> None:
    change: t.Any = {"project": "p", "commit": "1" * 40, "tree": "2" * 40, "subject": "s"}
    made = commit_artifacts([change], {"p": {"url": url}})
    assert [sealed_artifact(one, "freeze", {})["url"] for one in made] == [address(url)] * found
    assert "secret" not in str(made)
