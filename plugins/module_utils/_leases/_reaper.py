# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding leases that ended by themselves: their owner died, or a hold is over."""

from __future__ import annotations

import random
import time

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Delete,
    Key,
    Put,
    Range,
    until_written,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holds import next_phase
from ansible_collections.distrogate.ci.plugins.module_utils._leases._serve import Server
from ansible_collections.distrogate.ci.plugins.module_utils._leases._te import class_of, write

_PAUSE = 2.0


def reap(server: Server) -> list[str]:
    """End each lease that is not alive any more, and hand its TEs on; returns their names."""
    keys = server.keys
    busy, leases = server.store.read([Range(keys.busy_all, bare=True), Range(keys.leases, bare=True)])
    living = {entry.key[len(keys.leases) :] for entry in leases}
    pairs = [entry.key[len(keys.busy_all) :].split("/") for entry in busy]
    ended = [_end(server, name, lease) for name, lease in pairs if lease not in living]
    return [name for name in ended if name]


def _end(server: Server, name: str, lease: str) -> str:
    keys = server.keys

    def attempt() -> str | None:
        found, alive = server.store.read([Key(keys.te(name)), Key(keys.lease(lease))])
        if not found or alive or found[0].value["lease"] != lease:
            return ""
        te = found[0].value
        after, operations = next_phase(server.store, keys, te)
        expected = {found[0].key: found[0].revision, keys.lease(lease): 0}
        operations = [*write(keys, te, after), *operations, Delete(keys.life(lease))]
        if server.store.transact(expected, operations) is None:
            return None
        server.serve(name, class_of(te["labels"]))
        return name

    return until_written(attempt)


class Reaper:
    """The one of those who wait that looks for dead leases; when it goes, another takes over."""

    def __init__(self, server: Server, client: str) -> None:
        self.server = server
        self.client = client
        self._next = time.monotonic() + _PAUSE
        self._mine = False

    def turn(self, session: str) -> None:
        """Look, if it is ours to look and time for it."""
        if time.monotonic() < self._next:
            return
        started = time.monotonic()
        entry = self.server.store.get(self.server.keys.reaper)
        if entry is None:
            put = Put(self.server.keys.reaper, self.client, session=session)
            self._mine = self.server.store.transact({put.key: 0}, [put]) is not None
        else:
            self._mine = entry.value == self.client
        if self._mine:
            reap(self.server)
            # A large pool takes longer to look through: that must not become all that we do.
            self._next = started + max(_PAUSE, 20 * (time.monotonic() - started))
        else:
            self._next = started + random.uniform(5 * _PAUSE, 10 * _PAUSE)

    def leave(self) -> None:
        """Let another do it."""
        if self._mine:
            self._mine = False
            entry = self.server.store.get(self.server.keys.reaper)
            if entry is not None and entry.value == self.client:
                self.server.store.transact({entry.key: entry.revision}, [Delete(entry.key)])
