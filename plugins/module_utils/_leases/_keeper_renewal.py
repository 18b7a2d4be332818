# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One thing that ends unless it is renewed: the store's lease, or the guard of a TE."""

from __future__ import annotations

import threading
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

# Answers after which no renewal can succeed any more.
ENDED = frozenset(["lease_lost", "lease_ended", "guard_refused", "fence_behind"])
_RETRY_SECONDS = 2.0


def clock() -> float:
    """Seconds since the machine started, sleep included: nobody sets this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Renewal:
    """Renews every third of its time. What it counts from is the start of the last call that succeeded."""

    def __init__(
        self,
        what: str,
        renew: t.Callable[[], object],
        *,
        ttl: float,
        since: float,
        say: t.Callable[[str], None],
        now: t.Callable[[], float] = clock,
    ) -> None:
        self.what = what
        self.ttl = ttl
        self.renewed = since
        self.ended = ""  # what was answered when it had ended
        self.failing = ""  # why the last attempt failed, when it may still succeed
        self._renew = renew
        self._say = say
        self._now = now

    @property
    def deadline(self) -> float:
        return self.renewed + self.ttl

    def lost(self) -> str:
        """Why it counts as lost now; empty while it does not."""
        if self.ended:
            return self.ended
        if self._now() < self.deadline:
            return ""
        return self.failing or "it was not renewed in time, because the keeper or the machine stood still"

    def pause(self) -> float:
        """Seconds until the next attempt."""
        if self.failing:
            return min(_RETRY_SECONDS, self.ttl / 20)
        return max(0.0, self.renewed + self.ttl / 3 - self._now())

    def attempt(self) -> None:
        """Try once."""
        began = self._now()
        try:
            self._renew()
        except DistrogateError as error:
            if error.reason in ENDED:
                self.ended = error.message
            else:
                self._failed(error.message)
        except Exception as error:  # noqa: BLE001 -- whatever it is: until the deadline it may pass
            self._failed(f"{type(error).__name__}: {error}")
        else:
            self.renewed = began
            if self.failing:
                self.failing = ""
                self._say(f"{self.what} is renewed again")

    def _failed(self, why: str) -> None:
        if not self.failing:
            left = max(0.0, self.deadline - self._now())
            self._say(f"WARNING: {self.what} could not be renewed, and is tried for {left:.0f} s more: {why}")
        self.failing = why

    def keep(self, stopped: threading.Event) -> None:
        """Renew until it ended, or ``stopped`` is set; the body of a thread."""
        while not self.ended and not stopped.wait(self.pause()):
            self.attempt()
