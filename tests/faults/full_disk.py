# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tree on a small disk that is full: started in a mount namespace of its own, which needs no root.

    unshare -rm PYTHON -m ansible_collections.distrogate.ci.tests.faults.full_disk apt FOLDER STEP OPERATION…

The disk is a tmpfs. It is filled until ``STEP`` x 0, 1, 2, … pages (or inodes)
are free, from none to as many as the operation needs.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

from ansible_collections.distrogate.ci.tests.faults.errors import told_of_space
from ansible_collections.distrogate.ci.tests.faults.files import Files
from ansible_collections.distrogate.ci.tests.faults.kill import Subject, end_agent
from ansible_collections.distrogate.ci.tests.faults.repositories import Apt, Rpm
from ansible_collections.distrogate.ci.tests.faults.run import environment
from ansible_collections.distrogate.ci.tests.faults.tags import Tags

_PAGE = 4096
_SIZE, _INODES = 1024 * _PAGE, 1000
_SLACK = 16  # pages and inodes that a failed attempt may keep: the lock, empty folders


class _OnDisk(Subject):
    where = "disk/tree"

    @property
    def disk(self) -> pathlib.Path:
        return self.folder / "disk"

    def prepare(self) -> None:
        self.disk.mkdir()
        options = f"size={_SIZE},nr_inodes={_INODES}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(self.disk)], check=True)
        super().prepare()

    def free(self) -> tuple[int, int]:
        """Free pages and inodes."""
        found = os.statvfs(self.disk)
        return found.f_bavail * found.f_bsize // _PAGE, found.f_favail

    def fill_pages(self, free: int) -> None:
        with open(self.disk / "fill", "wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, max(1, (self.free()[0] - free) * _PAGE))

    def fill_inodes(self, free: int) -> None:
        for number in range(self.free()[1] - free):
            (self.disk / f"fill{number}").touch()

    def empty(self) -> None:
        for path in self.disk.glob("fill*"):
            path.unlink()

    def attempt(self, operation: str, fill: t.Callable[[int], None], free: int) -> bool:
        """Whether that much space was enough; when it was not, all is as it was, and goes on later."""
        self.reset(operation)
        fill(free)
        before = self.free()
        done = self.run()
        if done.status == 0:
            assert self.look() == self.after
        else:
            told_of_space(done)
            assert self.look() == self.before
            after = self.free()
            assert after[0] + _SLACK >= before[0] and after[1] + _SLACK >= before[1], (before, after)
        self.empty()
        self.survived(done)
        return done.status == 0

    def shrink(self, step: int, operations: t.Sequence[str]) -> dict[str, int]:
        """Every operation with every amount of free space; how many attempts failed, as they should."""
        failed = {}
        for operation in operations:
            for what, fill in (("pages", self.fill_pages), ("inodes", self.fill_inodes)):
                free = 0
                while not self._judged(operation, what, fill, free):
                    free += step
                    assert free < _SIZE // _PAGE
                failed[f"{operation} {what}"] = free // step
                assert free
        return failed

    def _judged(self, operation: str, what: str, fill: t.Callable[[int], None], free: int) -> bool:
        try:
            return self.attempt(operation, fill, free)
        except AssertionError as error:
            raise AssertionError(f"{self.module}: {operation} with {free} free {what}: {error}") from error


class AptOnDisk(_OnDisk, Apt):
    """An apt repository on the small disk."""


class RpmOnDisk(_OnDisk, Rpm):
    """An rpm repository on the small disk."""


class FilesOnDisk(_OnDisk, Files):
    """Sets of files on the small disk; they come from another one."""


class TagsOnDisk(_OnDisk, Tags):
    """What git_publish remembers, and works with, on the small disk; remotes are elsewhere."""


SUBJECTS: dict[str, type[_OnDisk]] = {
    "apt": AptOnDisk,
    "rpm": RpmOnDisk,
    "files": FilesOnDisk,
    "tags": TagsOnDisk,
}
OPERATIONS = {
    **dict.fromkeys(("apt", "rpm"), ("add", "new", "remove", "collect")),
    "files": ("new", "move", "collect", "commit"),
    "tags": ("new", "prepare"),
}


def shrink(name: str, folder: pathlib.Path, step: int, *operations: str) -> dict[str, int]:
    """Do it all in another process; returns how many attempts failed for want of space."""
    argv = ["unshare", "-rm", sys.executable, "-m", __name__, name, str(folder), str(step), *operations]
    done = subprocess.run(argv, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


def main(name: str, folder: str, step: str, *operations: str) -> None:
    """Inside the namespace."""
    try:
        print(json.dumps(SUBJECTS[name](pathlib.Path(folder)).shrink(int(step), operations)))
    finally:
        end_agent(pathlib.Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
