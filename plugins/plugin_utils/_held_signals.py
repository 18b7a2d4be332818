# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ctrl-C and SIGTERM, held back until what runs elsewhere was ended.

Ansible's worker dies of them at once, and would leave a module running that no process of its own started.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
import time
import typing as t

_HELD = (signal.SIGINT, signal.SIGTERM)
_PATIENCE = 10.0  # seconds
_LOOK = 0.5  # seconds between two looks at who is our parent


class HeldSignals:
    """Notes the first signal, and delivers it afterwards.

    Ansible sends a second one by itself at once after Ctrl-C. One that comes much later is from a
    person who does not want to wait.
    """

    def __init__(self) -> None:
        self._came: int | None = None
        self._when = 0.0
        self._before: dict[int, t.Any] = {}
        self._pipe = (-1, -1)
        self._parent = os.getppid()

    def __enter__(self) -> HeldSignals:
        self._pipe = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        if threading.current_thread() is threading.main_thread():
            for number in _HELD:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exc: object) -> None:
        self._restore()
        for end in self._pipe:
            os.close(end)
        if self._came is not None:
            os.kill(os.getpid(), self._came)

    def wait(self, seconds: float, descriptor: int | None = None) -> bool:
        """Sleep; True, and at once, when a signal came, or when the playbook's process is gone.

        Once ``descriptor`` can be read, there is nothing to wait for.
        """
        others = [] if descriptor is None else [descriptor]
        deadline = time.monotonic() + seconds
        while os.getppid() == self._parent:
            left = deadline - time.monotonic()
            ready = select.select([self._pipe[0], *others], [], [], min(_LOOK, max(0.0, left)))[0]
            if self._pipe[0] in ready:
                return True
            if ready or left <= _LOOK:
                return False
        return True

    def _note(self, number: int, _frame: t.Any) -> None:
        if self._came is not None:
            if time.monotonic() - self._when > _PATIENCE:
                self._restore()
                os.kill(os.getpid(), number)
            return
        self._came, self._when = number, time.monotonic()
        with contextlib.suppress(OSError):
            os.write(self._pipe[1], b"!")

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        self._before = {}
