# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode of a pipeline says what would be done, and changes nothing."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Any

from ansible_collections.distrogate.ci.tests.demo.site import Site

Listing = dict[str, tuple[Any, ...]]
# Written by Site.playbook itself; the root filesystems are large, and may be another site's.
OURS = ("variables.json", "rootfs")
EXPECTED = ("workspace", "build", "lint", "publish_test", "install_test", "system_test", "seal")


def _contents(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def listing(root: Path) -> Listing:
    """Everything below ``root``: kind, mode, owner, time of the last change, and contents.

    The store is such files, too: a row that was written would be in one of them, and SQLite itself, even when
    it only reads, writes another.
    """
    found: Listing = {}
    for folder, folders, files in os.walk(root):
        relative = Path(folder).relative_to(root)
        if relative == Path():
            folders[:] = [name for name in folders if name not in OURS]
        for name in [*folders, *files]:
            path = Path(folder) / name
            status = path.lstat()
            value: tuple[Any, ...] = (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns)
            if stat.S_ISLNK(status.st_mode):
                value += (os.readlink(path),)
            elif stat.S_ISREG(status.st_mode):
                value += (status.st_size, _contents(path))
            if str(relative / name) not in OURS:
                found[str(relative / name)] = value
    return found


def differences(before: Listing, after: Listing) -> list[str]:
    """What was made, changed and removed, one line each."""
    lines = [f"made: {name}" for name in sorted(after.keys() - before.keys())]
    lines += [f"removed: {name}" for name in sorted(before.keys() - after.keys())]
    common = sorted(before.keys() & after.keys())
    return lines + [
        f"changed: {name} {before[name]} {after[name]}" for name in common if before[name] != after[name]
    ]


def check_mode(site: Site, change: dict[str, str]) -> None:
    """``check`` in check mode exits with 0, names every stage, and leaves the whole site as it was."""
    before = listing(site.root)
    done = site.playbook("check", "--check", "--diff", distrogate_queue=[change])
    changed = differences(before, listing(site.root))
    assert done.returncode == 0, f"check mode ended with status {done.returncode}"
    unnamed = [stage for stage in EXPECTED if f"would run {stage} " not in done.stdout]
    assert not unnamed, f"check mode did not say that it would run {', '.join(unnamed)}"
    assert not changed, "check mode changed the site:\n" + "\n".join(changed)
    print(f"checked  nothing of {len(before)} files and folders changed")
