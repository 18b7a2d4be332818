# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A guard as on a TE host, without ssh: its state is one file a TE, and it writes down what it accepts.

Who shows the fence, and the key (here: the lease's id), is heard; the deadline is on CLOCK_BOOTTIME.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import typing as t

from ansible_collections.distrogate.ci.tests.faults.leases.history import Log, clock

State = dict[str, t.Any]
_NONE: State = {"fence": 0, "key": "", "deadline": 0.0}


class Guard:
    """The guards of all TEs, whose files lie in ``folder`` and whose events in ``logs``."""

    def __init__(self, folder: pathlib.Path, logs: pathlib.Path) -> None:
        self._folder = folder
        self._logs = logs

    def raise_fence(self, te: str, fence: int, ttl: float, key: str) -> str:
        """A new grant begins, or goes on; returns why it is refused, or ''."""

        def change(state: State) -> str:
            if fence < state["fence"] or (fence == state["fence"] and key != state["key"]):
                return "fence_behind"
            state.update(fence=fence, key=key, deadline=clock() + ttl)
            return ""

        return self._do("raise", te, fence, key, change)

    def renew(self, te: str, fence: int, ttl: float, key: str) -> str:
        def change(state: State) -> str:
            refused = _refused(state, fence, key)
            if not refused:
                state["deadline"] = clock() + ttl
            return refused

        return self._do("renew", te, fence, key, change)

    def use(self, te: str, fence: int, key: str) -> str:
        """Anything that a lease may do to its TE."""
        return self._do("use", te, fence, key, lambda state: _refused(state, fence, key))

    def end(self, te: str, fence: int, key: str) -> str:
        """The lease is over."""

        def change(state: State) -> str:
            if (fence, key) != (state["fence"], state["key"]):
                return "fence_behind"
            state["deadline"] = 0.0
            return ""

        return self._do("end", te, fence, key, change)

    def _do(self, operation: str, te: str, fence: int, key: str, change: t.Callable[[State], str]) -> str:
        with self._locked(te) as path:
            state: State = json.loads(path.read_text()) if path.exists() else dict(_NONE)
            before = dict(state)
            refused = change(state)
            at = clock()
            if state != before:
                new = path.with_suffix(".new")
                new.write_text(json.dumps(state))
                os.replace(new, path)
            log = Log(self._logs / f"guard-{te}.jsonl", f"guard {te}")
            what = "guard_refused" if refused else "guard_accepted"
            deadline = state["deadline"]
            log.note(what, t=at, op=operation, te=te, fence=fence, key=key, deadline=deadline, reason=refused)
            log.close()
        return refused

    @contextlib.contextmanager
    def _locked(self, te: str) -> t.Iterator[pathlib.Path]:
        path = self._folder / f"{te}.json"
        with open(self._folder / f"{te}.lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # let go by the kernel when its holder is killed
            yield path


def _refused(state: State, fence: int, key: str) -> str:
    if (fence, key) != (state["fence"], state["key"]):
        return "fence_behind"
    return "" if clock() < state["deadline"] else "lease_ended"
