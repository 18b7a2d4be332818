# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root filesystems: their key, the link to the newest, and what killed callers leave."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images import _rootfs
from ansible_collections.distrogate.ci.plugins.module_utils._images._rootfs import RootFilesystem

WANTED = RootFilesystem("build", "bookworm", ("b", "a"), "Types: deb\n")


@pytest.fixture(autouse=True)
def no_tools(monkeypatch: t.Any) -> None:
    """Tools that do nothing, quickly."""
    version = _command.Completed([], 0, b"mmdebstrap 1.3\n", b"")
    monkeypatch.setattr(_rootfs._command, "run", lambda *_a, **_k: version)

    def build(_folder: str, new: str, *_args: t.Any) -> None:
        os.mkdir(os.path.join(new, "rootfs"))

    monkeypatch.setattr(_rootfs, "_build", build)


def test_key() -> None:
    assert WANTED.key() == "017cf6e129f0949a"  # also on the next machine, and next year
    assert dataclasses.replace(WANTED, packages=("a", "b", "a")).key() == WANTED.key()
    others = [
        {"suite": "trixie"},
        {"packages": ("a",)},
        {"sources": ""},
        {"rpm_provides": True},
        {"name": "x"},
    ]
    assert len({dataclasses.replace(WANTED, **t.cast(t.Any, other)).key() for other in others}) == len(others)


def test_made_once(tmp_path: pathlib.Path) -> None:
    folder = str(tmp_path)
    assert _rootfs.find(folder, WANTED)[2] is False and os.listdir(tmp_path) == []
    key, path, reused = _rootfs.make(folder, WANTED, None, 5)
    assert not reused and os.path.isdir(path)
    assert _rootfs.make(folder, WANTED, None, 5) == (key, path, True)
    assert os.readlink(tmp_path / "build" / "current") == key
    other = _rootfs.make(folder, dataclasses.replace(WANTED, packages=()), None, 5)
    assert os.readlink(tmp_path / "build" / "current") == other[0]
    _rootfs.make(folder, WANTED, None, 5)
    assert os.readlink(tmp_path / "build" / "current") == key


def test_what_killed_callers_left(tmp_path: pathlib.Path) -> None:
    home = tmp_path / "build"
    (home / ".new-abc" / "rootfs").mkdir(parents=True)
    (home / ".current").symlink_to("old")
    key = _rootfs.make(str(tmp_path), WANTED, None, 5)[0]
    assert os.readlink(home / "current") == key
    assert sorted(n for n in os.listdir(home) if n != ".new-abc") == sorted([key, "current", "lock"])


def test_a_failure_leaves_the_old_one(tmp_path: pathlib.Path, monkeypatch: t.Any) -> None:
    key = _rootfs.make(str(tmp_path), WANTED, None, 5)[0]
    removed: list[str] = []
    monkeypatch.setattr(_rootfs, "remove_folder", removed.append)

    def fail(*_args: t.Any) -> None:
        raise DistrogateError("x", "x")

    monkeypatch.setattr(_rootfs, "_build", fail)
    with pytest.raises(DistrogateError):
        _rootfs.make(str(tmp_path), dataclasses.replace(WANTED, suite="trixie"), None, 5)
    assert os.readlink(tmp_path / "build" / "current") == key
    assert [os.path.basename(path)[:5] for path in removed] == [".new-"]


@pytest.mark.parametrize("name", ["../x", "", "/etc", "."])
def test_names_that_leave(tmp_path: pathlib.Path, name: str) -> None:
    with pytest.raises(DistrogateError) as caught:
        _rootfs.make(str(tmp_path), dataclasses.replace(WANTED, name=name), None, 5)
    assert caught.value.reason == "bad_name"
