# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking a lease for ``te_lock``: the line, the guards, the lease file and the keeper."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError, Interrupted
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Range, Store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._acquire import acquire
from ansible_collections.distrogate.ci.plugins.module_utils._leases._classes import check_possible
from ansible_collections.distrogate.ci.plugins.module_utils._leases._cleaning_job import cleaner
from ansible_collections.distrogate.ci.plugins.module_utils._leases._client import Client
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guards import Guards
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holder import (
    Holder,
    hashed,
    new_secret,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._inventory_file import write_inventory
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_renewal import clock
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_start import (
    playbook_process,
    start_keeper,
    stop_keeper,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import Keys
from ansible_collections.distrogate.ci.plugins.module_utils._leases._lease_file import LeaseFile
from ansible_collections.distrogate.ci.plugins.module_utils._leases._pool import Pool
from ansible_collections.distrogate.ci.plugins.module_utils._leases._restored import (
    notice_restore,
    raise_epoch,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._serve import GIVEN
from ansible_collections.distrogate.ci.plugins.module_utils._leases._te import next_fence
from ansible_collections.distrogate.ci.plugins.module_utils._leases._telling import waiting_line
from ansible_collections.distrogate.ci.plugins.module_utils._leases._wait import Wait

_RAISING = 180
Lease = dict[str, t.Any]


class Taking:
    """Takes a lease, and goes on with one, for the call of an action plugin."""

    def __init__(self, call: ActionCall, store: Store, file: LeaseFile, owner: dict[str, str]) -> None:
        self.call = call
        self.store = store
        self.file = file
        self.owner = owner
        self.url = call.params["store"] or os.environ.get("DISTROGATE_STORE") or ""

    def take(self, demand: Demand, ttl: int) -> Lease:
        """Wait for a lease whose guards let us in; one that they do not is given back, and we wait on."""
        epoch = notice_restore(self.store, self.url, os.environ)
        if epoch is not None:
            self.call.progress(f"the store was restored from a backup: fences go on in epoch {epoch}")
        deadline = time.monotonic() + self.call.params["timeout"]
        client, came = Client(self.store, demand.pool), None
        try:
            while True:
                holder, lease = self._granted(client, demand, max(0.0, deadline - time.monotonic()), came)
                with self._given_back_when_interrupted(holder):
                    lease, failed, since = self._made_ready(holder, lease, ttl)
                    if not failed:
                        self.file.write(self.url, demand.pool, lease["id"], holder.secret, granted=True)
                        self._keep(ttl, since)
                        return lease
                came = lease["came"] or self.store.revision()
                holder.fail(failed)
        finally:
            client.close()

    def _made_ready(self, holder: Holder, lease: Lease, ttl: int) -> tuple[Lease, list[str], float]:
        """Give the lease its term, and let its guards know it: the lease, the TEs whose guards refuse, and
        since when it runs."""
        limit = self.call.params["max_lifetime"]
        # A guard answers when nothing older runs any more: the lease must not end meanwhile.
        guarded = any(te["guards"] for te in lease["tes"])
        lease = holder.renew(max(ttl, _RAISING) if guarded else ttl, limit)
        failed = self._raise_guards(lease, ttl)
        since = clock()
        if not failed:
            lease = holder.renew(ttl, limit)
        return lease, failed, since

    @contextlib.contextmanager
    def _given_back_when_interrupted(self, holder: Holder) -> t.Iterator[None]:
        """Nobody keeps it yet, so nobody else would."""
        try:
            yield
        except Interrupted:
            with contextlib.suppress(DistrogateError):
                stop_keeper(self.file.path)
                Guards(holder.lease(), self.file.key).end_all(self.call.progress)
                holder.release()
                self.file.remove()
            raise

    def go_on(self, holder: Holder, ttl: int) -> Lease:
        """Renew a lease that an earlier playbook took."""
        since = clock()
        lease = holder.renew(ttl, self.call.params["max_lifetime"])
        Guards(lease, self.file.key).raise_all(ttl)
        self.file.write(self.url, lease["pool"], lease["id"], holder.secret, granted=True)
        self._keep(ttl, since)
        return lease

    def _granted(
        self, client: Client, demand: Demand, timeout: float, came: int | None
    ) -> tuple[Holder, Lease]:
        secret, lease_id = new_secret(), secrets.token_hex(8)
        # Before the grant: whenever we die, either no lease was granted or its secret lies here.
        self.file.write(self.url, demand.pool, lease_id, secret, granted=False)
        wanted = {"id": lease_id, "owner": self.owner, "secret_sha256": hashed(secret)}
        try:
            lease = acquire(
                client,
                demand,
                wanted,
                timeout=timeout,
                tell=self._tell,
                cleaner=cleaner(self.call.progress),
                came=came,
            )
        except DistrogateError as error:
            if not error.reason.startswith("store_"):  # Then the grant may have been written.
                self.file.remove()
            raise
        except Interrupted:  # The lease, should it have been granted, ends with our connection.
            self.file.remove()
            raise
        return Holder(self.store, demand.pool, lease["id"], secret, client.server), lease

    def _raise_guards(self, lease: Lease, ttl: int) -> list[str]:
        """The TEs whose guards do not let us in."""
        try:
            Guards(lease, self.file.key).raise_all(ttl)
        except DistrogateError as error:
            if error.reason == "fence_behind":
                raise_epoch(self.store, int(error.details["fence"]))
            self.call.progress(f"gave the TEs back and wait on: {error.message}")
            return [str(error.details["te"])]
        return []

    def _tell(self, wait: Wait) -> None:
        self.call.progress(waiting_line(wait))

    def _keep(self, ttl: int, since: float) -> None:
        if self.call.params["inventory"]:
            write_inventory(self.call.params["inventory"], self.file.path, self.url)
        if self.call.params["keeper"]:
            give_back = self.call.params["with_playbook"]
            start_keeper(self.file.path, playbook_process(), ttl, since, give_back=give_back)


def predicted(store: Store, demand: Demand, owner: dict[str, str]) -> Lease:
    """The lease that a newcomer would be granted now, without an id; its TEs may be none."""
    keys = Keys(demand.pool)
    pool = Pool.read(store, demand.pool)
    named = pool.tes.get(demand.name or "")
    check_possible(keys, store.read([Range(keys.classes)])[0], demand, named)
    wanted = [waiter.demand for waiter in pool.waiters]
    free = [
        pool.tes[name]
        for name in pool.matching(demand)
        if pool.status(name) == "free" and not any(other.matches(pool.tes[name]) for other in wanted)
    ]
    tes = free[: demand.count] if len(free) >= demand.count else []
    return {
        "id": "",
        "owner": owner,
        "ttl": 0,
        "queue_seconds": 0,
        "tes": [
            {"pool": demand.pool, **{key: te[key] for key in GIVEN}, "fence": next_fence(te, 0)} for te in tes
        ],
    }
