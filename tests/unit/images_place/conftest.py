# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small root filesystem, and requests for images of it."""

from __future__ import annotations

import io
import os
import pathlib
import shutil
import tarfile
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._images._build_mmdebstrap import MmdebstrapBuilder
from ansible_collections.distrogate.ci.plugins.module_utils._images._builders import Built
from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

EPOCH = 1700000000


@pytest.fixture(scope="session")
def base(tmp_path_factory: t.Any) -> str:
    """A root filesystem of busybox with a kernel's name in it, as a tar file."""
    path = str(tmp_path_factory.mktemp("base") / "base.tar")
    with tarfile.open(path, "w") as archive:
        for name in ("bin", "boot", "dev", "etc", "run", "tmp"):
            entry = tarfile.TarInfo(f"./{name}")
            entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, EPOCH + 5000
            archive.addfile(entry)
        archive.add("/bin/busybox", "./bin/busybox", filter=_by_root)
        files = {"boot/vmlinuz-6.1.0-9": "old", "boot/vmlinuz-6.1.0-10": "kernel", "run/pid": "1"}
        files.update({"boot/initrd.img-6.1.0-10": "initrd", "etc/machine-id": "0123", "etc/shadow": "x"})
        for name, text in {**files, **{f"etc/file{number}": "x" for number in range(100)}}.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size, entry.mtime, entry.gid = len(text), EPOCH - 1000, 42 if name == "etc/shadow" else 0
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


def _by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.mode = 0o755
    return entry


class Output:
    """A folder of images, and building in it."""

    def __init__(self, folder: pathlib.Path, base: str) -> None:
        self.path = str(folder / "images")
        self.base = base
        self.log = str(folder / "build.log")
        self.said: list[str] = []
        os.mkdir(self.path)

    def place(self, **options: t.Any) -> BuildPlace:
        settings = {"log": self.log, "timeout": 60, "free_space": 1 << 20, "say": self.said.append, **options}
        return BuildPlace(self.path, "small", **settings)

    def build(self, target: pathlib.Path, **changes: t.Any) -> Built:
        """Build; the results are moved to ``target``."""
        request = ImageRequest(**{"name": "small", "builder": "mmdebstrap", "base": self.base, **changes})
        with self.place() as place:
            built = MmdebstrapBuilder().build(request, place, EPOCH)
            target.mkdir()
            built.files = {name: shutil.move(path, target) for name, path in built.files.items()}
            built.kernel, built.initrd = (
                shutil.move(path, target) if path else "" for path in (built.kernel, built.initrd)
            )
        return built

    def work(self) -> list[str]:
        """Build places that are there."""
        work = pathlib.Path(self.path, ".work")
        return [entry.name for entry in work.iterdir() if entry.is_dir()] if work.exists() else []

    def text(self) -> str:
        return pathlib.Path(self.log).read_text(encoding="utf-8")


@pytest.fixture
def output(tmp_path: pathlib.Path, base: str) -> Output:
    return Output(tmp_path, base)
