# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The apt sources of a machine: its distribution's own, in either format."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images._apt_sources import (
    codename,
    machine_sources,
)

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def machine(root: pathlib.Path, **files: str) -> str:
    (root / "etc/apt/sources.list.d").mkdir(parents=True)
    (root / "etc/os-release").write_text('NAME="x"\nVERSION_CODENAME="bookworm"\n')
    for name, text in files.items():
        path = root / "etc/apt" / name.replace("__", "/").replace("_", ".")
        path.write_text(text)
    return f"{root}/"


def test_one_line_format(tmp_path: pathlib.Path) -> None:
    text = (
        "# deb https://mirror.example/commented bookworm main\n"
        "deb https://mirror.example/debian bookworm main contrib # why\n"
        f"deb [arch=amd64 signed-by={KEYRING}] https://mirror.example/security bookworm-security main\n"
        "deb [ signed-by=/etc/apt/keyrings/docker.asc ] https://third.example/debian bookworm stable\n"
        "deb https://mirror.example/debian trixie main\n"
        "deb-src https://mirror.example/debian bookworm main\n"
        "deb cdrom:[Debian GNU/Linux 12]/ bookworm main\n"
    )
    assert machine_sources(root=machine(tmp_path, sources_list=text)) == (
        "Types: deb\nURIs: https://mirror.example/debian\nSuites: bookworm\nComponents: main contrib\n\n"
        "Types: deb\nURIs: https://mirror.example/security\nSuites: bookworm-security\nComponents: main\n"
        f"Signed-By: {KEYRING}\n"
    )


def test_deb822_format(tmp_path: pathlib.Path) -> None:
    text = (
        "# a comment\nTypes: deb deb-src\nURIs: https://mirror.example/debian\n"
        f"suites: bookworm bookworm-updates\n trixie\nComponents: main\nsigned-by: {KEYRING}\n"
        "\n  \n"
        "Types: deb\nURIs: https://third.example/x\nSuites: bookworm\nComponents: x\n"
        "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n xyz\n"
    )
    found = machine_sources(types="deb-src", root=machine(tmp_path, sources_list_d__debian_sources=text))
    assert found == (
        "Types: deb-src\nURIs: https://mirror.example/debian\nSuites: bookworm bookworm-updates\n"
        f"Components: main\nSigned-By: {KEYRING}\n"
    )


@pytest.mark.parametrize("value", ["no", "No", "false", "off", "0", "disable", "without"])
def test_disabled(tmp_path: pathlib.Path, value: str) -> None:
    text = (
        f"Enabled: {value}\nTypes: deb\nURIs: https://mirror.example/\nSuites: bookworm\nComponents: main\n"
    )
    root = machine(tmp_path, sources_list_d__a_sources=text, sources_list_d__b_save=text.replace("no", "yes"))
    with pytest.raises(DistrogateError) as caught:
        machine_sources(root=root)
    assert caught.value.reason == "no_apt_sources"


def test_another_suite(tmp_path: pathlib.Path) -> None:
    root = machine(tmp_path, sources_list="deb https://mirror.example/debian trixie main\n")
    assert "Suites: trixie" in machine_sources("trixie", root=root)
    (tmp_path / "etc/os-release").write_text("NAME=x\n")
    with pytest.raises(DistrogateError) as caught:
        codename(root)
    assert caught.value.reason == "no_codename"
