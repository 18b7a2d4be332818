# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a build is given and gives, whatever the kind of package."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import Sandbox

BUILDER = 1000  # the user inside the sandbox; not root, as build tools expect
FOLDER = "/build"


@dataclasses.dataclass(frozen=True)
class Project:
    """One checkout of the workspace; ``count`` and ``tree`` make the version, ``date`` the clock."""

    name: str
    path: str
    tree: str
    date: int
    count: int

    @property
    def suffix(self) -> str:
        """Rises with every merge, and names the tree: ``dg17.0a1b2c3``."""
        return f"dg{self.count}.{self.tree[:7]}"


@dataclasses.dataclass(frozen=True)
class Settings:
    """Where and how to build; ``timeout`` in seconds, ``artifacts`` the folder for results."""

    rootfs: str
    scratch: str
    artifacts: str
    log: str
    timeout: float
    environment: dict[str, str]
    sources: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()

    def sandbox(self, name: str) -> Sandbox:
        return Sandbox(os.path.join(self.scratch, name), self.rootfs)

    def bound(self) -> dict[str, str]:
        return {path: path for path in self.binds}


def place(box: Sandbox, settings: Settings, archive: str, folder: str) -> None:
    """Unpack a tar file into ``folder`` inside, as the builder's user."""
    box.run(["install", "--directory", f"--owner={BUILDER}", f"--group={BUILDER}", FOLDER, folder])
    with open(archive, "rb") as stream:
        argv = [
            "tar",
            "--extract",
            "--no-same-owner",
            f"--directory={folder}",
            "--strip-components=1",
            "--file=-",
        ]
        box.run(argv, user=BUILDER, stdin=stream, log=settings.log)


def built(paths: list[str], what: str) -> list[str]:
    """The build's results; none at all is an error."""
    if not paths:
        raise DistrogateError("nothing_built", f"The build of {what} ended well but made no package.")
    return paths


def environment(settings: Settings, project: Project, **more: str) -> dict[str, str]:
    """The clock and the width of the build; the rest is fixed."""
    values: dict[str, t.Any] = {"SOURCE_DATE_EPOCH": str(project.date), **settings.environment, **more}
    return {key: str(value) for key, value in values.items()}


def identities(paths: t.Sequence[str], text: str) -> t.Iterator[tuple[str, str, str, str]]:
    """(path, package, version, architecture) of packages, from a tool's line for each.

    Error ``bad_package``: a change builds what it likes, also a package whose name is two words.
    """
    lines = [line.split(" ") for line in text.splitlines()]
    if len(lines) != len(paths) or any(len(words) != 3 or not all(words) for words in lines):
        names = ", ".join(os.path.basename(path) for path in paths)
        raise DistrogateError("bad_package", f"The tools do not say which packages these are: {names}.")
    for path, (package, version, architecture) in zip(paths, lines):
        yield path, package, version, architecture
