# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that run a stage again, and go on with a run: as a person can paste them.

Values that were given with ``-e`` on the command line are not repeated, since they may be secrets; files are.
"""

from __future__ import annotations

import os
import shlex
import typing as t


def commands(arguments: t.Mapping[str, t.Any], playbook: str, run_dir: str, stage: str) -> tuple[str, str]:
    """How to run ``stage`` again, and how to resume; ``arguments`` are those that Ansible was called with."""
    if not run_dir:
        return "", ""
    given: list[str] = []
    for source in arguments.get("inventory") or ():
        given += ["-i", str(source)]
    inline = False
    for item in arguments.get("extra_vars") or ():
        if str(item).startswith("@"):
            given += ["-e", str(item)]
        elif not _run_dir_only(str(item)):
            inline = True
    rest = "  # and your other -e options" if inline else ""
    again = [*_playbook("distrogate.ci.stage"), *given, "-e", f"run_dir={run_dir}", "-e", f"stage={stage}"]
    resume = [*_playbook(playbook), *given, "-e", f"run_dir={run_dir}"]
    alone = not playbook or os.path.basename(playbook) in ("distrogate.ci.stage", "stage.yml")
    return shlex.join(again) + rest, "" if alone else shlex.join(resume) + rest


def _playbook(name: str) -> list[str]:
    return ["ansible-playbook", name]


def _run_dir_only(item: str) -> bool:
    """Whether an option says only what our own command says."""
    words = item.split()
    return bool(words) and all(word.startswith(("run_dir=", "stage=")) for word in words)
