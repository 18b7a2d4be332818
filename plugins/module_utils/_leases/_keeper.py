# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keeper: it renews a lease while its playbook runs, and stops the playbook when the lease is lost.

Each renewal has a thread of its own, so that a store or a guard that hangs delays no other, and never the
look at the deadlines.
"""

from __future__ import annotations

import datetime
import threading
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_renewal import Renewal, clock
from ansible_collections.distrogate.ci.plugins.module_utils._leases._trusted_file import (
    Known,
    changed_since,
    read_trusted,
)

LOOK_SECONDS = 0.5
RELEASE_SECONDS = 0.5  # between the end of a lease and that of its file


class Playbook(t.Protocol):
    """The playbook's main process."""

    pid: int

    def ended(self, seconds: float) -> bool:
        """Wait until it ends, at most so long; True when it has."""


class Speaker(t.Protocol):
    """See ``Voice``."""

    def note(self, line: str) -> None:
        """Into the log."""

    def say(self, line: str) -> None:
        """Into the log, and to the people who look at the playbook."""


class Keeper:
    """Keeps one lease for one playbook."""

    def __init__(
        self,
        lease_file: str,
        known: Known,
        lease: dict[str, t.Any],
        *,
        playbook: Playbook,
        renewals: t.Sequence[Renewal],
        voice: Speaker,
        stop: t.Callable[[], t.Collection[int]],
        give_up: t.Callable[[], None],
        give_back: t.Callable[[t.Callable[[], float]], None] | None = None,
        now: t.Callable[[], float] = clock,
    ) -> None:
        self.lease_file = lease_file
        self.known = known
        self.name = lease_name(lease, known.pool)
        self.playbook = playbook
        self.renewals = renewals
        self.voice = voice
        self._stop = stop
        self._give_up = give_up
        self._give_back = give_back
        self._now = now
        self._mark: tuple[t.Any, ...] | None = None
        self._distrusted = ""
        self._stopped = threading.Event()

    def run(self) -> str:
        """Keep the lease; returns how it ended: ``playbook_ended``, ``released`` or ``lost``."""
        self.voice.note(f"keeps {self.name} for playbook {self.playbook.pid}")
        for renewal in self.renewals:
            threading.Thread(target=renewal.keep, args=(self._stopped,), daemon=True).start()
        try:
            ending = self._watch()
        finally:
            self._stopped.set()
        self.voice.note(f"ends: {ending.replace('_', ' ')}")
        if ending == "playbook_ended" and self._give_back is not None and not self.released():
            self.voice.note("gives the lease back, which the playbook did not")
            self._give_back(self._left)
        return ending

    def _left(self) -> float:
        """Seconds until the lease ends by itself."""
        return min(renewal.deadline for renewal in self.renewals) - self._now()

    def _watch(self) -> str:
        while True:
            if self.playbook.ended(self._pause()):
                return "playbook_ended"
            if self.released():
                return "released"
            if any(renewal.lost() for renewal in self.renewals):
                # Whoever released it removes the file a moment later.
                if self.playbook.ended(RELEASE_SECONDS):
                    return "playbook_ended"
                if self.released():
                    return "released"
                self._lost()
                return "lost"

    def _pause(self) -> float:
        nearest = min((renewal.deadline for renewal in self.renewals), default=float("inf"))
        return min(LOOK_SECONDS, max(0.0, nearest - self._now()))

    def released(self) -> bool:
        """Whether the lease file is gone, or is that of another lease by now."""
        changed, self._mark = changed_since(self.lease_file, self._mark)
        if not changed or self._distrusted:
            return self._mark is None
        try:
            known = read_trusted(self.lease_file)
        except DistrogateError as error:
            self._distrust(error.message)
            return False
        return known is None or (known.pool, known.lease) != (self.known.pool, self.known.lease)

    def _distrust(self, why: str) -> None:
        """Renew no more. The playbook goes on until the lease ends."""
        self._distrusted = why
        self._stopped.set()
        self._give_up()  # The next one who starts a keeper shall not take this one for it.
        left = max(0.0, min(renewal.deadline for renewal in self.renewals) - self._now())
        self.voice.say(f"WARNING: {self.name} is not renewed any more, and ends in {left:.0f} s: {why}")

    def _lost(self) -> None:
        self._stopped.set()
        lost = next(renewal for renewal in self.renewals if renewal.lost())
        age = self._now() - lost.renewed
        moment = datetime.datetime.fromtimestamp(time.time() - age, datetime.timezone.utc)
        self.voice.say(
            f"LEASE LOST: {self.name}. {lost.what} was last renewed {age:.0f} s ago"
            f" ({moment:%H:%M:%S} UTC), for {lost.ttl:g} s. Why: {self._distrusted or lost.lost()}"
        )
        self.voice.say(
            f"playbook {self.playbook.pid} is stopped now: the TE may serve others. Do not trust what was"
            " done there since then; rescue and always do not run. Run the job again."
            f" Log: {self.lease_file}.log"
        )
        left = self._stop()
        if left:
            numbers = ", ".join(map(str, sorted(left)))
            self.voice.say(
                f"these processes of the playbook could not be ended: {numbers}. End them by hand."
            )


def lease_name(lease: dict[str, t.Any], pool: str) -> str:
    """A lease in a sentence."""
    tes = ", ".join(f"{te['name']} (fence {te['fence']})" for te in lease["tes"])
    return f"lease {lease['id']} on TE {tes} of pool {pool}"
