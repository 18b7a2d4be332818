# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one command that does a run again, for whoever reads its report."""

from __future__ import annotations

import json
import re
import shlex
import typing as t

REPORT = "report.tar.gz"  # the log bundle, which carries run.json
_PLAIN = re.compile(r"[A-Za-z0-9_./+@:-]+")


def replay_command(frozen: t.Mapping[str, t.Any], source: str = REPORT) -> str:
    """The command to paste into a shell; ``source`` is where the reader finds the run.

    ``source`` is a run directory, an unpacked report or a log bundle. What is
    odd in it goes as JSON, which Ansible does not split, in the shell's quotes.
    """
    run = f"run={source}" if _PLAIN.fullmatch(source) else json.dumps({"run": source})
    argv = ["ansible-playbook", "distrogate.ci.replay", "-e", run]
    if not frozen.get("code"):  # frozen before run.json said all: that is a difference which must be accepted
        argv += ["-e", "accept_drift=true"]
    return shlex.join(argv)
