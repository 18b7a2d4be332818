# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the keeper speaks: in a log beside the lease file, and on the playbook's own stderr.

A task's process has no stderr (Ansible gives it /dev/null), so what it starts has none either. The main
process has it, and /proc shows it. It is opened for one message only: who kept a pipe open would keep its
reader waiting.
"""

from __future__ import annotations

import datetime
import os
import select
import stat
import threading

_LOG_LIMIT = 1 << 20
_LINE_LIMIT = 4000  # Not more than what a pipe takes at once (PIPE_BUF), so that lines stay whole.
_PIDFD_GETFD = 438


def printable(text: str) -> str:
    """One line that does nothing to a terminal."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line.encode("utf-8", "backslashreplace")[:_LINE_LIMIT].decode("utf-8", "ignore")


class Voice:
    """Speaks to the people behind one playbook. Nothing that it does may fail."""

    def __init__(self, log: str, playbook: int) -> None:
        self._log = log
        self._playbook = playbook
        self._lock = threading.Lock()

    def note(self, line: str) -> None:
        """Into the log."""
        moment = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        with self._lock:
            try:
                self._append(f"{moment} keeper {os.getpid()}: {printable(line)}\n".encode())
            except OSError:
                return

    def say(self, line: str) -> None:
        """Into the log, and to the people who look at the playbook."""
        self.note(line)
        with self._lock:
            try:
                write_to_stderr(self._playbook, f"\ndistrogate.ci: {printable(line)}\n".encode())
            except OSError:
                return

    def _append(self, line: bytes) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self._log, flags, 0o600)
        try:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                return
            if about.st_size > _LOG_LIMIT:
                os.ftruncate(descriptor, 0)
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def write_to_stderr(pid: int, data: bytes) -> None:
    """Write to the stderr of process ``pid``, without waiting for a reader that does not read."""
    path = f"/proc/{pid}/fd/2"
    mode = os.stat(path).st_mode
    descriptor = None
    if stat.S_ISREG(mode) or stat.S_ISSOCK(mode):
        # A file has one position for all who share it: without it, the playbook would write over our line.
        descriptor = _shared(pid, 2)
    if descriptor is None:
        # O_NOCTTY: a terminal must not become ours.
        flags = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        descriptor = os.open(path, flags)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        if stat.S_ISREG(mode) or poll.poll(1000):
            os.write(descriptor, data)
    finally:
        os.close(descriptor)


def _shared(pid: int, number: int) -> int | None:
    """A descriptor of another process, as pidfd_getfd(2) shares it; None where that is not allowed."""
    import ctypes  # costs milliseconds, and is hardly ever needed

    try:
        process = os.pidfd_open(pid)
    except OSError:
        return None
    try:
        found: int = ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_GETFD, process, number, 0)
        return found if found >= 0 else None
    finally:
        os.close(process)
