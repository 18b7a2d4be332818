# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The minimal system that root filesystems of one suite have in common: made once for those of one run.

A host is prepared with several root filesystems one after the other. Each is the same minimal system with
other packages: that one is kept for some minutes as an archive, and mmdebstrap(1) goes on from there.
"""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock

_FOLDER = ".minimal"  # among the root filesystems
_SECONDS = 900  # then the distribution may have moved on, and one is made anew


def take(folder: str, key: str, into: str, make: t.Callable[[str], None], timeout: float) -> None:
    """Give the archive that ``key`` names another name, the new path ``into`` somewhere in ``folder``.

    ``make`` makes it at a path when there is none of the last minutes. Whoever has taken one keeps it. Error
    ``lock_timeout``.
    """
    home = os.path.join(folder, _FOLDER)
    os.makedirs(home, mode=0o755, exist_ok=True)
    with file_lock(os.path.join(home, "lock"), timeout):
        path = os.path.join(home, f"{key}.tar")
        for name in os.listdir(home):
            if name != "lock" and not _recent(os.path.join(home, name)):
                os.unlink(os.path.join(home, name))
        if not os.path.exists(path):
            make(f"{path}.new")
            os.rename(f"{path}.new", path)
        os.link(path, into)


def _recent(path: str) -> bool:
    """Whether it is complete and of the last minutes; the clock may have been set back since."""
    return path.endswith(".tar") and 0 <= time.time() - os.stat(path).st_mtime < _SECONDS
