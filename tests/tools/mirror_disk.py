# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A disk of a few pages for the folder of a daemon."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess


class SmallDisk:
    """A tmpfs for a daemon's folder, which only root can mount; ``fill`` leaves a few bytes of it."""

    def __init__(self, folder: pathlib.Path, size: int) -> None:
        self.folder, self.size = folder, size

    @staticmethod
    def possible() -> bool:
        return os.geteuid() == 0 and shutil.which("mount") is not None

    def __enter__(self) -> SmallDisk:
        self.folder.mkdir(parents=True, exist_ok=True)
        argv = ["mount", "-t", "tmpfs", "-o", f"size={self.size}", "none", str(self.folder)]
        subprocess.run(argv, check=True, capture_output=True)
        return self

    def __exit__(self, *_error: object) -> None:
        # A daemon that was killed a moment ago may still be in there: it is taken off when that ends.
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True, capture_output=True)

    def fill(self, free: int) -> None:
        found = os.statvfs(self.folder)
        with open(self.folder / "fill", "wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, max(1, found.f_bavail * found.f_bsize - free))

    def empty(self) -> None:
        (self.folder / "fill").unlink(missing_ok=True)
