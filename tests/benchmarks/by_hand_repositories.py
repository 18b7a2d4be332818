# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""By hand: repositories with apt-ftparchive(1), createrepo_c(8) and gpg(1), and their real clients."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import Sandbox

if TYPE_CHECKING:
    from ansible_collections.distrogate.ci.tests.benchmarks.by_hand import ByHand

SUITE = "bookworm"
BINARY = f"dists/{SUITE}/main/binary-amd64"
APT = ["apt-get", "--yes", "--quiet", "-o", "Dpkg::Use-Pty=0", "-o", "APT::Sandbox::User=root"]
DNF = ["dnf", "--assumeyes", "--quiet"]
REPO = "[hand]\nname=hand\nbaseurl=file://{0}\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file://{0}/key.asc\n"


def _output(hand: ByHand, folder: Path, *argv: str) -> bytes:
    return subprocess.run(argv, check=True, cwd=folder, env=hand.gnupg, stdout=subprocess.PIPE).stdout


def _gpg(hand: ByHand, folder: Path, *options: str) -> None:
    hand.call("gpg", "--batch", "--yes", "--local-user", hand.fingerprint, *options, folder=folder)


def publish_apt(hand: ByHand) -> None:
    """Pool, Packages, Release, InRelease, and the key beside them."""
    root = hand.folder / "apt"
    (root / "pool").mkdir(parents=True)
    (root / BINARY).mkdir(parents=True)
    for path in hand.artifacts.glob("*.deb"):
        shutil.copy(path, root / "pool")
    packages = root / BINARY / "Packages"
    packages.write_bytes(_output(hand, root, "apt-ftparchive", "packages", "pool"))
    hand.call("gzip", "-9nk", str(packages))
    options = {"Suite": SUITE, "Codename": SUITE, "Components": "main", "Architectures": "amd64"}
    settings = [f"-oAPT::FTPArchive::Release::{key}={value}" for key, value in options.items()]
    suite = root / "dists" / SUITE
    (suite / "Release").write_bytes(_output(hand, suite, "apt-ftparchive", *settings, "release", "."))
    _gpg(hand, suite, "--output", "InRelease", "--clearsign", "Release")
    _gpg(hand, suite, "--output", "Release.gpg", "--armor", "--detach-sign", "Release")
    _gpg(hand, root, "--output", "key.asc", "--armor", "--export", hand.fingerprint)


def publish_rpm(hand: ByHand) -> None:
    """Packages, repodata, its signature, and the key."""
    root = hand.folder / "rpm-repository"
    root.mkdir()
    for path in hand.artifacts.glob("*.rpm"):
        shutil.copy(path, root)
    hand.call("createrepo_c", "--quiet", str(root))
    _gpg(hand, root / "repodata", "--armor", "--detach-sign", "repomd.xml")
    _gpg(hand, root, "--output", "key.asc", "--armor", "--export", hand.fingerprint)


def try_apt(hand: ByHand, box: Sandbox, package: str, commands: list[list[str]], remove: bool) -> None:
    """As a user: update, install, run; and remove and purge."""
    root = hand.folder / "apt"
    binds = {str(root): str(root)}
    source = f"deb [signed-by={root}/key.asc] file://{root} {SUITE} main\n"
    box.run(["tee", "/etc/apt/sources.list.d/hand.list"], stdin=source.encode())
    box.run([*APT, "update"], network=True, binds=binds, log=hand.log)
    install = [*APT, "--no-install-recommends", "install", package]
    box.run(install, network=True, binds=binds, log=hand.log)
    for argv in commands:
        box.run(argv, log=hand.log)
    if remove:
        name = package.partition("=")[0]
        for action in ("remove", "purge"):
            box.run([*APT, action, name], network=True, binds=binds, log=hand.log)
        box.run(["dpkg-query", "--show"])


def try_dnf(hand: ByHand, box: Sandbox, package: str, commands: list[list[str]]) -> None:
    """As a user: install, run, remove."""
    root = hand.folder / "rpm-repository"
    binds = {str(root): str(root)}
    box.run(["mkdir", "--parents", "/etc/yum.repos.d"])
    box.run(["tee", "/etc/yum.repos.d/hand.repo"], stdin=REPO.format(root).encode())
    box.run([*DNF, "install", package], network=True, binds=binds, log=hand.log)
    for argv in commands:
        box.run(argv, log=hand.log)
    box.run([*DNF, "remove", package], network=True, binds=binds, log=hand.log)
    box.run(["rpm", "--query", package], check=False)
