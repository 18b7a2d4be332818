# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes as the keeper knows them: by pid and start time, so that no other one is meant by mistake."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_LOOK_SECONDS = 0.2


class Seen(t.NamedTuple):
    """A line of /proc/PID/stat: its parent, when it started (in ticks since boot), and its state."""

    parent: int
    start: int
    state: str


def look(pid: int) -> Seen | None:
    """The process with this pid now, None when there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            fields = stream.read().rpartition(b")")[2].split()  # its name may hold spaces and parentheses
        return Seen(int(fields[1]), int(fields[19]), fields[0].decode("ascii"))
    except (OSError, ValueError, IndexError):
        return None


class Process:
    """One process, for as long as it lives. A pid that was given to another later is never meant."""

    def __init__(self, pid: int, start: int) -> None:
        self.pid = pid
        self.start = start
        self._descriptor: int | None = None
        try:
            self._descriptor = os.pidfd_open(pid)
        except OSError as error:
            # Old kernels and strict containers have none: look at /proc then.
            if error.errno not in (errno.ENOSYS, errno.EPERM, errno.ESRCH):
                raise
        # After the descriptor: if this is the process meant, so is that which the descriptor names.
        if not self.living():
            self.close()
            raise DistrogateError("no_process", f"Process {pid} has ended, or is another one now.")

    def living(self) -> bool:
        """Whether it runs. A zombie has ended."""
        seen = look(self.pid)
        return seen is not None and seen.start == self.start and seen.state not in "ZX"

    def ended(self, seconds: float) -> bool:
        """Wait until it ends, at most so long; True when it has."""
        if self._descriptor is not None:
            poll = select.poll()
            poll.register(self._descriptor, select.POLLIN)
            return bool(poll.poll(max(0, round(seconds * 1000))))
        deadline = time.monotonic() + seconds
        while self.living():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, _LOOK_SECONDS))
        return True

    def send(self, number: signal.Signals) -> bool:
        """Send a signal; False when it has ended, or is not ours to signal."""
        try:
            if self._descriptor is not None:
                signal.pidfd_send_signal(self._descriptor, number)
            elif self.living():
                os.kill(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@contextlib.contextmanager
def opened(pid: int, start: int) -> t.Iterator[Process | None]:
    """The process if it still lives, else None."""
    try:
        process = Process(pid, start)
    except DistrogateError:
        yield None
        return
    try:
        yield process
    finally:
        process.close()


def everything() -> dict[int, Seen]:
    """All processes that can be seen."""
    found = {int(name): look(int(name)) for name in os.listdir("/proc") if name.isdecimal()}
    return {pid: seen for pid, seen in found.items() if seen is not None}


def descendants(roots: t.Iterable[int], processes: t.Mapping[int, Seen]) -> dict[int, int]:
    """The children of ``roots``, and theirs, as pid: start; without ourselves and our children."""
    children: dict[int, list[int]] = {}
    for pid, seen in processes.items():
        children.setdefault(seen.parent, []).append(pid)
    found: dict[int, int] = {}
    todo = list(roots)
    while todo:
        for pid in children.get(todo.pop(), []):
            if pid not in found and pid != os.getpid():
                found[pid] = processes[pid].start
                todo.append(pid)
    return found
