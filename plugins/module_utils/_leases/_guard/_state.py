# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guard knows of one TE: its fence, whose key is current, and until when.

A file a TE, and pure functions from one state to the next. A fence never falls.
"""

from __future__ import annotations

import json
import os
import typing as t

from ._clock import Clock
from ._files import read_text, write_atomic
from ._wire import RefusedError

OLD_KEYS = 32  # so that users of ended leases are told why they are refused
_LIMIT = 256 << 10


class State(t.NamedTuple):
    """``key`` is empty when the newest lease was ended; ``old`` has fences and keys, newest first."""

    te: str
    fence: int = 0
    key: str = ""
    deadline: float = 0.0  # in seconds of Clock, of the start called boot
    boot: str = ""
    ttl: int = 0
    old: tuple[tuple[int, str], ...] = ()

    def seconds(self, clock: Clock) -> float:
        """How long the lease has still to live; 0 when it ended, or when the machine was restarted since."""
        if not self.key or self.boot != clock.boot:
            return 0.0
        return max(0.0, self.deadline - clock.now())

    def known(self) -> tuple[tuple[int, str], ...]:
        """Every key that is known, with its fence; the current one first."""
        return (((self.fence, self.key),) if self.key else ()) + self.old

    def raised(self, fence: int, ttl: int, key: str, clock: Clock) -> State:
        """The state after a lease was granted, or asserted again with the same fence and key."""
        if fence < self.fence or (fence == self.fence and key != self.key):
            raise RefusedError(
                "fence_behind",
                f"The fence of {self.te} is {self.fence} already, and it only rises; {fence} is refused.",
                fence=self.fence,
            )
        old = self.old if fence == self.fence else self.known()[:OLD_KEYS]
        return State(self.te, fence, key, clock.now() + ttl, clock.boot, ttl, old)

    def ended(self, fence: int) -> State:
        """The state after the lease ``fence``, and any older one, is over."""
        if fence < self.fence or (fence == self.fence and not self.key):
            return self
        return State(self.te, fence, old=self.known()[:OLD_KEYS])

    def renewed(self, ttl: int, clock: Clock) -> State:
        return self._replace(deadline=clock.now() + ttl, boot=clock.boot, ttl=ttl)

    def check(self, fence: int, key: str, clock: Clock) -> None:
        """Refuse whoever does not hold the lease now."""
        if fence == self.fence and not self.key:
            said = f"The lease {fence} of {self.te} was ended; no newer one has begun."
        elif (fence, key) != (self.fence, self.key):
            said = f"The lease {fence} of {self.te} ended; its fence is {self.fence} now."
        elif self.boot != clock.boot:
            said = (
                f"This host was restarted; the lease {fence} of {self.te} is ended until it is raised again."
            )
        elif self.seconds(clock) <= 0:
            said = f"The lease {fence} of {self.te} ended: it was not renewed within {self.ttl} s."
        else:
            return
        raise RefusedError("lease_ended", said, te=self.te, fence=self.fence)


def read(folder: str, te: str) -> State:
    """A TE's state; fence 0 when it has had no lease. A file that cannot be read ends everything."""
    path = os.path.join(folder, te)
    text = read_text(path, _LIMIT)
    if text is None:
        return State(te)
    try:
        value = json.loads(text)
        if value.pop("version") != 1 or value["te"] != te:
            raise ValueError("it is of another version, or of another TE")
        old = tuple((int(fence), str(key)) for fence, key in value.pop("old"))
        state = State(**value, old=old)
        if [type(item) for item in state] != [str, int, str, float, str, int, tuple]:
            raise ValueError("its values have other types")
        return state
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RefusedError(
            "bad_state", f"{path} is damaged ({error}). Remove it, once no lease of that TE can be alive."
        ) from error


def write(folder: str, state: State) -> None:
    text = json.dumps({"version": 1, **state._asdict()}, sort_keys=True)
    write_atomic(os.path.join(folder, state.te), text + "\n")
