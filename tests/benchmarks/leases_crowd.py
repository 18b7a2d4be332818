# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pool whose TEs are all leased, and a crowd that waits: one TE after the other is released.

Only one of those who wait is ever awake: the next TE is released when the last one's taker is back in the
line. So what is measured is a grant, not how many can be made at once.
"""

from __future__ import annotations

import dataclasses
import random
import time

from ansible_collections.distrogate.ci.tests.benchmarks import leases_labels as labels
from ansible_collections.distrogate.ci.tests.benchmarks.leases_waiters import POOL, Got, Placed, Waiters
from ansible_collections.distrogate.ci.tests.tools.lease_client import Client, Lease

_TERM = 3600.0  # The leases that nobody waits with live as long as this.
_WAIT = 120.0
_BLOCK = 25  # TEs of each lease that is not released: etcd takes 128 writes at once


@dataclasses.dataclass
class Figures:
    """Seconds: from the beginning of a release to the taker having the TE; of the calls alone."""

    grants: list[float] = dataclasses.field(default_factory=list)
    releases: list[float] = dataclasses.field(default_factory=list)
    placings: list[float] = dataclasses.field(default_factory=list)  # from asking to standing in the line


class Crowd:
    """``tes`` TEs and ``waiters`` waiters at the store ``url``."""

    def __init__(self, url: str, tes: int, waiters: int, seed: int = 0) -> None:
        self._url = url
        self._random = random.Random(seed)
        self._tes = {f"te{number:05d}": labels.te_labels(number) for number in range(tes)}
        self._number = waiters
        self._wishes: list[labels.Labels] = []  # of each waiter
        self._held: list[Lease] = []

    def run(self, grants: int, warm: int) -> Figures:
        """Measure ``grants`` grants, after ``warm`` others."""
        figures = Figures()
        with Client.open(self._url, _TERM) as client:
            self._fill(client)
            with Waiters(self._url, [labels.expression(wish) for wish in self._wishes]) as waiters:
                for number in range(warm + grants):
                    self._one(client, waiters, figures if number >= warm else Figures())
        return figures

    def _fill(self, client: Client) -> None:
        """Lease every TE: at least as many singly as there are waiters, the others in blocks."""
        client.register_all(POOL, self._tes)
        left = len(self._tes)
        while left >= self._number + _BLOCK:
            client.acquire(POOL, count=_BLOCK, timeout=_WAIT)
            left -= _BLOCK
        self._held = [client.acquire(POOL, timeout=_WAIT) for _number in range(left)]
        possible = [
            wish for wish in labels.wanted() if any(labels.fits(wish, self._of(le)) for le in self._held)
        ]
        self._wishes = [possible[number % len(possible)] for number in range(self._number)]

    def _of(self, lease: Lease) -> labels.Labels:
        return self._tes[lease["tes"][0]["name"]]

    def _one(self, client: Client, waiters: Waiters, figures: Figures) -> None:
        lease = self._held.pop(self._choice())
        began = time.monotonic()
        client.release(lease)
        figures.releases.append(time.monotonic() - began)
        got = waiters.next(Got)
        figures.grants.append(got.at - began)
        if not labels.fits(self._wishes[got.waiter], self._of(got.lease)):
            raise RuntimeError(f"{got.lease['tes']} was granted to {self._wishes[got.waiter]}")
        self._held.append(got.lease)
        figures.placings.append(waiters.next(Placed).seconds)

    def _choice(self) -> int:
        """A lease whose TE somebody waits for."""
        while True:
            number = self._random.randrange(len(self._held))
            if any(labels.fits(wish, self._of(self._held[number])) for wish in self._wishes):
                return number
