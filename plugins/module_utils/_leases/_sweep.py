# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Making the TEs of a pool ready while nobody waits for them: the janitor's part."""

from __future__ import annotations

import time

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._cleaning import Cleaner, Cleanup
from ansible_collections.distrogate.ci.plugins.module_utils._leases._client import Client
from ansible_collections.distrogate.ci.plugins.module_utils._leases._pool import Pool
from ansible_collections.distrogate.ci.plugins.module_utils._leases._reaper import reap

_PAUSE = 0.5


class Sweep:
    """What a sweep through pools found and did; TEs are named ``pool/name``."""

    def __init__(self, store: Store, cleaner: Cleaner, timeout: float) -> None:
        self.store = store
        self.cleaner = cleaner
        self.deadline = time.monotonic() + timeout
        self.ended: list[str] = []
        self.cleaned: list[str] = []
        self.broken: list[str] = []

    def look(self, pool: str) -> None:
        """See what is dirty and broken, and do nothing."""
        seen = Pool.read(self.store, pool)
        self.cleaned += [f"{pool}/{name}" for name in seen.tes if seen.status(name) == "dirty"]
        self.broken += [f"{pool}/{name}" for name in seen.tes if seen.status(name) == "broken"]

    def work(self, pool: str) -> None:
        """End what is dead, and clean each dirty TE once, or until it is broken."""
        client = Client(self.store, pool)
        client.alive()
        try:
            self.ended += [f"{pool}/{name}" for name in reap(client.server)]
            dirty = self._dirty(pool)
            for name in dirty:
                self._clean(client, name)
        finally:
            client.close()
        after = Pool.read(self.store, pool)
        self.cleaned += [f"{pool}/{name}" for name in dirty if after.tes[name]["phase"] not in _UNCLEAN]
        self.broken += [f"{pool}/{name}" for name in after.tes if after.status(name) == "broken"]

    def _clean(self, client: Client, name: str) -> None:
        cleanup = Cleanup(client, self.cleaner)
        try:
            cleanup.turn([name])
            while cleanup.busy and time.monotonic() < self.deadline:
                time.sleep(_PAUSE)
                client.alive()
                cleanup.turn([])
        finally:
            cleanup.stop()

    def _dirty(self, pool: str) -> list[str]:
        tes = Pool.read(self.store, pool).tes
        return [name for name, te in tes.items() if te["phase"] == "dirty" and te["state"] == "present"]


_UNCLEAN = ("dirty", "cleaning", "broken")
