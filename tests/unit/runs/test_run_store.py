# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run directory kept elsewhere: whole, only what is a stage's own, and two machines at once."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import threading
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._runs import _run_store
from ansible_collections.distrogate.ci.plugins.module_utils._runs._run_store import RunStore


class Node:
    """A machine of its own, with a place that it shares."""

    def __init__(self, folder: pathlib.Path, name: str) -> None:
        self.run = folder / name / "check-1"
        self.run.mkdir(parents=True)
        self.store = RunStore(str(folder / "store"), str(self.run))

    def write(self, name: str, text: str) -> None:
        path = self.run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def stage(self, name: str, text: str = "x", *artifacts: str) -> None:
        for artifact in artifacts:
            self.write(artifact, text)
        self.write(f"logs/{name}.log", text)
        record = {"verdict": "success", "said": text, "artifacts": [{"path": path} for path in artifacts]}
        self.write(f"stages/{name}.json", json.dumps(record))

    def files(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.run)): path.read_text()
            for path in sorted(self.run.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def node(tmp_path: pathlib.Path) -> t.Callable[[str], Node]:
    def make(name: str) -> Node:
        return Node(tmp_path, name)

    first = make("first")
    first.write("run.json", "{}")
    first.stage("freeze")
    first.store.kept("freeze", False)
    return make


def kept(node: Node) -> set[str]:
    return set(_run_store.listing(node.store.path))


def test_a_stage_goes_out_and_comes_in(node: t.Callable[[str], Node]) -> None:
    one, two = node("one"), node("two")
    one.store.fetched("build", False)
    one.stage("build", "x", "artifacts/a.deb")
    one.write("workspace/tiny/file", "x")
    one.write("lease/file", "x")
    one.write("artifacts/.tmp-1", "half")
    os.symlink("/etc/passwd", one.run / "artifacts/link")
    one.store.kept("build", False)
    assert two.store.fetched("lint", True)
    assert two.files() == {}
    two.store.fetched("lint", False)
    wanted = (
        "run.json",
        "stages/freeze.json",
        "logs/freeze.log",
        "stages/build.json",
        "logs/build.log",
        "artifacts/a.deb",
    )
    assert set(two.files()) == set(wanted)
    assert two.store.fetched("lint", False) == {}
    assert two.store.kept("lint", False) == {}


def test_only_what_is_its_own_is_written_over(node: t.Callable[[str], Node]) -> None:
    one, two = node("one"), node("two")
    for each in (one, two):
        each.store.fetched("", False)
    one.stage("build", "one", "artifacts/a.deb")
    one.store.kept("build", False)
    two.stage("build", "two", "artifacts/a.deb")
    two.stage("lint", "two")
    two.stage("freeze", "two")
    two.write("logs/freeze.before.log", "two")
    assert set(two.store.kept("lint", False)) == {"stages/lint.json", "logs/lint.log"}
    one.stage("build", "again", "artifacts/a.deb", "artifacts/b.deb")
    assert set(one.store.kept("build", True)) == set(one.store.kept("build", False))
    three = node("three")
    three.store.fetched("", False)
    assert three.files()["artifacts/a.deb"] == "again"
    assert three.files()["logs/freeze.log"] == "x"


def test_a_machine_that_dies_leaves_no_success(node: t.Callable[[str], Node]) -> None:
    one, two, three = node("one"), node("two"), node("three")
    one.stage("build")
    one.store.kept("build", False)
    two.store.fetched("build", False)  # and dies
    three.store.fetched("lint", False)
    assert "stages/build.json" not in three.files()
    two.store.kept("build", False)
    assert "stages/build.json" in kept(three)


def test_two_machines_at_once(node: t.Callable[[str], Node], tmp_path: pathlib.Path) -> None:
    nodes = [node(f"n{number}") for number in range(6)]
    barrier = threading.Barrier(len(nodes))

    def work(number: int) -> None:
        barrier.wait()
        nodes[number].store.fetched(f"s{number}", False)
        nodes[number].stage(f"s{number}", "x" * 5000, *(f"artifacts/{number}-{i}" for i in range(20)))
        nodes[number].store.kept(f"s{number}", False)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(nodes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = kept(nodes[0])
    assert {f"stages/s{number}.json" for number in range(6)} <= names
    assert len([name for name in names if name.startswith("artifacts/")]) == 120


def test_a_copy_that_fails_leaves_whole_files(
    node: t.Callable[[str], Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = node("one")
    one.store.fetched("build", False)
    one.stage("build", "x", "artifacts/a.deb", "artifacts/b.deb")
    real, count = os.rename, [0]

    def rename(*names: str) -> None:
        count[0] += 1
        if count[0] == 2:
            raise OSError(28, "No space left on device")
        real(*names)

    monkeypatch.setattr(_run_store.os, "rename", rename)
    with pytest.raises(OSError, match="No space"):
        one.store.kept("build", False)
    monkeypatch.undo()
    assert "stages/build.json" not in kept(one)
    assert not list(pathlib.Path(one.store.path).rglob(".tmp-*"))
    one.store.kept("build", False)
    assert {"stages/build.json", "artifacts/b.deb"} <= kept(one)


def test_a_file_that_changes_is_refused(
    node: t.Callable[[str], Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = node("one")
    one.stage("build", "x", "artifacts/a.deb")
    real = _run_store.listing

    def listing(root: str) -> dict[str, str]:
        found = real(root)
        if root == one.store.run_dir:
            one.write("artifacts/a.deb", "other")
        return found

    monkeypatch.setattr(_run_store, "listing", listing)
    with pytest.raises(DistrogateError) as caught:
        one.store.kept("build", False)
    assert caught.value.reason == "changed"


def test_links_lead_nowhere(node: t.Callable[[str], Node], tmp_path: pathlib.Path) -> None:
    one = node("one")
    (tmp_path / "elsewhere").mkdir()
    (one.run / "stages").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DistrogateError) as caught:
        one.store.fetched("", False)
    assert caught.value.reason == "bad_name"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_where_there_is_no_run(tmp_path: pathlib.Path) -> None:
    one = Node(tmp_path, "one")
    with pytest.raises(DistrogateError) as caught:
        one.store.fetched("", False)
    assert caught.value.reason == "no_run"
    with pytest.raises(DistrogateError) as caught:
        RunStore(str(one.run.parent), str(one.run))
    assert caught.value.reason == "same_place"


def test_the_workspace_is_made_again(node: t.Callable[[str], Node]) -> None:
    one, two = node("one"), node("two")
    one.stage("workspace")
    one.write("workspace/tiny/file", "x")
    assert not one.store.workspace_missing()
    one.store.kept("workspace", False)
    assert not two.store.workspace_missing()
    two.store.fetched("build", False)
    assert two.store.workspace_missing()
    shutil.rmtree(one.run / "workspace")
    assert one.store.workspace_missing()
