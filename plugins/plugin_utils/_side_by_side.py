# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several playbooks at once, their lines relayed; the first failure, or a signal, ends the others.

A child is a session of its own. It dies with whoever started it, and what it holds is bound to it: a lease's
keeper gives the TE back when the child's main process is gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _process
from ansible_collections.distrogate.ci.plugins.module_utils._core._descendants import (
    descendants,
    end_descendants,
)
from ansible_collections.distrogate.ci.plugins.plugin_utils._screen_output import BEGUN

_GRACE = 3.0  # seconds that a child has to end what it began elsewhere
_KEEPERS = 5.0  # seconds that keepers have to give leases back
_LOOK = 0.05
_LONGEST = 1 << 16  # of a line
_MARK = "DISTROGATE_CHILD"
_LIBC = ctypes.CDLL(None)


def _with_parent() -> None:
    """In the child, before it runs: it is asked to end when its parent is gone (prctl(2), PDEATHSIG)."""
    _LIBC.prctl(1, signal.SIGTERM)


class Child:
    """One playbook that runs."""

    def __init__(self, name: str, argv: list[str], environment: dict[str, str], show: t.Any) -> None:
        self.name = name
        self._show = show
        self._mark = f"{name}-{os.urandom(8).hex()}"
        self.begun = threading.Event()  # it has read its variables
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**environment, _MARK: self._mark},
            start_new_session=True,
            preexec_fn=_with_parent,  # noqa: PLW1509 - no thread runs yet
        )

    def relay(self) -> threading.Thread:
        """Show its lines until it ends."""
        thread = threading.Thread(target=self._read, daemon=True)
        thread.start()
        return thread

    def _read(self) -> None:
        stream = t.cast("t.IO[bytes]", self.process.stdout)
        while line := stream.readline(_LONGEST):
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            # Other lines, such as warnings, may come before it.
            if text == BEGUN and not self.begun.is_set():
                self.begun.set()
            else:
                self._show(self.name, text)
        self.begun.set()

    def cancel(self) -> None:
        """Ask it to end; ``ended`` waits for that."""
        self._below = [_process.identity(pid) for pid in descendants(self.process.pid)]
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()

    def ended(self) -> None:
        """Wait until it and what it started are gone, by force in the end, and its leases given back."""
        deadline = time.monotonic() + _GRACE
        while self.process.poll() is None or any(map(_process.alive, self._below)):
            if time.monotonic() > deadline:
                end_descendants(self.process.pid)
                self.process.kill()
                for left in self._below:
                    _process.end(left, seconds=0)
                break
            time.sleep(_LOOK)
        self.process.wait()
        deadline = time.monotonic() + _KEEPERS
        while self._keepers() and time.monotonic() < deadline:
            time.sleep(_LOOK)

    def _keepers(self) -> bool:
        return any(
            b"_keeper_main.py" in _read(pid, "cmdline") and self._mark.encode() in _read(pid, "environ")
            for pid in os.listdir("/proc")
            if pid.isdigit()
        )


def _read(pid: str, name: str) -> bytes:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/{name}", "rb") as stream:
        return stream.read(1 << 20)
    return b""


class Outcome(t.NamedTuple):
    """Who failed by itself, and who was cancelled by whom (``signal``: a person, or the CI system)."""

    failed: list[str]
    cancelled: dict[str, str]


def run_all(children: list[Child], wait: t.Callable[[float], bool], ready: t.Callable[[], None]) -> Outcome:
    """Run children to their end. ``wait`` sleeps, and is true when a signal came; ``ready`` is called once
    all have read their variables."""
    threads = [child.relay() for child in children]
    left, failed, told = list(children), [], False
    cancelled: dict[str, str] = {}
    while left and not cancelled:
        stopped = wait(_LOOK)
        if not told and all(child.begun.is_set() for child in children):
            told = True
            ready()
        ended = [child for child in left if child.process.poll() is not None]
        left = [child for child in left if child not in ended]
        failed += [child.name for child in ended if child.process.returncode]
        if failed or stopped:
            cancelled = {child.name: "signal" if stopped else failed[0] for child in left}
            for child in left:
                child.cancel()
            for child in left:
                child.ended()
            break
    for thread in threads:
        thread.join(timeout=1)
    return Outcome(failed, cancelled)
