# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiters of a crowd: threads, each with a client of its own, in processes of some threads each.

In one process a thousand threads that look after their place would wait for the interpreter's lock
rather than for a TE.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import threading
import time
import traceback
import typing as t

from ansible_collections.distrogate.ci.tests.tools.lease_client import Client, Lease

POOL = "crowd"
THREADS = 25  # in a process
_FOREVER = 3600.0
_JOIN = 120.0
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


Item = t.TypeVar("Item")


class Placed(t.NamedTuple):
    """Somebody stands in the line; seconds since it asked."""

    seconds: float


class Got(t.NamedTuple):
    """When (CLOCK_MONOTONIC) a waiter had its lease."""

    at: float
    lease: Lease
    waiter: int


class Waiters:
    """A context: one waiter for each of ``wishes``, which asks again as soon as it was granted a TE."""

    def __init__(self, url: str, wishes: t.Sequence[str]) -> None:
        self._url = url
        self._wishes = list(enumerate(wishes))
        self._pipes: list[t.Any] = []
        self._processes: list[t.Any] = []

    def __enter__(self) -> Waiters:
        """All stand in the line."""
        try:
            for first in range(0, len(self._wishes), THREADS):
                wishes = self._wishes[first : first + THREADS]
                ours, theirs = _PROCESSES.Pipe(duplex=False)
                self._pipes.append(ours)
                arguments = (self._url, wishes, theirs)
                process = _PROCESSES.Process(target=_work, args=arguments, daemon=True)
                process.start()
                theirs.close()
                self._processes.append(process)
                for _wish in wishes:
                    self.next(Placed)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.join()

    def next(self, kind: type[Item]) -> Item:
        """The next that anybody tells, which is of this kind."""
        ready = multiprocessing.connection.wait(self._pipes, _JOIN)
        if not ready:
            raise RuntimeError(f"no waiter tells of {kind.__name__}")
        told = ready[0].recv()  # type: ignore[union-attr]
        if not isinstance(told, kind):
            raise RuntimeError(f"a waiter told {told!s:.3000}, not of {kind.__name__}")
        return told


def _work(url: str, wishes: list[tuple[int, str]], pipe: t.Any) -> None:
    lock = threading.Lock()

    def tell(told: object) -> None:
        with lock:
            pipe.send(told)

    threads = [threading.Thread(target=_wait, args=(url, number, wish, tell)) for number, wish in wishes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _wait(url: str, number: int, wish: str, tell: t.Callable[[object], None]) -> None:
    """One waiter, until its process ends."""
    try:
        with Client.open(url) as client:
            while True:
                began = time.monotonic()

                def placed(since: float = began) -> None:
                    tell(Placed(time.monotonic() - since))

                lease = client.acquire(POOL, where=wish, timeout=_FOREVER, placed=placed)
                tell(Got(time.monotonic(), lease, number))
    except Exception:  # noqa: BLE001 - told to the process that measures
        tell(traceback.format_exc())
