# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real apt with a state of its own: no root file system, nothing of this machine's settings."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

_CONF = """\
Dir::State "{folder}";
Dir::State::Lists "{folder}/lists";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}";
Dir::Cache::Archives "{folder}/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Log "{folder}";
Dir::Etc "{folder}/etc";
Dir::Etc::Trusted "{folder}/etc/none";
Dir::Etc::TrustedParts "{folder}/etc/none.d";
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
APT::Sandbox::User "root";
Acquire::Languages "none";
Debug::NoLocking "1";
"""
_SOURCE = "Types: deb\nURIs: {url}\nSuites: {suite}\nComponents: main\nSigned-By: {key}\n"


class AptClient:
    """A machine that installs from one suite; ``key`` is the path of the armored key that it trusts."""

    def __init__(self, folder: pathlib.Path, url: str, suite: str, key: pathlib.Path) -> None:
        self.folder = folder
        for name in ("archives/partial", "etc/apt.conf.d", "etc/preferences.d", "etc/sources.list.d"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        (folder / "apt.conf").write_text(_CONF.format(folder=folder))
        source = folder / "etc" / "sources.list.d" / "test.sources"
        source.write_text(_SOURCE.format(url=url, suite=suite, key=key))
        self.forget()

    def forget(self) -> None:
        """Be a machine that has never seen the repository."""
        shutil.rmtree(self.folder / "lists", ignore_errors=True)
        (self.folder / "lists" / "partial").mkdir(parents=True)

    def _apt(self, *argv: str, folder: pathlib.Path | None = None) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "APT_CONFIG": str(self.folder / "apt.conf"),
        }
        done = subprocess.run(
            argv, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout

    def update(self) -> set[str]:
        """``apt-get update``, where each warning is an error; returns the packages, as ``name=version``."""
        self._apt("apt-get", "update", "--error-on=any")
        stanzas = self._apt("apt-cache", "dumpavail").split("\n\n")
        found = set()
        for stanza in filter(str.strip, stanzas):
            fields = dict(line.split(": ", 1) for line in stanza.strip().splitlines() if ": " in line)
            found.add(f"{fields['Package']}={fields['Version']}")
        return found

    def download(self, packages: set[str]) -> None:
        """``apt-get download``, which compares the digests."""
        folder = self.folder / "downloads"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        if packages:
            self._apt("apt-get", "download", *sorted(packages), folder=folder)
        assert len(list(folder.glob("*.deb"))) == len(packages)
