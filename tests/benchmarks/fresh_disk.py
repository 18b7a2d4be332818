# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file system of its own for each case: what another case deleted must not cost this one anything.

An ext4 without a journal, as some virtual machines have, passes over every inode that was freed in the last
minutes when it looks for a new one. A root filesystem that is made after another one was deleted then takes
a third more CPU time than the first, whoever makes it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator

SIZE = 8 << 30  # a sparse file


@contextlib.contextmanager
def fresh_disk(folder: str, size: int = SIZE) -> Iterator[str]:
    """A folder that everybody may write to, on an ext4 with a journal that nothing was written to before."""
    image, point = os.path.join(folder, "disk.img"), os.path.join(folder, "disk")
    with open(image, "xb") as stream:
        stream.truncate(size)
    try:
        initialised = "lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0"  # not while a case is measured
        argv = ["mke2fs", "-q", "-F", "-t", "ext4", "-O", "has_journal", "-E", initialised, image]
        subprocess.run(argv, check=True)
        os.makedirs(point, exist_ok=True)
        subprocess.run(["mount", "-o", "loop", image, point], check=True)
        try:
            os.chmod(point, 0o1777)
            yield point
        finally:
            subprocess.run(["umount", point], check=True)
    finally:
        os.unlink(image)
