# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a process started, and what that started: ended together with it.

Commands of ours run in sessions of their own (``_command``), so a signal to the module's
process group does not reach them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import typing as t


def _parents() -> dict[int, int]:
    """Every process, and which one started it."""
    found: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with (
                contextlib.suppress(OSError, ValueError, IndexError),
                open(f"/proc/{name}/stat", "rb") as stat,
            ):
                # The program's name stands in brackets, and may hold any byte.
                found[int(name)] = int(stat.read().rpartition(b")")[2].split()[1])
    return found


def descendants(root: int) -> set[int]:
    """All processes below one."""
    parents = _parents()
    found: set[int] = set()
    while True:
        more = {child for child, parent in parents.items() if parent == root or parent in found} - found
        if not more:
            return found
        found |= more


def end_descendants(root: int) -> None:
    """End all processes below one, for good; those that are started meanwhile, too."""
    stopped: set[int] = set()
    while True:
        more = descendants(root) - stopped
        if not more:
            break
        for number in more:  # who is stopped starts nobody, so this comes to an end
            _send(number, signal.SIGSTOP)
        stopped |= more
    for number in stopped:
        _send(number, signal.SIGKILL)


def _send(number: int, which: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(number, which)


def _end(which: int, _frame: t.Any) -> None:
    with contextlib.suppress(OSError):
        end_descendants(os.getpid())
    signal.signal(which, signal.SIG_DFL)
    os.kill(os.getpid(), which)


@contextlib.contextmanager
def ended_with_descendants() -> t.Iterator[None]:
    """While this lasts, SIGTERM ends this process and everything below it."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what a signal does
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)
