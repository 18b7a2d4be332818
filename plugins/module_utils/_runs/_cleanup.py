# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cleaning what runs show: logs and reports that are old, or more than are kept, of runs that stay."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._cleanup import Finding, Rules

_PARTS = (("logs", "logs"), ("report", "report"), ("report", "report.tar.gz"))


def find_logs(runs: t.Iterable[Finding], rules: Rules, days: float, most: int) -> t.Iterator[Finding]:
    """Of run directories that stay, unless something uses them or their TE is or was held."""
    ages = {run.path: rules.days(run.path) for run in runs if run.kind == "run" and _judged_by_age(run)}
    for number, (path, age) in enumerate(sorted(ages.items(), key=lambda item: (item[1], item[0]))):
        if age >= days:
            reason = f"not touched for {age:.1f} days"
        elif most and number >= most:
            reason = f"{most} runs are newer"
        else:
            continue
        for kind, name in _PARTS:
            if os.path.lexists(os.path.join(path, name)):
                yield Finding(kind, os.path.join(path, name), reason, True, part=True)


def _judged_by_age(run: Finding) -> bool:
    return not run.remove and run.reason.startswith("not touched for")
