# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of files, submodules and projects that lead out of the workspace, or that a terminal obeys."""

from __future__ import annotations

import os
import pathlib
import tarfile
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages._source import source_archive
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue import normal_change
from ansible_collections.distrogate.ci.tests.unit.sources.repositories import Machine, Project

STRANGE = (
    b"-rf",
    b"--help",
    b"a\nb",
    b"\x1b]0;evil\x07",
    b"\xff\xfe",
    b"a b",
    b"$(touch x)",
    b"\\..\\x",
    b"...",
)


def snapshot(folder: pathlib.Path) -> dict[str, t.Any]:
    """All that a writer would change."""
    found = {}
    for path in [folder, *folder.rglob("*")]:
        status = path.lstat()
        found[str(path)] = (status.st_mode, status.st_ino, status.st_nlink, status.st_mtime_ns)
    return found


@pytest.fixture
def canary(tmp_path: pathlib.Path) -> t.Iterator[pathlib.Path]:
    """A folder beside the workspace that must stay as it is."""
    folder = tmp_path / "canary"
    (folder / "inner").mkdir(parents=True)
    (folder / "file").write_text("mine")
    before = snapshot(folder)
    yield folder
    assert snapshot(folder) == before


def raw_commit(project: Project, *entries: bytes) -> str:
    """A commit whose tree git would not make."""
    raw = b"".join(sorted(entries))
    made = project.git("hash-object", "-t", "tree", "--literally", "-w", "--stdin", stdin=raw)
    return project.git("commit-tree", made, "-p", project.base, stdin=b"x")


def file_entry(project: Project, name: bytes) -> bytes:
    return b"100644 " + name + b"\0" + bytes.fromhex(project.blob("x"))


def test_names_that_are_only_strange(machine: Machine, project: Project, tmp_path: pathlib.Path) -> None:
    """They are checked out and packed as they are; nothing takes them for options or commands."""
    commit = raw_commit(project, *(file_entry(project, name) for name in STRANGE))
    change = project.propose(1, commit)
    # The base's files are gone in it, which merges without conflict.
    machine.workspace(change)
    checkout = machine.folder / "workspace" / "hello"
    assert set(os.listdir(os.fsencode(checkout))) - {b".git"} == set(STRANGE)
    source_archive(str(checkout), str(tmp_path / "a.tar"), "p", date=1)
    with tarfile.open(tmp_path / "a.tar", errors="surrogateescape") as archive:
        assert {os.fsencode(name) for name in archive.getnames()} == {b"p/" + name for name in STRANGE}


@pytest.mark.parametrize(
    "name", [b"..", b".git", b".GIT", b".git ", b"git~1", b".git\\x", b".g\xe2\x80\x8cit"]
)
def test_files_named_like_gits_own(
    machine: Machine, project: Project, canary: pathlib.Path, name: bytes
) -> None:
    """Some file systems take each of these for ``.git``, or for the folder above."""
    entry = file_entry(project, name)
    with pytest.raises(DistrogateError) as caught:
        machine.workspace(project.propose(1, raw_commit(project, entry)))
    assert caught.value.reason in ("command_failed", "merge_failed")
    assert not (machine.folder / "workspace" / "hello").exists()
    assert canary.exists()


@pytest.mark.parametrize("mode", [b"120000", b"100644", b"40000", b"160000"])
def test_gitmodules_that_lead_outside(
    machine: Machine, project: Project, canary: pathlib.Path, mode: bytes
) -> None:
    """And those that are no file at all: such a change does not come in."""
    text = (
        f'[submodule "x"]\n path = ../../canary/inner\n url = --upload-pack=touch {canary}/made\n'
        f" branch = $(touch {canary}/made)\n update = checkout\n"
        f'[submodule "y"]\n path = -x\n url = ext::sh -c "touch {canary}/made"\n'
    )
    known = {
        b"120000": project.blob(f"{canary}/file"),
        b"100644": project.blob(text),
        b"40000": project.git("mktree", stdin=b""),
        b"160000": project.base,
    }
    module = mode + b" .gitmodules\0" + bytes.fromhex(known[mode])
    link = b"160000 sub\0" + bytes.fromhex(project.base)
    with pytest.raises(DistrogateError) as caught:
        machine.workspace(project.propose(1, raw_commit(project, module, link)))
    assert caught.value.reason in ("command_failed", "merge_failed")


def test_a_link_and_a_folder_of_one_name(machine: Machine, project: Project, canary: pathlib.Path) -> None:
    """A tree that names ``x`` twice: a link that leads outside, and a folder with a file to write there."""
    link = b"120000 x\0" + bytes.fromhex(project.blob(str(canary)))
    inner = project.git("mktree", stdin=f"100644 blob {project.blob('evil')}\tfile\n".encode())
    folder = b"40000 x\0" + bytes.fromhex(inner)
    for number, entries in enumerate([(link, folder), (folder, link)], 1):
        raw = b"".join(entries)
        made = project.git("hash-object", "-t", "tree", "--literally", "-w", "--stdin", stdin=raw)
        commit = project.git("commit-tree", made, "-p", project.base, stdin=b"x")
        with pytest.raises(DistrogateError) as caught:
            machine.workspace(project.propose(number, commit))
        assert caught.value.reason in ("command_failed", "merge_failed", "merge_conflict")


PROJECTS = ["..", "../x", "a/../../x", "/etc", ".git", "a//b", "a/./b", "-x", "a\nb", "a\0b", ""]


@pytest.mark.parametrize("name", PROJECTS)
def test_names_of_projects(machine: Machine, project: Project, name: str) -> None:
    with pytest.raises(DistrogateError) as caught:
        normal_change({"project": name, "branch": "main", "ref": "refs/changes/01/1/1", "change_id": "1"})
    assert caught.value.reason == "bad_change"
    if name in (".git", "-x", "a\nb"):
        return  # they stay in the workspace
    frozen = machine.freeze(project.change(1, {"x": "y"}))
    frozen["projects"][name] = frozen["projects"].pop("hello")
    frozen["queue"][0]["project"] = name
    with pytest.raises(DistrogateError) as caught:
        machine.prepare(frozen)
    assert not (machine.folder / "workspace").exists()
