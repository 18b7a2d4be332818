# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rsync by itself, as people mirror with it; each way has a daemon and a tree of its own.

The daemons of those that switch by a link do not munge links: with ``use chroot
= no`` and munged links --link-dest finds nothing and copies everything, and the
link that is switched leads nowhere.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from ansible_collections.distrogate.ci.tests.benchmarks.publish_meter import Step
from ansible_collections.distrogate.ci.tests.tools.mirror_daemons import Daemon

UNMUNGED = MappingProxyType({"munge symlinks": "no"})
_COMMON = ["rsync", "-a", "--exclude=.distrogate"]
CURRENT = "current"


class Peer:
    """``rsync -a``: no transaction, no switch. A mixture for readers while it runs."""

    name = "rsync -a"
    settings: Mapping[str, str] = MappingProxyType({})
    options: tuple[str, ...] = ()

    def __init__(self, work: Path) -> None:
        self.number = 0
        self.folder = work / self.name.replace(" ", "_").replace("/", "_")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.daemon = Daemon(self.folder, self.settings)
        self.daemon.start()

    def end(self) -> None:
        self.daemon.stop()
        shutil.rmtree(self.folder)

    def steps(self, source: Path) -> list[Step]:
        """Everything that brings the mirror to the source's state."""
        return [Step([*_COMMON, *self.options, f"{source}/", self.daemon.address()])]

    def shown(self) -> Path:
        """The folder that readers see."""
        return self.daemon.path

    def tidy(self) -> None:
        """Remove what is not needed any more; that is not measured."""


class Delayed(Peer):
    """New files are renamed at the end of the run, all at nearly the same moment."""

    name = "rsync -a --delay-updates --delete-after"
    options = ("--delay-updates", "--delete-after")


class LinkDest(Peer):
    """A new folder for each state, with links to what has not changed, and a link that is switched."""

    name = "rsync -a --link-dest, link switch"
    settings = UNMUNGED

    def steps(self, source: Path) -> list[Step]:
        self.number += 1
        target = f"{self.daemon.address()}state{self.number}/"
        options = [f"--link-dest=../{CURRENT}"] if self.number > 1 else []
        return [Step([*_COMMON, *options, f"{source}/", target]), self._switch()]

    def _switch(self) -> Step:
        folder = self.folder / "link"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / CURRENT).symlink_to(f"state{self.number}")
        return Step(["rsync", "-l", str(folder / CURRENT), self.daemon.address()])

    def shown(self) -> Path:
        return self.daemon.path / os.readlink(self.daemon.path / CURRENT)

    def tidy(self) -> None:
        for path in self.daemon.path.iterdir():
            if path.name not in (CURRENT, f"state{self.number}"):
                shutil.rmtree(path)


class Copied(LinkDest):
    """Needs a shell on the mirror: there cp makes the new folder, of links."""

    name = "cp -al + rsync -a, link switch"

    def steps(self, source: Path) -> list[Step]:
        self.number += 1
        target = f"state{self.number}"
        push = [*_COMMON, "--delete", f"{source}/", f"{self.daemon.address()}{target}/"]
        if self.number == 1:
            return [Step(push), self._switch()]
        copy = ["cp", "-al", f"state{self.number - 1}", target]
        return [Step(copy, self.daemon.path), Step(push), self._switch()]
