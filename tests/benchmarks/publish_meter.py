# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a command costs: the CPU seconds of all that works for it, among them gpg's agent, and its memory.

The kernel counts for a cgroup that each command gets to itself. Where none can be made it is wait4(2) for the
processes and /proc/PID/stat for the agent, which counts in hundredths of a second.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ansible_collections.distrogate.ci.tests.benchmarks.publish_cgroup import Watch, find
from ansible_collections.distrogate.ci.tests.faults.run import PYTHON

CHILD = Path(__file__).with_name("publish_child.py")


@dataclasses.dataclass(frozen=True)
class Step:
    """One command. What it says goes to the log, or its standard output to a file."""

    argv: Sequence[str]
    cwd: Path = Path("/")
    stdout: Path | None = None


@dataclasses.dataclass(frozen=True)
class Used:
    """Seconds of the clock and of the CPU; ``rss`` in bytes, of the largest process or of all at one time."""

    seconds: float
    cpu: float
    rss: int


class CommandError(RuntimeError):
    """A command that is measured failed."""


class Meter:
    """Measures; ``agent`` is the process id of gpg's agent, which signs for everyone."""

    def __init__(self, log: Path, agent: int, settle: bool = True) -> None:
        self.log = log
        self.agent = agent
        self.settle = settle  # with everything on the disk before a run
        self.place = find()

    @property
    def method(self) -> str:
        """How, for the reader of the table."""
        if self.place:
            return f"counted by a cgroup ({self.place.kind}) that each command has to itself, gpg-agent in it"
        return "counted by wait4 for the command and its children, and by /proc for gpg-agent"

    def __call__(self, steps: Sequence[Step], environment: Mapping[str, str], watch: bool = False) -> Used:
        """Run them; ``watch`` the memory of all processes together."""
        if self.settle:
            os.sync()
        self.log.write_bytes(b"")
        work: list[dict[str, object]] = [
            {
                "argv": list(step.argv),
                "cwd": str(step.cwd),
                "stdout": str(step.stdout) if step.stdout else None,
                "env": dict(environment),
            }
            for step in steps
        ]
        if not self.place:
            before = _ticks(self.agent)
            done = self._run(work, [])
            cpu = done["cpu"] + (_ticks(self.agent) - before) / os.sysconf("SC_CLK_TCK")
            return Used(done["seconds"], cpu, int(done["rss"]))
        with self.place.group(self.agent) as group, Watch(group if watch else None, self.agent) as seen:
            done = self._run(work, [str(group / "cgroup.procs")])
            cpu = self.place.read(group)
        return Used(done["seconds"], cpu, max(int(done["rss"]), seen.most))

    def _run(self, steps: list[dict[str, object]], procs: list[str]) -> dict[str, float]:
        work = json.dumps({"procs": procs, "steps": steps, "log": str(self.log)})
        argv = [PYTHON, "-ISB", str(CHILD)]
        text = subprocess.run(argv, input=work, check=True, stdout=subprocess.PIPE, text=True).stdout
        done: dict[str, float] = json.loads(text)
        if done["status"]:
            said = [self.log, *(Path(str(step["stdout"])) for step in steps if step["stdout"])]
            texts = [path.read_text(errors="replace")[-2000:] for path in said if path.exists()]
            raise CommandError("\n".join([str(steps[0]["argv"])[:300], *texts]))
        return done


def _ticks(process: int) -> int:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])  # utime and stime (proc(5)), counted from the state
