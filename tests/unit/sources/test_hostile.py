# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repositories that try to run something, or to write outside of the workspace."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages._source import source_archive
from ansible_collections.distrogate.ci.plugins.module_utils._sources._freeze import fetch
from ansible_collections.distrogate.ci.plugins.module_utils._sources._git import Git
from ansible_collections.distrogate.ci.tests.unit.sources.repositories import Machine, Project


@pytest.fixture
def trap(tmp_path: pathlib.Path) -> t.Iterator[pathlib.Path]:
    """A path that must not come to exist."""
    path = tmp_path / "trap"
    yield path
    assert not path.exists()


def script(path: pathlib.Path, trap: pathlib.Path) -> None:
    path.write_text(f"#!/bin/sh\ntouch {trap}\n")
    path.chmod(0o755)


def test_hooks_and_filters(
    machine: Machine, project: Project, trap: pathlib.Path, monkeypatch: t.Any
) -> None:
    files = {
        ".gitattributes": "* filter=evil merge=evil diff=evil\n",
        ".gitconfig": f'[filter "evil"]\n smudge = touch {trap}\n',
        ".githooks/post-checkout": f"#!/bin/sh\ntouch {trap}\n",
        "file": "changed\n",
    }
    change = project.change(1, files)
    home = machine.folder / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f'[filter "evil"]\n smudge = touch {trap}\n process = touch {trap}\n'
        f'[merge "evil"]\n driver = touch {trap}\n'
        f"[core]\n fsmonitor = touch {trap}\n hooksPath = {home}\n"
    )
    for name in ("post-checkout", "reference-transaction", "post-merge", "pre-receive"):
        script(home / name, trap)
        script(project.path / ".git" / "hooks" / name, trap)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert machine.workspace(change)["hello"]["count"] == 2


def test_hooks_and_settings_of_a_prepared_checkout(
    machine: Machine, project: Project, trap: pathlib.Path
) -> None:
    change = project.change(1, {".gitattributes": "* filter=evil\n"})
    project.git("checkout", "-q", change["ref"])
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        script(project.path / ".git" / "hooks" / name, trap)
    script(machine.folder / "program", trap)
    for key in ("filter.evil.smudge", "core.fsmonitor", "core.alternateRefsCommand", "core.pager"):
        project.git("config", key, str(machine.folder / "program"))
    project.git("config", "uploadpack.packObjectsHook", str(machine.folder / "program"))
    project.git("config", "core.hooksPath", ".git/hooks")
    trap.unlink(missing_ok=True)  # the calls above may have run some
    frozen = machine.freeze(change)
    trap.unlink(missing_ok=True)
    assert machine.prepare(frozen, prepared=str(project.path.parent))["hello"]["commit"]


def test_submodules(machine: Machine, project: Project, trap: pathlib.Path) -> None:
    """They are never cloned; those whose names lead outside do not even come in."""
    gitlink = f"160000 commit {project.base}\tsub\0"
    good = project.blob(f'[submodule "sub"]\n path = sub\n url = {project.path}\n update = !touch {trap}\n')
    bad = project.blob(f'[submodule "../../../evil"]\n path = sub\n url = {project.path}\n')
    entries = f"{gitlink}100644 blob {bad}\t.gitmodules\0"
    with pytest.raises(DistrogateError) as caught:
        machine.workspace(project.propose(1, project.tree(entries)))
    assert "gitmodules" in caught.value.message
    with pytest.raises(DistrogateError):
        machine.workspace(project.propose(2, project.tree(f"{gitlink}100644 blob {good}\t.gitmodules\0")))
    plain = project.blob(f'[submodule "sub"]\n path = sub\n url = {project.path}\n')
    frozen = machine.freeze(project.propose(3, project.tree(f"{gitlink}100644 blob {plain}\t.gitmodules\0")))
    machine.prepare(frozen)
    assert os.listdir(machine.folder / "workspace" / "hello" / "sub") == []


@pytest.mark.parametrize("name", ["..", ".", ".git", ".GIT", ".git ", "git~1", "a/b"])
def test_names_in_trees(machine: Machine, project: Project, name: str) -> None:
    inner = project.git("mktree", "-z", stdin=f"100644 blob {project.blob('x')}\tconfig\0".encode())
    raw = f"40000 {name}\0".encode() + bytes.fromhex(inner)
    made = project.git("hash-object", "-t", "tree", "--literally", "-w", "--stdin", stdin=raw)
    commit = project.git("commit-tree", made, "-p", project.base, stdin=b"x")
    with pytest.raises(DistrogateError) as caught:
        machine.workspace(project.propose(1, commit))
    assert caught.value.reason in ("command_failed", "merge_failed")
    assert not (machine.folder / "workspace" / "hello").exists()


def test_links_that_lead_outside(machine: Machine, project: Project, tmp_path: pathlib.Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    os.symlink(tmp_path / "outside", project.path / "link")
    os.symlink("/etc/passwd", project.path / "passwd")
    change = project.change(1, {"x": "y"})
    machine.workspace(change)
    checkout = machine.folder / "workspace" / "hello"
    assert os.readlink(checkout / "link") == str(tmp_path / "outside")
    source_archive(str(checkout), str(tmp_path / "a.tar"), "a", date=1)
    assert b"secret" not in (tmp_path / "a.tar").read_bytes().replace(b"outside/secret", b"")
    machine.workspace(change)
    assert os.listdir(tmp_path / "outside") == ["secret"]


def test_a_file_through_a_link(machine: Machine, project: Project, tmp_path: pathlib.Path) -> None:
    """One change makes a link of a folder, the next one writes into the folder."""
    project.base = project.commit({"folder/a": "x"})
    (tmp_path / "outside").mkdir()
    (project.path / "folder" / "a").unlink()
    (project.path / "folder").rmdir()
    os.symlink(tmp_path / "outside", project.path / "folder")
    one = project.change(1, {"z": "z"})
    two = project.change(2, {"folder/evil": "x"})
    with pytest.raises(DistrogateError, match="conflict"):
        machine.workspace(one, two)
    assert os.listdir(tmp_path / "outside") == []


def test_huge_names(machine: Machine, project: Project) -> None:
    entries = f"100644 blob {project.blob('x')}\t{'n' * 5000}\0"
    with pytest.raises(DistrogateError) as caught:
        machine.workspace(project.propose(1, project.tree(entries)))
    assert caught.value.reason == "command_failed"
    assert not (machine.folder / "workspace" / "hello").exists()


def test_refs_named_like_options(machine: Machine, project: Project) -> None:
    project.git("update-ref", "refs/heads/--help", project.base)
    project.git("update-ref", "refs/changes/--upload-pack=x", project.base)
    change = project.change(1, {"a": "1"})
    machine.workspace(change)
    for bad in ({"branch": "--help"}, {"ref": "--upload-pack=x"}, {"ref": "refs/changes/--upload-pack=x"}):
        with pytest.raises(DistrogateError) as caught:
            machine.freeze({**change, **bad})
        assert caught.value.reason in ("bad_change", "bad_ref")


@pytest.mark.parametrize(
    "url", ["ext::sh -c touch% {trap}", "-u touch {trap}", "--upload-pack=touch {trap}", "fd::17"]
)
def test_addresses(machine: Machine, trap: pathlib.Path, url: str) -> None:
    Git(str(machine.folder)).call("init", "-q", "--bare", "cache.git")
    with pytest.raises(DistrogateError) as caught:
        fetch(Git(str(machine.folder / "cache.git")), url.format(trap=trap), "main", [])
    assert caught.value.reason == "bad_url"
