# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guards of all TEs of a lease."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard_client import Guard
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard_key import make_key

Say = t.Callable[[str], None]


class Guards:
    """Those of ``lease``, whose own key is the file ``key``. A TE without guards is not concerned."""

    def __init__(self, lease: dict[str, t.Any], key: str) -> None:
        self.key = key
        self._guards = [(te, Guard(guard)) for te in lease["tes"] for guard in te["guards"]]

    def raise_all(self, ttl: float) -> None:
        """Let every guard know this lease alone; afterwards nothing of an older one runs.

        An error has the detail ``te``: the TE whose guard does not let us in.
        """
        public_key = self._public_key() if self._guards else ""
        for te, guard in self._guards:
            try:
                guard.raise_fence(guard.te, te["fence"], ttl, public_key)
            except DistrogateError as error:
                details = {**error.details, "te": te["name"]}
                raise DistrogateError(error.reason, error.message, **details) from error

    def end_all(self, say: Say) -> None:
        """Revoke the lease's key. A guard that cannot be asked refuses it when its time is over."""
        for te, guard in self._guards:
            with _told(say, te):
                guard.end(guard.te, te["fence"])

    def hand_to(self, public_key: str | None, ttl: float, say: Say) -> None:
        """Let a person in instead, or nobody."""
        if public_key is None:
            self.end_all(say)
            return
        for te, guard in self._guards:
            with _told(say, te):
                guard.raise_fence(guard.te, te["fence"], ttl, public_key)

    def _public_key(self) -> str:
        if not os.path.exists(self.key):
            return make_key(self.key)
        with open(self.key + ".pub", encoding="ascii") as stream:
            return stream.read(4096).strip()


@contextlib.contextmanager
def _told(say: Say, te: dict[str, t.Any]) -> t.Iterator[None]:
    try:
        yield
    except DistrogateError as error:
        say(f"the guard of {te['name']} was not told: {error.message}")
