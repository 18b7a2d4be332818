# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real builds by diskimage-builder of an operating system that is copied from this machine."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import tarfile
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images._build_dib import DibBuilder
from ansible_collections.distrogate.ci.plugins.module_utils._images._builders import Built, Package
from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest, Source

WHO = ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL")
ELEMENTS = os.path.join(os.path.dirname(__file__), "elements")


def commit_of(tree: pathlib.Path) -> str:
    """A checkout with a commit that is on no branch, as in a workspace."""
    words = {f"GIT_{name}": "x@example.org" for name in WHO}

    def git(*arguments: str) -> str:
        environment = {**os.environ, **words}
        argv = ["git", "-C", str(tree), *arguments]
        return subprocess.run(argv, env=environment, check=True, capture_output=True, text=True).stdout

    tree.mkdir()
    git("init", "--quiet", "--initial-branch=main")
    git("commit", "--quiet", "--allow-empty", "--message=old")
    git("checkout", "--quiet", "--detach")
    (tree / "file").write_text("under test\n")
    git("add", "file")
    git("commit", "--quiet", "--message=new")
    commit = git("rev-parse", "HEAD").strip()
    git("checkout", "--quiet", "main")
    return commit


def wanted(*elements: str, **more: t.Any) -> ImageRequest:
    environment = {"SKIP_BASE": "1", **more.pop("environment", {})}
    return ImageRequest(
        "tiny", "dib", elements=elements, element_path=(ELEMENTS,), environment=environment, **more
    )


class Tried:
    """One build; the tar file of the image is kept."""

    def __init__(self, folder: pathlib.Path, request: ImageRequest) -> None:
        self.output = folder / "out"
        self.log = folder / "log"
        self.request = request
        self.said: list[str] = []
        self.tar = folder / "tiny.tar"
        with BuildPlace(
            str(self.output), "tiny", log=str(self.log), timeout=120, say=self.said.append
        ) as place:
            self.built: Built = DibBuilder().build(request, place, 1700000000)
            os.rename(self.built.files["tar"], self.tar)
            self.kernel = pathlib.Path(self.built.kernel).read_text()

    def names(self) -> set[str]:
        with tarfile.open(self.tar) as archive:
            return set(archive.getnames())

    def text(self, name: str) -> str:
        with tarfile.open(self.tar) as archive:
            stream = archive.extractfile(f"./{name}")
            assert stream
            return stream.read().decode()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: t.Any) -> t.Iterator[Tried]:
    """An image with a stranger's element in it, which tries what it can."""
    folder = tmp_path_factory.mktemp("dib")
    with subprocess.Popen(["sleep", "600"]) as process:
        try:
            environment = {"HOSTILE_PROCESS": str(process.pid), "HOSTILE_FOLDER": str(folder / "out")}
            source = Source("group/one", str(folder / "source"), commit_of(folder / "source"))
            request = wanted("tiny", "hostile", environment=environment, formats=("tar",), sources=(source,))
            yield Tried(folder, request)
            assert process.poll() is None
        finally:
            process.kill()


def test_image(hostile: Tried) -> None:
    """It is what the elements made, says what it is made of, and has its kernel beside it."""
    assert hostile.text("etc/tiny-word") == "word\n"
    assert hostile.built.packages == [Package("tiny-base", "1.0-1", "all")]
    assert hostile.kernel == "kernel\n" and hostile.built.append
    assert hostile.text("opt/one/file") == "under test\n"
    facts = json.loads(hostile.text("etc/distrogate-image.json"))
    commits = {"group/one": hostile.text("opt/one.commit").strip()}
    assert facts == {"version": 1, "name": "tiny", "builder": "dib", "commits": commits}
    with tarfile.open(hostile.tar) as archive:
        rows = {row.name: row for row in archive}
    assert rows["./bin/bash"].uid == 0 and rows["./dev/null"].ischr() and rows["./tmp"].mode == 0o1777
    assert "ExecStartPre=/usr/bin/ssh-keygen -A\n" in hostile.text(
        "etc/systemd/system/ssh.service.d/host-keys.conf"
    )
    assert "./etc/ssh/ssh_host_test_key" not in rows
    assert "./tmp/in_target.d" not in rows and not any(name.startswith("./proc/") for name in rows)


def test_hostile(hostile: Tried) -> None:
    """None of what the stranger's element tried was done."""
    assert hostile.text("etc/hostile").splitlines() == ["as 0"]


def test_nothing_left(hostile: Tried) -> None:
    assert os.listdir(hostile.output / ".work") == ["lock"]
    assert str(hostile.output) not in pathlib.Path("/proc/self/mounts").read_text()


def test_layer(hostile: Tried, tmp_path: pathlib.Path) -> None:
    """With one package more all but the package comes from the layer; the first image is as it was."""
    assert not any("layer" in words for words in hostile.said)
    os.rename(hostile.output, tmp_path / "out")  # whose layers are found wherever the folder is
    second = Tried(tmp_path, dataclasses.replace(hostile.request, packages=("extra",)))
    assert any("from a cached layer" in words for words in second.said)
    assert second.text("etc/tiny-built") == hostile.text("etc/tiny-built")
    assert second.text("etc/tiny-packages") == "extra\n"
    assert second.names() - hostile.names() == {"./etc/tiny-packages"} and hostile.names() <= second.names()
    assert second.text("etc/distrogate-image.json") == hostile.text("etc/distrogate-image.json")


def test_failing(tmp_path: pathlib.Path) -> None:
    """The error names the script and the element, and has what the script said, not the tidying up."""
    with pytest.raises(DistrogateError) as caught:
        Tried(tmp_path, wanted("tiny", environment={"TINY_FAIL": "root"}, formats=("tar",)))
    error = caught.value
    assert error.reason == "element_failed"
    assert error.details["element"] == "tiny" and error.details["script"] == "root.d/10-tiny"
    assert error.message.splitlines()[-1] == "tiny was told to fail"
    assert os.listdir(tmp_path / "out" / ".work") == ["lock"]
    assert not os.listdir(tmp_path / "out" / ".cache" / "dib")  # no layer of a build that failed
