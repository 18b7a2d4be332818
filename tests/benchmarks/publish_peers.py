# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The peers, each called as its manual says, and writing what ours writes: one gzip index, two signatures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ansible_collections.distrogate.ci.tests.benchmarks.publish_meter import Step

SUITE = "bookworm"
BINARY = f"dists/{SUITE}/main/binary-amd64"
_BATCH = 5000  # packages in one command line


class Peer:
    """A tool and the repositories that it keeps. ``package`` is the Debian package that has it."""

    command = package = ""
    kind = "deb"
    index = f"{BINARY}/Packages.gz"  # below the repository's folder

    def __init__(self, key: str) -> None:
        self.key = key

    def installed(self) -> bool:
        return shutil.which(self.command) is not None

    def configure(self, root: Path) -> None:
        """Make the folder a repository of this tool, or the one that was copied here."""

    def lay(self, root: Path, packages: list[Path]) -> None:
        """Put the packages where the tool wants to find them before it is called."""

    def fill(self, root: Path, packages: list[Path]) -> list[Step]:
        """Put packages into an empty repository."""
        raise NotImplementedError

    def add(self, root: Path, package: Path) -> list[Step]:
        """Put one more package into it, and publish it."""
        raise NotImplementedError

    def _sign(self, folder: Path, *options: str) -> Step:
        return Step(["gpg", "--batch", "--yes", "--local-user", self.key, *options], folder)


class Reprepro(Peer):
    command = package = "reprepro"

    def configure(self, root: Path) -> None:
        (root / "conf").mkdir(parents=True, exist_ok=True)
        (root / "conf/distributions").write_text(
            f"Codename: {SUITE}\nArchitectures: amd64\nComponents: main\nSignWith: {self.key}\n"
            "DebIndices: Packages Release .gz\n"
        )

    def fill(self, root: Path, packages: list[Path]) -> list[Step]:
        batches = _batches(packages)
        steps = [_step("reprepro", "-s", "-b", root, "--export=never", *_INCLUDE, *some) for some in batches]
        return [*steps, _step("reprepro", "-s", "-b", root, "export", SUITE)]

    def add(self, root: Path, package: Path) -> list[Step]:
        return [_step("reprepro", "-s", "-b", root, *_INCLUDE, package)]


class Aptly(Peer):
    command = package = "aptly"
    index = f"public/{BINARY}/Packages.gz"

    def configure(self, root: Path) -> None:
        settings = {"rootDir": str(root), "skipContentsPublishing": True, "skipBz2Publishing": True}
        root.mkdir(parents=True, exist_ok=True)
        (root / "aptly.conf").write_text(json.dumps(settings))

    def fill(self, root: Path, packages: list[Path]) -> list[Step]:
        names = [f"-distribution={SUITE}", "-component=main", f"-gpg-key={self.key}", "-batch"]
        return [
            self._aptly(root, "repo", "create", "main"),
            *(self._aptly(root, "repo", "add", "main", *some) for some in _batches(packages)),
            self._aptly(root, "publish", "repo", *names, "main"),
        ]

    def add(self, root: Path, package: Path) -> list[Step]:
        update = self._aptly(root, "publish", "update", f"-gpg-key={self.key}", "-batch", SUITE)
        return [self._aptly(root, "repo", "add", "main", package), update]

    def _aptly(self, root: Path, *words: object) -> Step:
        return _step("aptly", f"-config={root}/aptly.conf", *words)


class AptFtparchive(Peer):
    """Without its database; it reads the packages where they are, in ``pool``."""

    command, package = "apt-ftparchive", "apt-utils"

    def __init__(self, key: str, *options: str) -> None:
        super().__init__(key)
        self.options = options

    def lay(self, root: Path, packages: list[Path]) -> None:
        link(packages, root / "pool")

    def fill(self, root: Path, packages: list[Path]) -> list[Step]:
        suite, binary = root / f"dists/{SUITE}", root / BINARY
        binary.mkdir(parents=True, exist_ok=True)
        fields = {"Suite": SUITE, "Codename": SUITE, "Components": "main", "Architectures": "amd64"}
        settings = [f"-oAPT::FTPArchive::Release::{name}={value}" for name, value in fields.items()]
        tool = [self.command, *self.options]
        return [
            Step([*tool, "packages", "pool"], root, stdout=binary / "Packages"),
            Step(["gzip", "--no-name", "--keep", "--force", "Packages"], binary),
            Step([*tool, *settings, "release", "."], suite, stdout=root / "Release"),
            Step(["mv", "../../Release", "Release"], suite),
            self._sign(suite, "--output", "InRelease", "--clearsign", "Release"),
            self._sign(suite, "--output", "Release.gpg", "--armor", "--detach-sign", "Release"),
        ]


class Createrepo(Peer):
    """It reads the packages where they are."""

    command, package = "createrepo_c", "createrepo-c"
    kind = "rpm"
    index = "repodata/repomd.xml"  # which names it

    def lay(self, root: Path, packages: list[Path]) -> None:
        link(packages, root)

    def fill(self, root: Path, packages: list[Path]) -> list[Step]:
        return self._metadata(root)

    def add(self, root: Path, package: Path) -> list[Step]:
        return [_step("cp", package, root), *self._metadata(root, "--update", "--skip-stat")]

    def _metadata(self, root: Path, *options: str) -> list[Step]:
        sign = self._sign(root / "repodata", "--armor", "--detach-sign", "repomd.xml")
        return [_step(self.command, "--quiet", "--no-database", *options, root), sign]


def link(packages: list[Path], folder: Path) -> None:
    """A folder of packages that costs no space, with as many in each part of it as where they come from."""
    for package in packages:
        part = folder / package.parent.name
        part.mkdir(parents=True, exist_ok=True)
        (part / package.name).hardlink_to(package)


_INCLUDE = ("includedeb", SUITE)


def _batches(packages: list[Path]) -> list[list[Path]]:
    return [packages[start : start + _BATCH] for start in range(0, len(packages), _BATCH)]


def _step(*words: object) -> Step:
    return Step([str(word) for word in words])
