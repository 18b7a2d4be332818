# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which stages may run side by side: different ones that read nothing of each other."""

from __future__ import annotations

import os

import yaml

_ROLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "roles")


def reads_of(stage: str) -> list[str]:
    """What a stage of this collection declares to read (``NAME_reads`` in its vars)."""
    path = os.path.join(_ROLES, stage, "vars", "main.yml")
    if "." in stage or "/" in stage or not os.path.isfile(path):
        return []
    with open(path, encoding="utf-8") as stream:
        found = (yaml.safe_load(stream) or {}).get(f"{stage}_reads")
    return [str(name) for name in found] if isinstance(found, list) else []


def refusal(stages: list[str]) -> str:
    """Why these do not run side by side; empty when they do."""
    names = [stage.rpartition(".")[2] for stage in stages]
    if len(set(names)) != len(names) or not names:
        return f"A group names each stage once, and at least one: {', '.join(stages) or 'none'}."
    for stage in stages:
        for read in reads_of(stage):
            if read in names:
                return (
                    f"{stage} reads what {read} gives, so they cannot run side by side. Put {read} before it."
                )
    return ""
