# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repositories above the distribution, common trees, and archives that are kept by their digests."""

from __future__ import annotations

import hashlib
import os
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images._apt_layers import layers
from ansible_collections.distrogate.ci.plugins.module_utils._images._archives import Archives
from ansible_collections.distrogate.ci.plugins.module_utils._images._base_layer import BaseLayer, common
from ansible_collections.distrogate.ci.plugins.module_utils._images._build_mmdebstrap import (
    MmdebstrapBuilder,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import (
    ImageRequest,
    Repository,
    Source,
)

if t.TYPE_CHECKING:
    from conftest import Output

EPOCH = 1700000000


def test_local_folders_and_keys_are_given_places(tmp_path: pathlib.Path) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "key.asc").write_text("x")
    text = f"# ours\nTypes: deb\nURIs: file:{tmp_path}/repo https://host/apt\n"
    text += f"Signed-By: {tmp_path}/key.asc\nSuites: ./\n"
    texts, binds = layers([Repository(text, "d"), Repository("Types: deb\nURIs: http://h\n", "d")])
    assert texts[0] == (
        "Types: deb\nURIs: file:/run/distrogate/0-folder-0 https://host/apt\n"
        "Signed-By: /run/distrogate/0-key-1.asc\nSuites: ./\n"
    )
    assert binds == {
        "/run/distrogate/0-folder-0": f"{tmp_path}/repo",
        "/run/distrogate/0-key-1.asc": f"{tmp_path}/key.asc",
    }
    assert texts[1] == "Types: deb\nURIs: http://h\n"


def test_keys_in_the_text_stay() -> None:
    text = "Types: deb\nURIs: http://h\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n x\n"
    assert layers([Repository(text, "d")]) == ([text], {})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "deb http://h ./",
        "Types: deb\nURIs: ftp://h\n",
        "Types: deb\nURIs: file:/no/such\n",
        "Types: deb\nURIs: ssh://h\n",
        "Types: deb\nURIs: http://h\nSigned-By: /no/such.asc\n",
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(DistrogateError) as caught:
        layers([Repository(text, "d")])
    assert caught.value.reason == "bad_repository"


def test_what_images_have_in_common() -> None:
    assert common(
        (
            "nginx",
            "linux-image-amd64",
            "systemd-sysv",
            "openssh-server",
            "linux-image-amd64=6.1",
            "python3-foo",
        )
    ) == [
        "linux-image-amd64",
        "openssh-server",
        "systemd-sysv",
    ]


def test_common_trees_have_names_of_their_own(output: Output) -> None:
    request = ImageRequest("a", "mmdebstrap", "bookworm", packages=("jq", "systemd-sysv"), mirror="m")

    def path(epoch: int = EPOCH, tool: str = "1", **changes: t.Any) -> str:
        import dataclasses

        with output.place() as place:
            return BaseLayer(dataclasses.replace(request, **changes), place, epoch, tool).path

    assert path() == path(name="b") == path(packages=("systemd-sysv", "nginx")) == path(EPOCH + 86400)
    others = [
        path(suite="trixie"),
        path(mirror="n"),
        path(packages=()),
        path(tool="2"),
        path(EPOCH + 91 * 86400),
    ]
    assert len({path(), *others, path(environment={"A": "b"}), path(architecture="arm64")}) == 8


@pytest.mark.parametrize(
    "changes",
    [{"elements": ("vm",)}, {"sources": (Source("p", "/p", "0" * 40),)}, {"suite": "", "base": ""}],
)
def test_what_the_builder_cannot_do(output: Output, changes: dict[str, t.Any]) -> None:
    request = ImageRequest(**{"name": "a", "builder": "mmdebstrap", "suite": "bookworm", **changes})
    with output.place() as place, pytest.raises(DistrogateError) as caught:
        MmdebstrapBuilder().build(request, place, EPOCH)
    assert caught.value.reason == "bad_request"


def test_archives_are_kept_by_their_digests(output: Output, tmp_path: pathlib.Path) -> None:
    good, bad = hashlib.sha256(b"good").hexdigest(), hashlib.sha256(b"other").hexdigest()
    with output.place() as place:
        archives = Archives(place)
        (tmp_path / "a_1_all.deb").write_bytes(b"good")
        (tmp_path / "b_1_all.deb").write_bytes(b"evil")
        (tmp_path / "secret").write_bytes(b"other")
        os.symlink(tmp_path / "secret", tmp_path / "c_1_all.deb")
        lines = [f"{good} a_1_all.deb", f"{bad} b_1_all.deb", f"{bad} c_1_all.deb", f"{bad} ../secret", "x"]
        pathlib.Path(archives.list).write_text("\n".join(lines))
        archives.keep(str(tmp_path))
        archives.keep(str(tmp_path))
        assert os.listdir(archives.kept) == [good]
        assert pathlib.Path(archives.kept, good).read_bytes() == b"good"
