# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stopping a playbook whose lease is lost.

SIGINT to the main process alone is what stops ansible-playbook cleanly: it ends its workers and what they
run (ssh, modules), removes its temporary files, and exits with 99 after 0.2 s. ``rescue`` and ``always`` do
not run: they would act on a TE that serves another by now. After SIGTERM it leaves temporary files, and
sometimes a worker. Neither ends a command that ignores the signal: its parent dies and it goes on. So who
belongs to the playbook is noted before the first signal; what is left of that after a grace time is killed.

Process groups are not used: that of the playbook may be that of the CI system's agent, and each worker has
one of its own. What detached itself before (an async task, an ssh master connection) is not found, and stays.
"""

from __future__ import annotations

import os
import signal
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_process import (
    Process,
    descendants,
    everything,
    opened,
)

GRACE_SECONDS = 10.0
_KILL_SECONDS = 5.0
_LOOK_SECONDS = 0.1
_LOOKS = 10  # after each, those that were seen start no others


class Family:
    """A process and all that descend from it, also those whose parents died since they were seen."""

    def __init__(self, head: Process) -> None:
        self.head = head
        self._members: dict[int, int] = {}

    def left(self) -> dict[int, int]:
        """Those that live, as pid: start. Their number is small, that of all processes is not: one look."""
        processes = everything()
        roots = [self.head.pid] if self.head.living() else []
        known = [pid for pid, start in self._members.items() if pid in processes]
        known = [pid for pid in known if processes[pid].start == self._members[pid]]
        self._members.update(descendants([*roots, *known], processes))
        living = {pid: self._members[pid] for pid in {*known, *self._members} if pid in processes}
        if roots:
            living[self.head.pid] = self.head.start
        return {
            pid: start
            for pid, start in living.items()
            if processes[pid].start == start and processes[pid].state not in "ZX" and pid != os.getpid()
        }

    def kill(self) -> None:
        """Stop them all, then kill them: one that runs could start others when its child ends.

        These would be found by nobody. The youngest first: those whose parent is gone may be sent SIGCONT.
        """
        stopped: dict[int, int] = {}
        for _look in range(_LOOKS):
            new = {pid: start for pid, start in self.left().items() if stopped.get(pid) != start}
            if not new:
                break
            _send(new, signal.SIGSTOP)
            stopped.update(new)
        _send({**self.left(), **stopped}, signal.SIGKILL)


def _send(members: dict[int, int], number: signal.Signals) -> None:
    for pid, start in sorted(members.items(), key=lambda one: one[::-1], reverse=True):
        with opened(pid, start) as process:
            if process is not None:
                process.send(number)


def stop_playbook(
    playbook: Process, say: t.Callable[[str], None], grace: float = GRACE_SECONDS
) -> dict[int, int]:
    """End the playbook and what it started; returns what could not be ended, as pid: start."""
    family = Family(playbook)
    family.left()
    playbook.send(signal.SIGINT)
    left = _wait(family, grace)
    if not left:
        return left
    numbers = ", ".join(map(str, sorted(left)))
    say(f"still running {grace:g} s after it was asked to stop, and killed now: {numbers}")
    deadline = time.monotonic() + _KILL_SECONDS
    while left and time.monotonic() < deadline:
        family.kill()
        left = _wait(family, _LOOK_SECONDS)
    return left


def _wait(family: Family, seconds: float) -> dict[int, int]:
    deadline = time.monotonic() + seconds
    while True:
        left = family.left()
        if not left or time.monotonic() >= deadline:
            return left
        time.sleep(_LOOK_SECONDS)
