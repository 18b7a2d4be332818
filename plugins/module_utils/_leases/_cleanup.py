# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cleaning what leases leave: sandboxes of TEs, and lease files. Leases and waiters end by themselves."""

from __future__ import annotations

import os
import re
import stat
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._cleanup import Finding, Rules, folders

_LEASE_FILE = re.compile(r"\.json(\.key|\.key\.pub|\.log|\.keeper-[0-9]+)?\Z")


def find_sandboxes(root: str | None, rules: Rules) -> t.Iterator[Finding]:
    """``root``/TE/FENCE: the sandbox of one lease. Those of living leases are pinned."""
    for te in folders(root):
        for path in folders(te):
            if os.path.isdir(os.path.join(path, "upper")):
                yield rules.judged("sandbox", path, rules.idle_days)
            else:
                yield Finding("sandbox", path, "not a sandbox", False)


def find_lease_files(folder: str | None, rules: Rules) -> t.Iterator[Finding]:
    """Files of leases that nobody renewed: whoever could release them is gone, and so is the lease.

    Beside each may lie its key, and what its keepers left.
    """
    for name in sorted(os.listdir(folder)) if folder and os.path.isdir(folder) else []:
        path = os.path.join(folder or "", name)
        if not _LEASE_FILE.search(name) or not stat.S_ISREG(os.lstat(path).st_mode):
            continue
        age = rules.days(path)
        pinned = os.path.realpath(_LEASE_FILE.sub(".json", path)) in rules.pinned
        reason = "pinned" if pinned else f"not renewed for {age:.1f} days"
        yield Finding("lease_file", path, reason, age >= rules.keep_days and not pinned)
