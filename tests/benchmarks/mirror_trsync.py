# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""trsync, which is in no distribution: a checkout of it is named by an option, and Python 2 runs it.

It is called below its command line, which would need a framework besides; so
its figures are a little better than what its users see. Where there is no
checkout or no Python 2, the rsync commands that its push issues are measured,
without its own work, and are called that.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.distrogate.ci.tests.benchmarks.mirror_peers import UNMUNGED, LinkDest
from ansible_collections.distrogate.ci.tests.benchmarks.publish_meter import Step
from ansible_collections.distrogate.ci.tests.tools.mirror_daemons import Daemon

_NAME = "release"
_EXCLUDE = "--exclude=.distrogate"
# Its package asks pbr for its version, which nothing here needs.
_PROGRAM = """
import sys, types
folder, stamp, first, source = sys.argv[1:5]
version = types.ModuleType("pbr.version")
class VersionInfo:
    def __init__(self, name):
        pass
    def version_string(self):
        return ""
version.VersionInfo = VersionInfo
sys.modules["pbr"] = types.ModuleType("pbr")
sys.modules["pbr.version"] = sys.modules["pbr"].version = version
sys.path.insert(0, folder)
from trsync.objects.rsync_mirror import TRsync
for url in sys.argv[5:]:
    mirror = TRsync(url, timestamp=stamp, init_directory_structure=bool(int(first)),
                    snapshot_lifetime=61, rsync_extra_params="--exclude=.distrogate")
    mirror.push(source, "release")
"""


class Trsync(LinkDest):
    """One mirror; ``others`` are pushed to after it, one after the other, as it does."""

    name = "trsync push"
    settings = UNMUNGED

    def __init__(self, work: Path, checkout: Path, python: str) -> None:
        super().__init__(work)
        self.checkout, self.python = checkout, python
        self.others: Sequence[str] = ()
        self.through = 0  # the port of a proxy before its daemon

    def _stamp(self) -> str:
        return f"2026-01-01-{self.number:06d}"

    def steps(self, source: Path) -> list[Step]:
        self.number += 1
        first = str(int(self.number == 1))
        addresses = [self.daemon.address(self.through), *self.others]
        return [
            Step(
                [
                    self.python,
                    "-c",
                    _PROGRAM,
                    str(self.checkout),
                    self._stamp(),
                    first,
                    f"{source}/",
                    *addresses,
                ]
            )
        ]

    def shown(self) -> Path:
        return self.daemon.path / "snapshots" / f"{_NAME}-{self._stamp()}"

    def tidy(self) -> None:
        for path in (self.daemon.path / "snapshots").iterdir():
            if path.is_dir() and not path.is_symlink() and path != self.shown():
                shutil.rmtree(path)


class TrsyncCommands(Trsync):
    """The commands of one push to one mirror, in its order; its own work is left out."""

    name = "the rsync commands of trsync push"

    def __init__(self, work: Path) -> None:
        super().__init__(work, Path("/"), "")

    def steps(self, source: Path) -> list[Step]:
        self.number += 1
        return [
            step
            for address in (self.daemon.address(self.through), *self.others)
            for step in self._push(source, address)
        ]

    def _push(self, source: Path, address: str) -> list[Step]:
        always = ["-v", "--no-owner", "--no-group", "-v", "--no-owner", "--no-group", _EXCLUDE]
        push = ["rsync", "--archive", "--force", "--ignore-errors", "--delete", *always]
        look = ["rsync", "-l", *always, "--no-v"]
        place, latest = f"{address}snapshots/", f"{_NAME}-latest"
        name = f"{_NAME}-{self._stamp()}"
        local = self.folder / "local"
        shutil.rmtree(local, ignore_errors=True)
        (local / "link").mkdir(parents=True)
        (local / "structure" / "snapshots").mkdir(parents=True)
        (local / "link" / latest).symlink_to(name)
        for file in ("link/" + latest + ".target.txt", "diff"):
            (local / file).write_text(name)
        structure = Step(["rsync", "-r", *always, f"{local}/structure/", address])
        return [
            *([structure] if self.number == 1 else []),
            Step([*push, f"--link-dest=../{latest}", f"{source}/", f"{place}{name}"]),
            Step([*push, str(local / "diff"), f"{place}{name}.diff.txt"]),
            *([Step([*look, f"{place}{latest}"])] if self.number > 1 else []),
            Step([*look, f"{place}{name}"]),
            Step(["rsync", "-rl", *always, f"{local}/link/", place]),
            *(Step([*look, where]) for where in (place, address, place)),
        ]


def open_trsync(work: Path, checkout: Path | None, python: str) -> Trsync:
    """trsync itself if it can be run, else its commands."""
    if checkout and (checkout / "trsync" / "objects").is_dir() and shutil.which(python):
        argv = [python, "-c", "import sys; sys.exit(sys.version_info[0] != 2)"]
        if subprocess.run(argv, check=False).returncode == 0:
            return Trsync(work, checkout, python)
    return TrsyncCommands(work)


def more_daemons(folder: Path, count: int) -> list[Daemon]:
    """Daemons without munged links."""
    return [Daemon(folder / f"more{number}", UNMUNGED) for number in range(count)]
