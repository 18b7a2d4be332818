# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of leases, for benchmarks and sieges: the only file here that knows the lease core's names."""

from __future__ import annotations

import contextlib
import secrets
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store, open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases import _client as core
from ansible_collections.distrogate.ci.plugins.module_utils._leases._acquire import acquire
from ansible_collections.distrogate.ci.plugins.module_utils._leases._cleaning import (
    Cleaner,
    Cleanup,
    Job,
    lease_for_cleaning,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holder import Holder, hashed
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import Keys, note
from ansible_collections.distrogate.ci.plugins.module_utils._leases._pool import Pool
from ansible_collections.distrogate.ci.plugins.module_utils._leases._reaper import reap
from ansible_collections.distrogate.ci.plugins.module_utils._leases._registry import Registry
from ansible_collections.distrogate.ci.plugins.module_utils._leases._serve import TERM
from ansible_collections.distrogate.ci.plugins.module_utils._leases._wait import Wait

__all__ = ["Client", "Job", "Lease", "Turn"]
Lease = dict[str, t.Any]
Placed = t.Callable[[], None]


def _nothing() -> None:
    """Nobody wants to know."""


class Client:
    """One client with a connection of its own; an object serves one thread."""

    def __init__(self, store: Store, term: float = TERM) -> None:
        self.store = store
        self._term = term
        self._pools: dict[str, core.Client] = {}

    @classmethod
    def open(cls, url: str, term: float = TERM) -> Client:
        return cls(open_store(url), term)

    def register_all(
        self, pool: str, tes: t.Mapping[str, dict[str, str]], cleaned: t.Container[str] = ()
    ) -> None:
        """TEs by name, with their labels; a lease leaves those in ``cleaned`` dirty."""
        registry = Registry(self.store, pool)
        for name, labels in tes.items():
            clean = {"command": ["true"]} if name in cleaned else None
            registry.put(name, {"labels": labels, "clean": clean})

    def acquire(
        self,
        pool: str,
        count: int = 1,
        where: str = "",
        priority: int = 0,
        ttl: float = 0,
        timeout: float = 60,
        name: str | None = None,
        placed: Placed = _nothing,
        lease_id: str = "",
        cleaner: Cleaner | None = None,
    ) -> Lease:
        """Wait for a lease; it has the core's fields, and ``secret``. ``placed`` is called in the line.

        It lives as long as this client does, and with ``ttl`` so long from now on.
        """
        client, demand = self._pool(pool), Demand(pool, count, name, {}, where, priority)
        secret = secrets.token_hex(16)
        told: list[Wait] = []

        def tell(wait: Wait) -> None:
            if not told:
                placed()
            told.append(wait)

        granted = acquire(
            client, demand, _wanted(secret, lease_id), timeout=timeout, tell=tell, cleaner=cleaner
        )
        lease = {**granted, "secret": secret}
        if ttl:
            self.renew(lease, ttl)
        return lease

    def renew(self, lease: Lease, ttl: float) -> None:
        self._holder(lease).renew(ttl)

    def release(self, lease: Lease) -> None:
        self._holder(lease).release()

    def release_all(self, leases: t.Iterable[Lease]) -> None:
        """What may have ended already."""
        for lease in leases:
            with contextlib.suppress(DistrogateError):
                self.release(lease)

    def reap(self, pool: str) -> list[str]:
        """Hand on the TEs of leases that ended by themselves."""
        return reap(self._pool(pool).server)

    def clean(self, pool: str) -> list[str]:
        """Clean what is dirty, which is quickly done here."""
        dirty = [name for name, te in self.look(pool).tes.items() if te["phase"] == "dirty"]
        for name in dirty:
            self._pool(pool).alive()
            taken = lease_for_cleaning(self._pool(pool), name)
            if taken is not None:
                taken[1].cleaned()
        return dirty

    def look(self, pool: str) -> Pool:
        """All of a pool, at one revision."""
        return Pool.read(self.store, pool)

    def granted_at(self, lease: Lease) -> int:
        """The revision at which a lease was granted; 0 when it has ended."""
        entry = self.store.get(Keys(lease["pool"]).lease(lease["id"]))
        return entry.created if entry is not None else 0

    def close(self) -> None:
        for client in self._pools.values():
            client.close()
        self.store.close()

    def _pool(self, pool: str) -> core.Client:
        if pool not in self._pools:
            self._pools[pool] = core.Client(self.store, pool, self._term)
        return self._pools[pool]

    def _holder(self, lease: Lease) -> Holder:
        server = self._pool(lease["pool"]).server
        return Holder.of(lease, lease["secret"], server)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Turn:
    """One lease of one client, step by step: for who must not block."""

    _TERM = 7 * 86400.0  # for a simulation, which gives no signs of life

    def __init__(self, store: Store, pool: str, count: int, where: str, priority: int) -> None:
        self._client = core.Client(store, pool, self._TERM)
        self._secret = secrets.token_hex(16)
        self._demand = Demand(pool, count, None, {}, where, priority)
        self._wait: Wait | None = None
        self.note = note(self._client.id)

    @staticmethod
    def register_all(store: Store, pool: str, tes: t.Mapping[str, dict[str, str]]) -> None:
        Client(store).register_all(pool, tes)

    @staticmethod
    def look_at(store: Store, pool: str) -> Pool:
        return Pool.read(store, pool)

    def begin(self) -> Lease | None:
        """Ask: the lease if it is to be had at once, else we stand in the line."""
        self._client.alive()
        place = self._client.place(_wanted(self._secret, ""))
        lease = self._client.at_once(self._demand, place)
        if lease is None:
            self._wait = Wait(self._client, self._demand, place, 0)
            self._wait.enqueue()
            lease = self._wait.look(Cleanup(self._client, None))
        return lease

    def look(self, waited: float) -> None:
        """See whether there is anything to be done, ``waited`` seconds of some clock after we came."""
        if self._wait is not None:
            self._wait.began = time.monotonic() - waited
            self._wait.look(Cleanup(self._client, None))

    def release(self, lease: Lease) -> None:
        Holder(self._client.store, lease["pool"], lease["id"], self._secret).release()

    def close(self) -> None:
        self._client.close()


def _wanted(secret: str, lease_id: str) -> Lease:
    return {"id": lease_id or secrets.token_hex(8), "owner": {"job": "test"}, "secret_sha256": hashed(secret)}
