# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ctrl-C, SIGTERM and the death of the playbook, as an error in the task that waits.

Ansible's worker dies of a signal at once, and goes on when its playbook was killed. One that stands in a
line, or was just given what nobody keeps yet, first steps back.
"""

from __future__ import annotations

import os
import signal
import threading
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError, Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOOK = 0.5  # seconds between two looks at who is our parent


class RaisedSignals:
    """While this lasts, the first signal raises ``Interrupted``; it is delivered afterwards, and the task
    fails with reason ``interrupted``."""

    def __init__(self) -> None:
        self._came: int | None = None
        self._before: dict[int, t.Any] = {}
        self._done = threading.Event()

    def __enter__(self) -> RaisedSignals:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                self._before[number] = signal.signal(number, self._raise)
            threading.Thread(target=self._watch, args=(os.getppid(),), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_more: object) -> None:
        self._done.set()
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        if self._came is not None:
            os.kill(os.getpid(), self._came)
        if kind is Interrupted:
            raise DistrogateError("interrupted", "The playbook was stopped meanwhile.") from None

    def _raise(self, number: int, _frame: t.Any) -> None:
        if self._came is None:
            self._came = number
            raise Interrupted

    def _watch(self, parent: int) -> None:
        while not self._done.wait(_LOOK):
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGTERM)
                return
