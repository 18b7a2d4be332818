# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real dnf with a cache and a root of its own; it checks the signatures of metadata and packages."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess

_CONF = """\
[main]
reposdir={folder}/none
varsdir={folder}/none
cachedir={folder}/cache
logdir={folder}
persistdir={folder}
installroot={folder}/root
plugins=0
pluginconfpath={folder}/none
assumeyes=1
[test]
name=test
baseurl={url}
enabled=1
gpgcheck={check}
repo_gpgcheck=1
gpgkey=file://{key}
"""


class DnfClient:
    """A machine that installs from one repository; ``key`` is the path of the armored key that it trusts."""

    def __init__(self, folder: pathlib.Path, url: str, key: pathlib.Path, signed: bool = True) -> None:
        self.folder = folder
        (folder / "root").mkdir(parents=True)
        (folder / "dnf.conf").write_text(_CONF.format(folder=folder, url=url, key=key, check=int(signed)))

    def forget(self) -> None:
        """Be a machine that has never seen the repository."""
        shutil.rmtree(self.folder / "cache", ignore_errors=True)

    def _dnf(self, *arguments: str, metadata_signed: bool = True) -> str:
        argv = ["dnf", "-c", str(self.folder / "dnf.conf"), "-q", "--releasever=1", "--refresh"]
        if not metadata_signed:
            argv.append("--setopt=test.repo_gpgcheck=0")
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(self.folder)}
        done = subprocess.run(
            [*argv, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def query(self, metadata_signed: bool = True) -> set[str]:
        """``dnf repoquery``; returns the packages, as ``name=version``."""
        output = self._dnf("repoquery", "--qf=%{name}=%{version}", metadata_signed=metadata_signed)
        return set(re.findall(r"^\S+=\S+$", output, re.MULTILINE))

    def download(self, metadata_signed: bool = True) -> set[str]:
        """``dnf install --downloadonly`` of all, which compares digests; returns ``name=version`` of each."""
        folder = self.folder / "downloads"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        arguments = ("install", "--downloadonly", f"--downloaddir={folder}", "*")
        self._dnf(*arguments, metadata_signed=metadata_signed)
        return {"=".join(path.name.rsplit("-", 2)[:2]) for path in folder.glob("*.rpm")}
