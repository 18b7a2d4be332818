# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host is asked: preflight, subordinate ids, keys; and the version."""

from __future__ import annotations

import pathlib
import subprocess
import typing as t

import pytest
import yaml

from ansible_collections.distrogate.ci.plugins.module_utils._core import _openpgp, _preflight
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._subordinate_ids import (
    COUNT,
    free_range,
    has_range,
    ranges,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._version import VERSION

NOTHING: dict[str, t.Any] = {
    "programs": {},
    "python_modules": {},
    "folders": {},
    "files": {},
    "free_space": {},
    "keys": [],
    "roles": [],
    "sandbox": False,
}


def test_version() -> None:
    galaxy = pathlib.Path(__file__).parents[3] / "galaxy.yml"
    assert yaml.safe_load(galaxy.read_text())["version"] == VERSION


def test_nothing_is_missing(tmp_path: pathlib.Path) -> None:
    wanted = {
        "programs": {"sh": "dash"},
        "python_modules": {"json": "python3"},
        "folders": {str(tmp_path): "x"},
    }
    assert _preflight.missing({**NOTHING, **wanted, "sandbox": True}) == []


def test_a_sentence_for_each(tmp_path: pathlib.Path) -> None:
    key = {"fingerprint": "0" * 40, "gnupg_home": str(tmp_path)}
    wanted = {
        "programs": {"nosuchprogram": "its-package"},
        "python_modules": {"nosuch.module": "python3-x", "json.nothing": "y"},
        "folders": {f"{tmp_path}/none": "make it"},
        "keys": [key],
    }
    found = _preflight.missing({**NOTHING, **wanted})
    assert found == [
        "The program nosuchprogram is missing: install the package its-package.",
        "This Python has no module nosuch.module: install python3-x, or set ansible_python_interpreter.",
        "This Python has no module json.nothing: install y, or set ansible_python_interpreter.",
        f"There is no folder {tmp_path}/none: make it.",
        f"There is no secret key {'0' * 40} in {tmp_path}: import it, or set signing_key and gnupg_home.",
    ]


def test_ranges(tmp_path: pathlib.Path) -> None:
    path, other = tmp_path / "subuid", tmp_path / "subgid"
    path.write_text(f"a:100000:{COUNT}\nsmall:1:10\nbroken\nb:x:1\n:1:\nc:{100000 + 3 * COUNT}:{COUNT}\n")
    assert [name for name, _first, _count in ranges(str(path))] == ["a", "small", "c"]
    assert has_range(str(path), "a") and not has_range(str(path), "small")
    assert ranges(str(other)) == []
    assert free_range(str(path), str(other)) == f"{100000 + COUNT}-{100000 + 2 * COUNT - 1}"
    other.write_text(f"z:{100000 + 2 * COUNT - 1}:1\n")
    assert free_range(str(path), str(other)) == f"{100000 + 2 * COUNT}-{100000 + 3 * COUNT - 1}"


def test_the_end_of_the_ids(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "subuid"
    path.write_text("d:4294901760:65535\n")
    assert free_range(str(path)).startswith("100000-")
    path.write_text("d:100000:4294867000\n")
    with pytest.raises(DistrogateError) as caught:
        free_range(str(path))
    assert caught.value.reason == "no_free_range"


@pytest.fixture
def home(tmp_path_factory: t.Any) -> t.Iterator[str]:
    folder = str(tmp_path_factory.mktemp("g"))
    yield folder
    subprocess.run(["gpgconf", "--homedir", folder, "--kill", "all"], check=False)


def test_keys(home: str, tmp_path: pathlib.Path) -> None:
    made = _openpgp.make_key(home, "--version <a@example.org>")
    assert _openpgp.find_key(home, "--version <a@example.org>") == made
    assert _openpgp.find_key(home, "a@example.org") == ""
    assert _openpgp.find_key(home, "--version <a@example.or>") == ""
    path = str(tmp_path / "fingerprint")
    assert _openpgp.remember(path, made, write=False) and not pathlib.Path(path).exists()
    assert _openpgp.remember(path, made) and not _openpgp.remember(path, made)
    public = tmp_path / "public.asc"
    assert _openpgp.export(str(public), home, made, write=False) and not public.exists()
    assert _openpgp.export(str(public), home, made) and not _openpgp.export(str(public), home, made)
    shown = ["gpg", "--homedir", home, "--batch", "--with-colons", "--show-keys", str(public)]
    assert made in subprocess.run(shown, capture_output=True, text=True, check=True).stdout
    certificate = pathlib.Path(home, "openpgp-revocs.d", f"{made}.rev").read_text().replace(":-----", "-----")
    subprocess.run(["gpg", "--homedir", home, "--batch", "--import"], input=certificate.encode(), check=True)
    assert _openpgp.find_key(home, "--version <a@example.org>") == ""
