# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pool whose TEs are all leased, and a crowd that waits: one TE after the other is released.

The waiters are threads, each with a client of its own. Only one of them is ever awake: the next TE is
released when the last one's taker is back in the queue. So the interpreter's lock costs next to nothing,
and what is measured is a grant, not how many can be made at once.
"""

from __future__ import annotations

import dataclasses
import queue
import random
import threading
import time
import typing as t

from ansible_collections.distrogate.ci.tests.benchmarks import leases_labels as labels
from ansible_collections.distrogate.ci.tests.tools.lease_client import Client, Lease

POOL = "crowd"
TTL = 3600.0
_WAIT = 120.0
_BLOCK = 100  # TEs of each lease that is not released


@dataclasses.dataclass
class Figures:
    """Seconds: from the beginning of a release to the taker having the TE; of the calls alone."""

    grants: list[float] = dataclasses.field(default_factory=list)
    releases: list[float] = dataclasses.field(default_factory=list)
    placings: list[float] = dataclasses.field(default_factory=list)  # from asking to standing in the queue


class _Got(t.NamedTuple):
    at: float
    lease: Lease
    waiter: int


class Crowd:
    """``tes`` TEs and ``waiters`` waiters at the store ``url``."""

    def __init__(self, url: str, tes: int, waiters: int, seed: int = 0) -> None:
        self._url = url
        self._random = random.Random(seed)
        self._tes = {f"te{number:05d}": labels.te_labels(number) for number in range(tes)}
        self._waiters = waiters
        self._got: queue.SimpleQueue[_Got | BaseException] = queue.SimpleQueue()
        self._placed: queue.SimpleQueue[float | BaseException] = queue.SimpleQueue()
        self._over = threading.Event()
        self._wishes: dict[int, labels.Labels] = {}  # of each waiter
        self._held: list[Lease] = []
        self._client = Client.open(url, term=TTL)
        self._threads: list[threading.Thread] = []

    def run(self, grants: int, warm: int) -> Figures:
        """Measure ``grants`` grants, after ``warm`` others."""
        figures = Figures()
        try:
            self._fill()
            self._enter()
            for number in range(warm + grants):
                self._one(figures if number >= warm else Figures())
        finally:
            self._leave()
        return figures

    def _fill(self) -> None:
        """Lease every TE: at least as many singly as there are waiters, the others in blocks."""
        self._client.register_all(POOL, self._tes)
        left = len(self._tes)
        while left >= self._waiters + _BLOCK:
            self._client.acquire(POOL, count=_BLOCK, timeout=_WAIT)
            left -= _BLOCK
        self._held = [self._client.acquire(POOL, timeout=_WAIT) for _number in range(left)]

    def _enter(self) -> None:
        single = [self._tes[lease["tes"][0]["name"]] for lease in self._held]
        possible = [wish for wish in labels.wanted() if any(labels.fits(wish, own) for own in single)]
        for number in range(self._waiters):
            self._wishes[number] = possible[number % len(possible)]
            thread = threading.Thread(target=self._wait, args=(number,), daemon=True)
            self._threads.append(thread)
            thread.start()
            _taken(self._placed)

    def _wait(self, number: int) -> None:
        """One waiter."""
        wish = labels.expression(self._wishes[number])
        try:
            with Client.open(self._url) as client:
                while True:
                    began = time.monotonic()
                    lease = client.acquire(
                        POOL,
                        where=wish,
                        timeout=TTL,
                        placed=lambda since=began: self._placed.put(time.monotonic() - since),
                    )
                    if self._over.is_set():
                        client.release(lease)
                        return
                    self._got.put(_Got(time.monotonic(), lease, number))
        except BaseException as error:  # noqa: BLE001 - told to the thread that measures
            self._got.put(error)
            self._placed.put(error)

    def _one(self, figures: Figures) -> None:
        lease = self._held.pop(self._choice())
        began = time.monotonic()
        self._client.release(lease)
        figures.releases.append(time.monotonic() - began)
        got = _taken(self._got)
        figures.grants.append(got.at - began)
        te = got.lease["tes"][0]
        if not labels.fits(self._wishes[got.waiter], self._tes[te["name"]]):
            raise RuntimeError(f"{te['name']} was granted to {self._wishes[got.waiter]}")
        self._held.append(got.lease)
        figures.placings.append(_taken(self._placed))

    def _choice(self) -> int:
        """A lease whose TE somebody waits for."""
        while True:
            number = self._random.randrange(len(self._held))
            own = self._tes[self._held[number]["tes"][0]["name"]]
            if any(labels.fits(wish, own) for wish in self._wishes.values()):
                return number

    def _leave(self) -> None:
        """Serve everyone once more, so that no thread is left."""
        self._over.set()
        self._client.release_all(self._held)
        for thread in self._threads:
            thread.join(_WAIT)
        self._client.close()


Item = t.TypeVar("Item")


def _taken(line: queue.SimpleQueue[Item | BaseException]) -> Item:
    answer = line.get(timeout=_WAIT)
    if isinstance(answer, BaseException):
        raise RuntimeError("a waiter failed") from answer
    return answer
