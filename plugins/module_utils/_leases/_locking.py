# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``te_lock`` does for each of its states, around a lease file."""

from __future__ import annotations

import getpass
import secrets
import socket
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._lease import (
    Holder,
    acquire,
    hashed,
    new_secret,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._lease_file import LeaseFile
from ansible_collections.distrogate.ci.plugins.module_utils._leases._model import Demand, Pool, pool_key
from ansible_collections.distrogate.ci.plugins.module_utils._leases._options import as_labels
from ansible_collections.distrogate.ci.plugins.module_utils._leases._queue import check_possible, granted_te
from ansible_collections.distrogate.ci.plugins.module_utils._leases._registry import Registry
from ansible_collections.distrogate.ci.plugins.module_utils._leases._views import connection_view, lease_view

# Sorts behind every ticket: the place that a newcomer would get.
_NEWCOMER = "999999999999"


class Locking:
    """One call of ``te_lock``."""

    def __init__(self, call: ActionCall, store: Store) -> None:
        self.call = call
        self.store = store
        self.params = call.params
        self.file = LeaseFile(call.params["lease_file"]) if call.params["lease_file"] else None
        self.known = self.file.read() if self.file else None

    def locked(self) -> None:
        """Renew the lease that the file names, or take one."""
        demand = self._demand()
        if self.known and (self.known["granted"] or self._living()):
            lease = self._held_lease(demand)
        elif self.call.check_mode:
            lease = self._predicted(demand)
        else:
            lease = self._taken(demand)
        self._return(lease)

    def cleaned(self) -> None:
        """Note that the TEs were cleaned."""
        holder = self._holder()
        lease = holder.lease()
        dirty = [te["name"] for te in lease["tes"] if te["dirty"]]
        self.call.difference.add("dirty", dirty, [])
        self._return(holder.cleaned() if dirty and not self.call.check_mode else lease)

    def released(self) -> None:
        """End the lease and remove its file; without a file, end a hold."""
        if self.file is None:
            before = self._registry().unhold(self.params["name"], self.call.check_mode)
            self.call.difference.add("held", before, "")
            return
        if self.known is None or not (self.known["granted"] or self._living()):
            self._forget()
            return
        self._end(None)

    def held(self) -> None:
        """Keep TEs back: those of the lease, which ends with it, or the one that is named."""
        if self.file is not None and self.known is not None:
            self._end(self.params["reason"])
        elif self.params["name"]:
            name, reason, ttl = self.params["name"], self.params["reason"], self.params["ttl"]
            self.call.difference.add("held", *self._registry().hold(name, reason, ttl, self.call.check_mode))

    def _end(self, hold: str | None) -> None:
        holder = self._holder()
        try:
            lease = holder.lease()
            if not self.call.check_mode:
                holder.release(hold, self.params["ttl"])
        except DistrogateError as error:
            if error.reason == "lease_lost":
                # The file has no further use; without it, a second release has nothing to do.
                self._forget()
            raise
        self._forget()
        self.call.difference.add("tes", [te["name"] for te in lease["tes"]], [])
        self.call.difference.add("held", "", hold or "")

    def _held_lease(self, demand: Demand) -> dict[str, t.Any]:
        holder, lease = self._holder(), self._holder().lease()
        if lease["pool"] != demand.pool or len(lease["tes"]) != demand.count:
            raise DistrogateError(
                "lease_other",
                f"{self._path()} is the file of a lease on {len(lease['tes'])} of pool {lease['pool']},"
                f" but {demand} was asked for. Release that one first, or give another lease_file.",
            )
        if self.call.check_mode:
            return lease
        lease = holder.renew(self.params["ttl"])
        self._write(lease["id"], holder.secret, granted=True)
        return lease

    def _taken(self, demand: Demand) -> dict[str, t.Any]:
        secret = new_secret()
        lease: dict[str, t.Any] = {
            "id": secrets.token_hex(8),
            "owner": self._owner(),
            "secret_sha256": hashed(secret),
        }
        # Before the grant: whenever we die, either no lease was granted or its secret lies here.
        self._write(lease["id"], secret, granted=False)
        try:
            lease = acquire(
                self.store,
                demand,
                lease,
                ttl=self.params["ttl"],
                timeout=self.params["timeout"],
                progress=self.call.progress,
            )
        except DistrogateError as error:
            if error.reason != "store_unavailable":  # Then the grant may have been written.
                self._forget()
            raise
        self._write(lease["id"], secret, granted=True)
        self._difference(lease)
        return lease

    def _predicted(self, demand: Demand) -> dict[str, t.Any]:
        pool = Pool.read(self.store, demand.pool)
        check_possible(pool, demand)
        names = pool.choose(demand, f"waiter/{demand.pool}/{demand.rank}/{_NEWCOMER}") or []
        lease = {
            "id": "",
            "owner": self._owner(),
            "expires": self.store.now() + self.params["ttl"],
            "queue_seconds": 0,
            "tes": [granted_te(pool, name) for name in names],
        }
        self._difference(lease)
        return lease

    def _difference(self, lease: dict[str, t.Any]) -> None:
        self.call.difference.add("state", "released", "locked")
        self.call.difference.add("tes", [], [te["name"] for te in lease["tes"]])

    def _return(self, lease: dict[str, t.Any]) -> None:
        self.call.result["lease"] = lease_view(lease)
        self.call.result["connection"] = connection_view(lease)

    def _living(self) -> bool:
        """Whether a lease was granted after all, though its taker did not live to note it."""
        known = self.known or {}
        return self.store.get(pool_key(known["pool"], "lease", known["lease"])) is not None

    def _holder(self) -> Holder:
        if self.known is None:
            raise DistrogateError("no_lease", f"There is no lease file {self._path()}. Take the lease first.")
        return Holder(self.store, self.known["pool"], self.known["lease"], self.known["secret"])

    def _demand(self) -> Demand:
        params = self.params
        labels = as_labels(params["labels"]) or {}
        return Demand(params["pool"], params["count"], params["name"], labels, params["priority"])

    def _owner(self) -> dict[str, str]:
        given = self.params["owner"] or {"user": getpass.getuser(), "host": socket.gethostname()}
        return {str(key): str(value) for key, value in given.items()}

    def _registry(self) -> Registry:
        return Registry(self.store, self.params["pool"])

    def _path(self) -> str:
        return self.file.path if self.file else ""

    def _write(self, lease: str, secret: str, granted: bool) -> None:
        if self.file is not None:
            self.file.write(self.params["store"] or "", self.params["pool"], lease, secret, granted)

    def _forget(self) -> None:
        if self.file is not None and not self.call.check_mode:
            self.file.remove()
