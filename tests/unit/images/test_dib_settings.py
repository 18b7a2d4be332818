# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What diskimage-builder is told: sources, mirrors, and what nobody may change."""

from __future__ import annotations

import pathlib
import subprocess

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images._build_dib import DibBuilder
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_settings import binds_of, settings_of
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest, Source

MIRROR = """\
Types: deb
URIs: http://mirror.example.org/debian
Suites: bookworm bookworm-updates
Components: main contrib

Types: deb
URIs: http://mirror.example.org/security
Suites: bookworm-security
Components: main
"""
COMMIT = "0123456789012345678901234567890123456789"


def test_sources() -> None:
    """An element names a project as it likes; the commit is the one of the workspace."""
    request = ImageRequest("x", "dib", sources=(Source("openstack/os-x", "/srv/os-x", COMMIT),))
    found = settings_of(request, 1, "record")
    for name in ("os_x", "openstack_os_x"):
        assert found[f"DIB_REPOLOCATION_{name}"] == "/sources/openstack/os-x"
        assert found[f"DIB_REPOREF_{name}"] == COMMIT
        assert found[f"DIB_REPOTYPE_{name}"] == "git"
    assert binds_of(request, {})["/sources/openstack/os-x"] == "/srv/os-x"


def test_a_source_of_a_workspace_has_its_objects_elsewhere(tmp_path: pathlib.Path) -> None:
    """Its checkout shares those of the builder's git cache, which the build must see."""
    for argv in (["init", "-q", "cache"], ["clone", "-q", "--shared", "cache", "checkout"]):
        subprocess.run(["git", *argv], cwd=tmp_path, check=True, capture_output=True)
    source = Source("hello", str(tmp_path / "checkout"), COMMIT)
    objects = str(tmp_path / "cache/.git/objects")
    assert binds_of(ImageRequest("x", "dib", sources=(source,)), {})[objects] == objects


def test_mirror() -> None:
    found = settings_of(ImageRequest("x", "dib", suite="bookworm", mirror=MIRROR), 1, "record")
    assert found["DIB_RELEASE"] == "bookworm"
    assert found["DIB_DISTRIBUTION_MIRROR"] == "http://mirror.example.org/debian"
    assert found["DIB_DEBIAN_COMPONENTS"] == "main,contrib"
    assert found["DIB_APT_SOURCES_CONF"].splitlines() == [
        "source0:deb http://mirror.example.org/debian bookworm main contrib",
        "source1:deb http://mirror.example.org/debian bookworm-updates main contrib",
        "source2:deb http://mirror.example.org/security bookworm-security main",
    ]


def test_environment() -> None:
    given = {"DIB_DEBUG_TRACE": "1", "DIB_RELEASE": "trixie", "MINE": "x"}
    found = settings_of(ImageRequest("x", "dib", suite="bookworm", environment=given), 7, "record")
    assert {name: found[name] for name in given} == given
    assert found["SOURCE_DATE_EPOCH"] == "7"


@pytest.mark.parametrize("name", ["PATH", "HOME", "EXTRA_DETACH", "TMP_DIR", "LD_PRELOAD", "FS_TYPE"])
def test_fixed(name: str) -> None:
    with pytest.raises(DistrogateError) as caught:
        settings_of(ImageRequest("x", "dib", environment={name: "/tmp"}), 1, "record")
    assert caught.value.reason == "bad_environment" and name in caught.value.message


def test_no_disks() -> None:
    """An element that would need the host's root is refused before anything is made."""
    request = ImageRequest("x", "dib", elements=("debian-minimal", "vm"))
    with pytest.raises(DistrogateError) as caught:
        DibBuilder().build(request, None, 1)  # type: ignore[arg-type]
    assert caught.value.reason == "needs_block_device" and "block-device-mbr" in caught.value.message
