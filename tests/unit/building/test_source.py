# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Source archives: the same bytes for the same tree, and nothing from outside of it."""

from __future__ import annotations

import gzip
import os
import pathlib
import socket
import tarfile
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages._source import (
    read_regular,
    source_archive,
)


def make(tree: pathlib.Path, order: int = 1) -> pathlib.Path:
    names = ["b/c/file", "a", "b.txt", "b/z", ".git/config", "B/ä", "long/" + "n" * 200]
    for name in names[::order]:
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        os.utime(path, (1, order + 10))
    (tree / "a").chmod(0o700 if order > 0 else 0o755)
    (tree / "b.txt").chmod(0o664 if order > 0 else 0o600)
    (tree / "link").symlink_to("/etc/passwd")
    (tree / "folder-link").symlink_to("/etc")
    os.link(tree / "b.txt", tree / "hard")
    return tree


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_the_same_bytes(tmp_path: pathlib.Path, mode: t.Any) -> None:
    made = []
    for order in (1, -1):
        tree, target = make(tmp_path / f"tree{order}", order), tmp_path / f"{order}.tar"
        source_archive(str(tree), str(target), "p-1", date=1_700_000_000, mode=mode)
        made.append(target.read_bytes())
    assert made[0] == made[1]


def test_contents(tmp_path: pathlib.Path) -> None:
    tree, target = make(tmp_path / "tree"), tmp_path / "a.tar.gz"
    source_archive(
        str(tree), str(target), "p", date=7, mode="w:gz", without={"B", "b/z"}, replaced={"a": b"other"}
    )
    with tarfile.open(target) as archive:
        members = {member.name: member for member in archive}
        assert archive.extractfile("p/a").read() == b"other"  # type: ignore[union-attr]
        assert archive.extractfile("p/hard").read() == b"b.txt"  # type: ignore[union-attr]
    assert sorted(members) == sorted(
        [
            "p/a",
            "p/b",
            "p/b/c",
            "p/b/c/file",
            "p/b.txt",
            "p/link",
            "p/folder-link",
            "p/hard",
            "p/long",
            "p/long/" + "n" * 200,
        ]
    )
    assert members["p/link"].issym() and members["p/link"].linkname == "/etc/passwd"
    assert members["p/folder-link"].issym() and members["p/hard"].isreg()
    assert {(m.uid, m.gid, m.uname, m.mtime) for m in members.values()} == {(0, 0, "root", 7)}
    assert (members["p/a"].mode, members["p/b.txt"].mode) == (0o755, 0o644)
    assert gzip.decompress(target.read_bytes()) and target.read_bytes()[4:8] == b"\7\0\0\0"


def test_a_checkout_whose_git_folder_is_a_file(tmp_path: pathlib.Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / ".git").write_text("gitdir: elsewhere")
    source_archive(str(tmp_path / "tree"), str(tmp_path / "a.tar"), "p", date=0)
    with tarfile.open(tmp_path / "a.tar") as archive:
        assert archive.getnames() == []


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_special_files(tmp_path: pathlib.Path, kind: str) -> None:
    (tmp_path / "t").mkdir()
    with socket.socket(socket.AF_UNIX) as made:
        if kind == "socket":
            made.bind(str(tmp_path / "t" / "special"))
        else:
            os.mkfifo(tmp_path / "t" / "special")
        with pytest.raises(DistrogateError, match="special is neither a file, a folder nor a link") as caught:
            source_archive(str(tmp_path / "t"), str(tmp_path / "a.tar"), "p", date=0)
    assert caught.value.reason == "bad_source"


def test_a_folder_that_is_not_there(tmp_path: pathlib.Path) -> None:
    with pytest.raises(DistrogateError, match="cannot be read"):
        source_archive(str(tmp_path / "none"), str(tmp_path / "a.tar"), "p", date=0)


def test_reading_one_file(tmp_path: pathlib.Path) -> None:
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian" / "changelog").write_text("x")
    (tmp_path / "file-link").symlink_to("/etc/passwd")
    (tmp_path / "link").symlink_to("debian")
    assert read_regular(str(tmp_path), "debian/changelog") == b"x"
    for name in (
        "file-link",
        "link/changelog",
        "../x",
        "debian/../debian/changelog",
        "debian",
        "none",
        "/etc/passwd",
    ):
        with pytest.raises(DistrogateError) as caught:
            read_regular(str(tmp_path), name)
        assert caught.value.reason == "bad_source"
    with pytest.raises(DistrogateError) as caught:
        read_regular(str(tmp_path), "debian/changelog", limit=0)
    assert caught.value.reason == "too_large"
