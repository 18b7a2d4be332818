# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Preflight finds keys, and leaves no trace while it looks."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._preflight import missing

NOTHING = {
    **{name: {} for name in ("programs", "python_modules", "folders", "files", "free_space")},
    "keys": [],
    "roles": [],
    "sandbox": False,
}


def end_agent(home: str) -> None:
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)


@pytest.fixture(scope="module")
def home() -> Iterator[str]:
    """A GnuPG home with one key; its path is short, because a socket's may not be long."""
    with tempfile.TemporaryDirectory(prefix="dg-") as folder:
        make = ["gpg", "--homedir", folder, "--batch", "--quiet", "--passphrase", ""]
        subprocess.run([*make, "--quick-generate-key", "tests@example.org", "ed25519"], check=True)
        yield folder
        end_agent(folder)


def fingerprint(home: str) -> str:
    argv = ["gpg", "--homedir", home, "--batch", "--with-colons", "--list-keys"]
    lines = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()
    return next(line.split(":")[9] for line in lines if line.startswith("fpr:"))


def look(home: str, key: str) -> list[str]:
    return missing({**NOTHING, "keys": [{"fingerprint": key, "gnupg_home": home}]})


@pytest.mark.parametrize("agent", [True, False])
def test_a_key_is_found_with_and_without_an_agent(home: str, agent: bool) -> None:
    key = fingerprint(home)
    if agent:
        subprocess.run(["gpg-connect-agent", "--homedir", home, "/bye"], check=True, capture_output=True)
    else:
        end_agent(home)
    before = (Path(home).stat().st_mtime_ns, sorted(os.listdir(home)))
    assert look(home, key) == []
    assert (Path(home).stat().st_mtime_ns, sorted(os.listdir(home))) == before


def test_a_public_key_alone_is_not_enough(home: str, tmp_path: Path) -> None:
    key = fingerprint(home)
    public = subprocess.run(
        ["gpg", "--homedir", home, "--batch", "--export", key], check=True, capture_output=True
    )
    other = tmp_path / "gnupg"
    other.mkdir(mode=0o700)
    subprocess.run(["gpg", "--homedir", str(other), "--batch", "--import"], input=public.stdout, check=True)
    assert "no secret key" in look(str(other), key)[0]


def test_an_unknown_key_and_an_unknown_home(home: str, tmp_path: Path) -> None:
    assert "no secret key" in look(home, "0" * 40)[0]
    assert "no secret key" in look(str(tmp_path / "nowhere"), "0" * 40)[0]


def test_who_installs_what_is_missing() -> None:
    said = missing({**NOTHING, "programs": {"nosuch": "its-package"}, "python_modules": {"no.such": "it"}})
    assert not any("prepare" in line for line in said)
    wanted = {**NOTHING, "programs": {"nosuch": "its-package"}, "python_modules": {"no.such": "it"}}
    said = missing({**wanted, "roles": ["builder", "te_host"]})
    assert len(said) == 2
    assert all(
        line.endswith(" The playbook distrogate.ci.prepare does, where it may (role builder, te_host).")
        for line in said
    )


def test_files_that_are_to_be_read(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    files = {str(tmp_path / name): "export it" for name in ("key", "other", ".")}
    said = missing({**NOTHING, "files": files})
    assert len(said) == 2 and said[0].endswith("/other that this user can read: export it.")


def test_room_for_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    folder = str(tmp_path / "no/such/folder")
    assert missing({**NOTHING, "free_space": {folder: "1K"}}) == []
    (said,) = missing({**NOTHING, "free_space": {folder: "8000T"}})
    assert folder in said and "8192000.0 GiB are needed" in said and "janitor" in said
    with pytest.raises(DistrogateError, match="no size"):
        missing({**NOTHING, "free_space": {folder: "much"}})
    assert not os.path.exists(folder)
