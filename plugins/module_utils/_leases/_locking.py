# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``te_lock`` does for each of its states, around a lease file."""

from __future__ import annotations

import getpass
import socket
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guards import Guards
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holder import Holder
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holds import hold_te, unhold
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_lock import outlived
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_start import (
    playbook_process,
    stop_keeper,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import Keys
from ansible_collections.distrogate.ci.plugins.module_utils._leases._lease_file import LeaseFile
from ansible_collections.distrogate.ci.plugins.module_utils._leases._options import as_labels
from ansible_collections.distrogate.ci.plugins.module_utils._leases._serve import Server
from ansible_collections.distrogate.ci.plugins.module_utils._leases._taking import Taking, predicted
from ansible_collections.distrogate.ci.plugins.module_utils._leases._te import class_of
from ansible_collections.distrogate.ci.plugins.module_utils._leases._views import (
    connection_view,
    hold_view,
    lease_view,
)

LEASE_TTL = 120
HOLD_TTL = 86400
GIVEN_BACK = 15.0  # seconds: ending what a playbook left takes up to four


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
        self._forget_the_dead()
        if self.known and (self.known["granted"] or self._living()):
            lease = self._renewed(demand)
        elif self.call.check_mode or self.file is None:
            lease = predicted(self.store, demand, self._owner())
            self._difference(lease)
        else:
            taking = Taking(self.call, self.store, self.file, self._owner())
            lease = taking.take(demand, self._ttl())
            self._difference(lease)
        self.call.result["lease"] = lease_view(lease, self.store.now())
        self.call.result["connection"] = connection_view(lease)

    def _forget_the_dead(self) -> None:
        """The lease of a dead playbook is not ours: its keeper may be giving it back just now."""
        if self.file is None or self.known is None or self.call.check_mode:
            return
        if not self.params["with_playbook"] or not outlived(self.file.path, playbook_process(), GIVEN_BACK):
            return
        self.known = self.file.read()
        if self.known and not self._living():
            self._forget()
            self.known = None

    def released(self) -> None:
        """End the lease and remove its file; without a file, end a hold."""
        if self.file is None:
            keys, name = Keys(self.params["pool"]), self.params["name"]
            before, te = unhold(self.store, keys, name, self.call.check_mode)
            self.call.difference.add("held", before, "")
            if before and not self.call.check_mode:
                Server(self.store, keys).serve(name, class_of(te["labels"]))
        elif self.known is None or not (self.known["granted"] or self._living()):
            self._forget()
        else:
            lease = self._end(self._release)
            self.call.difference.add("tes", [te["name"] for te in lease["tes"]], [])

    def held(self) -> None:
        """Keep TEs back: those of the lease, which ends with it, or the one that is named."""
        hold, quota = self._hold(), self.params["quota"]
        if self.file is not None and self.known is not None:
            lease = self._end(lambda holder: holder.hold(hold, quota))
            if not self.call.check_mode:
                Guards(lease, "").hand_to(self._person().get("public_key"), hold["ttl"], self.call.progress)
            self.call.difference.add("tes", [te["name"] for te in lease["tes"]], [])
            self.call.difference.add("held", "", hold["reason"])
            self.call.result["hold"] = hold_view({**hold, "granted": self.store.now()})
        elif self.params["name"]:
            keys, name = Keys(self.params["pool"]), self.params["name"]
            found = hold_te(self.store, keys, name, hold, quota, dry=self.call.check_mode)
            self.call.difference.add("held", *found)
            self.call.result["hold"] = hold_view({**hold, "granted": self.store.now()})

    def _end(self, end: t.Callable[[Holder], dict[str, t.Any]]) -> dict[str, t.Any]:
        holder = self._holder()
        try:
            lease = holder.lease()
            if self.call.check_mode:
                return lease
            if self.file is not None:
                stop_keeper(self.file.path)
            lease = end(holder)
        except DistrogateError as error:
            if error.reason == "lease_lost":
                # The file has no further use; without it, a second release has nothing to do.
                self._forget()
            raise
        self._forget(log=True)
        return lease

    def _release(self, holder: Holder) -> dict[str, t.Any]:
        # The key first: nobody is granted a TE that this lease can still reach.
        Guards(holder.lease(), self.file.key if self.file else "").end_all(self.call.progress)
        return holder.release()

    def _renewed(self, demand: Demand) -> dict[str, t.Any]:
        holder = self._holder()
        lease = holder.lease()
        if lease["pool"] != demand.pool or len(lease["tes"]) != demand.count:
            raise DistrogateError(
                "lease_other",
                f"{self._path()} is the file of a lease on {len(lease['tes'])} of pool {lease['pool']},"
                f" but {demand} was asked for. Release that one first, or give another lease_file.",
            )
        if self.call.check_mode or self.file is None:
            return lease
        return Taking(self.call, self.store, self.file, lease["owner"]).go_on(holder, self._ttl())

    def _difference(self, lease: dict[str, t.Any]) -> None:
        self.call.difference.add("state", "released", "locked")
        self.call.difference.add("tes", [], [te["name"] for te in lease["tes"]])

    def _living(self) -> bool:
        """Whether a lease was granted after all, though its taker did not live to note it."""
        known = self.known or {}
        return self.store.get(Keys(known["pool"]).lease(known["lease"])) is not None

    def _holder(self) -> Holder:
        if self.known is None:
            raise DistrogateError("no_lease", f"There is no lease file {self._path()}. Take the lease first.")
        return Holder(self.store, self.known["pool"], self.known["lease"], self.known["secret"])

    def _demand(self) -> Demand:
        params = self.params
        labels = as_labels(params["labels"]) or {}
        return Demand(
            params["pool"],
            params["count"],
            params["name"],
            labels,
            params["where"] or "",
            params["priority"],
        )

    def _hold(self) -> dict[str, t.Any]:
        owner = self._owner()
        return {
            "kind": "hold",
            "pool": self.params["pool"],
            "owner": owner,
            "person": str(self._person().get("name") or owner.get("user") or getpass.getuser()),
            "reason": self.params["reason"],
            "ttl": self.params["ttl"] or HOLD_TTL,
        }

    def _person(self) -> dict[str, t.Any]:
        return self.params["person"] or {}

    def _owner(self) -> dict[str, str]:
        given = self.params["owner"] or {"user": getpass.getuser(), "host": socket.gethostname()}
        return {str(key): str(value) for key, value in given.items()}

    def _ttl(self) -> int:
        return int(self.params["ttl"] or LEASE_TTL)

    def _path(self) -> str:
        return self.file.path if self.file else ""

    def _forget(self, log: bool = False) -> None:
        if self.file is not None and not self.call.check_mode:
            self.file.remove(log)


def check_fence(store: Store, file: LeaseFile, te: dict[str, t.Any]) -> None:
    """Refuse to touch a TE that is not under the lease of this file any more; error ``lease_lost``."""
    known = file.read()
    if known is None:
        raise DistrogateError("no_lease", f"There is no lease file {file.path}. Take the lease first.")
    lease = Holder(store, known["pool"], known["lease"], known["secret"]).lease()
    if [te["name"], te["fence"]] not in [[own["name"], own["fence"]] for own in lease["tes"]]:
        raise DistrogateError(
            "lease_lost",
            f"TE {te['name']} with fence {te['fence']} is not under lease {lease['id']}. Do not touch it.",
        )
