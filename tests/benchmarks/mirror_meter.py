# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a synchronisation costs: the CPU seconds of the client with all it starts, and of every daemon.

A daemon forks for each connection. In a cgroup its children count by
themselves; else they do when it has waited for them, in hundredths of a second.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ansible_collections.distrogate.ci.tests.benchmarks.publish_cgroup import find
from ansible_collections.distrogate.ci.tests.benchmarks.publish_meter import Meter, Step, Used
from ansible_collections.distrogate.ci.tests.tools.mirror_daemons import Daemon


class MirrorMeter(Meter):
    """Measures both sides; nobody signs anything here."""

    def __init__(self, log: Path, settle: bool = True) -> None:
        super().__init__(log, os.getpid(), settle)
        self.place = find()

    @property
    def method(self) -> str:
        if self.place:
            return f"counted by a cgroup ({self.place.kind}) that the client and all daemons are in"
        return "counted by wait4 for the client and its children, and by /proc for the daemons"

    def both(
        self, steps: Sequence[Step], environment: Mapping[str, str], daemons: Sequence[Daemon] = ()
    ) -> Used:
        """Run them, and wait until the daemons have ended what they do for them."""
        for daemon in daemons:
            daemon.rest()
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
        processes = [daemon.process.pid for daemon in daemons if daemon.process]
        assert len(processes) == len(daemons), "a daemon does not run"
        if not self.place:
            before = sum(map(_ticks, processes))
            done = self._run(work, [])
            _rest(daemons)
            ticks = sum(map(_ticks, processes)) - before
            return Used(done["seconds"], done["cpu"] + ticks / os.sysconf("SC_CLK_TCK"), int(done["rss"]))
        with self.place.group(*processes) as group:
            done = self._run(work, [str(group / "cgroup.procs")])
            _rest(daemons)
            cpu = self.place.read(group)
        return Used(done["seconds"], cpu, int(done["rss"]))


def _rest(daemons: Sequence[Daemon]) -> None:
    for daemon in daemons:
        daemon.rest()


def _ticks(process: int) -> int:
    """Of a daemon and of the children that it has waited for."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))
