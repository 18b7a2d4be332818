# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds by diskimage-builder that go wrong: elements without end, mirrors that lie, disks that are full."""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import pathlib
import subprocess
import tarfile
import threading
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images import _build_dib
from ansible_collections.distrogate.ci.plugins.module_utils._images._build_dib import DibBuilder
from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest
from ansible_collections.distrogate.ci.tests.faults.images_builds import ELEMENTS, Builds


def build(folder: pathlib.Path, request: ImageRequest, **limits: t.Any) -> DistrogateError:
    """The error of a build that must fail, after which nothing is left."""
    builds = Builds(folder, {"name": request.name})
    arguments = {"log": str(folder / "log"), "timeout": 120, **limits}
    with (
        BuildPlace(str(builds.output), request.name, **arguments) as place,
        pytest.raises(DistrogateError) as caught,
    ):
        DibBuilder().build(request, place, 1)
    builds.clean()
    assert not os.listdir(builds.output / ".cache" / "dib")
    return caught.value


def tiny(*elements: str, **environment: str) -> ImageRequest:
    settings = {"SKIP_BASE": "1", **environment}
    return ImageRequest(
        "tiny",
        "dib",
        elements=elements,
        element_path=(str(ELEMENTS),),
        environment=settings,
        formats=("tar",),
    )


def test_endless(tmp_path: pathlib.Path, monkeypatch: t.Any) -> None:
    """A fork bomb meets the limit of processes, the time limit ends it, and all of it is gone."""
    monkeypatch.setattr(_build_dib, "_PROCESSES", 300)
    error = build(tmp_path, tiny("tiny", "endless"), timeout=25)
    assert error.reason in ("timeout", "element_failed"), error.message
    assert "fork" in (tmp_path / "log").read_text()


def test_mounted(tmp_path: pathlib.Path) -> None:
    """What an element mounts in the root would be missing in a layer, so there is none."""
    builds = Builds(tmp_path, {"name": "tiny"})
    with BuildPlace(str(builds.output), "tiny", log=str(tmp_path / "log"), timeout=120) as place:
        built = DibBuilder().build(tiny("tiny", TINY_MOUNT="1"), place, 1)
        with tarfile.open(built.files["tar"]) as archive:
            assert "./mnt" in archive.getnames()
    builds.clean()
    assert "No layer is kept: elements have mounted /mnt" in (tmp_path / "log").read_text()
    assert not os.listdir(builds.output / ".cache" / "dib")


def test_time_limit(tmp_path: pathlib.Path) -> None:
    error = build(tmp_path, tiny("tiny", TINY_SECONDS="3600"), timeout=20)
    assert error.reason == "timeout" and "20 s" in error.message and "50-tiny" in error.message


@contextlib.contextmanager
def server(folder: pathlib.Path) -> t.Iterator[str]:
    """A mirror on this host."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{found.server_address[1]}"
        finally:
            found.shutdown()
            thread.join()


def from_mirror(address: str) -> ImageRequest:
    text = f"Types: deb\nURIs: {address}\nSuites: bookworm\nComponents: main\n"
    return ImageRequest("tiny", "dib", suite="bookworm", elements=("debian-minimal",), mirror=text)


def test_mirror(tmp_path: pathlib.Path) -> None:
    """One that has nothing is named; of one that nobody signed debootstrap says so, and we say who spoke."""
    suite = tmp_path / "mirror/dists/bookworm"
    suite.mkdir(parents=True)
    with server(tmp_path / "mirror") as address:
        (tmp_path / "out").mkdir()
        place = BuildPlace(str(tmp_path / "out"), "tiny", log=str(tmp_path / "first"))
        with place, pytest.raises(DistrogateError) as caught:
            DibBuilder().build(from_mirror(address), place, 1)
        assert caught.value.reason == "unreachable" and address in caught.value.message
        (suite / "InRelease").write_text("Suite: bookworm\n")
        error = build(tmp_path, from_mirror(address))
    assert error.reason == "element_failed"
    assert error.details["script"] == "root.d/08-debootstrap" and error.details["element"] == "debootstrap"
    assert "InRelease" in error.message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a disk of its own to fill")
def test_full_disk(tmp_path: pathlib.Path) -> None:
    """Too little space for the root: the error says so, and the disk is as it was."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m,mode=755", "none", str(disk)], check=True)
    try:
        error = build(disk, tiny("tiny"), free_space=0)
        assert error.reason == "disk_full" and str(disk) in error.message
        assert os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize > 5 << 20
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
