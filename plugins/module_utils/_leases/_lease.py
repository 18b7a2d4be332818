# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Leases: taking one, and what only who knows its secret may do."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Delete,
    Entry,
    Put,
    Store,
    until_written,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._model import Demand, Pool, pool_key
from ansible_collections.distrogate.ci.plugins.module_utils._leases._queue import (
    HEARTBEAT_TTL,
    Place,
    check_possible,
    timed_out,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._views import obstacles

_PROGRESS_SECONDS = 10.0
_LOOK_SECONDS = 2.0  # Holds and heartbeats end without a write: look again by ourselves.


def new_secret() -> str:
    """128 random bits."""
    return secrets.token_hex(16)


def hashed(secret: str) -> str:
    """What the store keeps of a secret. It is random and long: no salt is needed."""
    return hashlib.sha256(secret.encode("ascii", "replace")).hexdigest()


def acquire(
    store: Store,
    demand: Demand,
    lease: dict[str, t.Any],
    *,
    ttl: float,
    timeout: float,
    progress: t.Callable[[str], None] = lambda _line: None,
    heartbeat_ttl: float = HEARTBEAT_TTL,
) -> dict[str, t.Any]:
    """Wait for our turn and take the lease (``id``, ``owner``, ``secret_sha256``); returns it completed."""
    check_possible(Pool.read(store, demand.pool), demand)
    place = Place(store, demand, lease["owner"], heartbeat_ttl)
    place.take()
    deadline = time.monotonic() + timeout
    spoken = float("-inf")
    granted = None
    try:
        while True:
            if not place.beat():
                progress("lost the place in the queue, because this process stood still; queueing again")
                place.take()
            pool = Pool.read(store, demand.pool)
            check_possible(pool, demand)
            granted = place.try_grant(pool, lease, ttl)
            if granted is not None:
                return granted
            now = time.monotonic()
            if now >= deadline:
                raise timed_out(pool, demand, place.key, timeout)
            if now - spoken >= _PROGRESS_SECONDS:
                spoken = now
                lines = "; ".join(obstacles(pool, demand, place.key))
                progress(f"waiting for {demand}, position {pool.position(place.key) + 1}: {lines}")
            pause = min(deadline - now, heartbeat_ttl / 4, _LOOK_SECONDS)
            time.sleep(min(pause, 0.05))
    finally:
        if granted is None:
            place.leave()


class Holder:
    """Whoever knows the secret of lease ``lease_id`` in ``pool``."""

    def __init__(self, store: Store, pool: str, lease_id: str, secret: str) -> None:
        self.store = store
        self.pool = pool
        self.lease_id = lease_id
        self.secret = secret

    def lease(self) -> dict[str, t.Any]:
        """The living lease; error ``lease_lost`` when it ended."""
        return t.cast("dict[str, t.Any]", self._entry().value)

    def renew(self, ttl: float) -> dict[str, t.Any]:
        """Let the lease live for ``ttl`` seconds from now."""
        return self._rewrite(lambda lease: {**lease, "ttl": ttl, "expires": self.store.now() + ttl}, ttl)

    def cleaned(self) -> dict[str, t.Any]:
        """Note that the lease's TEs were cleaned under it, so that a renewal does not ask for it again."""
        return self._rewrite(
            lambda lease: {**lease, "tes": [{**te, "dirty": False} for te in lease["tes"]]}, None
        )

    def release(self, hold: str | None = None, hold_ttl: float = 0) -> dict[str, t.Any]:
        """End the lease; with ``hold`` (a reason) its TEs stay held for ``hold_ttl`` seconds."""

        def attempt() -> dict[str, t.Any] | None:
            entry = self._entry()
            operations: list[Put | Delete] = [Delete(entry.key)]
            if hold is not None:
                value = {"reason": hold, "expires": self.store.now() + hold_ttl}
                keys = [pool_key(self.pool, "hold", te["name"]) for te in entry.value["tes"]]
                operations += [Put(key, value, hold_ttl) for key in keys]
            written = self.store.transact({entry.key: entry.revision}, operations)
            return t.cast("dict[str, t.Any]", entry.value) if written is not None else None

        return until_written(attempt)

    def _rewrite(
        self, change: t.Callable[[dict[str, t.Any]], dict[str, t.Any]], ttl: float | None
    ) -> dict[str, t.Any]:
        def attempt() -> dict[str, t.Any] | None:
            entry = self._entry()
            lease = change(entry.value)
            left = ttl or max(0.001, lease["expires"] - self.store.now())
            written = self.store.transact({entry.key: entry.revision}, [Put(entry.key, lease, left)])
            return lease if written is not None else None

        return until_written(attempt)

    def _entry(self) -> Entry:
        entry = self.store.get(pool_key(self.pool, "lease", self.lease_id))
        if entry is None or not hmac.compare_digest(entry.value["secret_sha256"], hashed(self.secret)):
            raise DistrogateError(
                "lease_lost",
                f"Lease {self.lease_id} on pool {self.pool} has ended: it expired, was released, or was never"
                " granted. Its TEs may serve others by now: stop using them, and do not trust what was"
                " measured on them since.",
            )
        return entry
