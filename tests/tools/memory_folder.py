# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder in memory, for tests that write the same small things hundreds of times.

A process that is killed loses nothing that it wrote, on a disk or in memory. So
waiting for the disk proves nothing in such a test, and is most of its time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import typing as t
from pathlib import Path

MEMORY = "/dev/shm"


@contextlib.contextmanager
def memory_folder(other: Path) -> t.Iterator[Path]:
    """A new folder that is gone at the end; below ``other`` on a machine that has no such memory."""
    parent = MEMORY if os.access(MEMORY, os.W_OK) else str(other)
    folder = Path(tempfile.mkdtemp(prefix="distrogate-test-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
