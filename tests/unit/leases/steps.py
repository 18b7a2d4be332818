# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One who waits, moved by hand: each step of a wait is a call, so that tests choose the order."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._acquire import acquire
from ansible_collections.distrogate.ci.plugins.module_utils._leases._cleaning import Cleanup
from ansible_collections.distrogate.ci.plugins.module_utils._leases._client import Client
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holder import Holder, hashed
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import Keys
from ansible_collections.distrogate.ci.plugins.module_utils._leases._reaper import reap
from ansible_collections.distrogate.ci.plugins.module_utils._leases._registry import Registry
from ansible_collections.distrogate.ci.plugins.module_utils._leases._serve import Server
from ansible_collections.distrogate.ci.plugins.module_utils._leases._wait import Wait

POOL = Demand("p")


def register(store: Store, *names: str, **attributes: t.Any) -> None:
    for name in names:
        Registry(store, "p").put(name, attributes)


def wanted(job: str, secret: str = "s") -> dict[str, t.Any]:
    return {"id": job, "owner": {"job": job}, "secret_sha256": hashed(secret)}


class Job:
    """A job that stands in the line."""

    def __init__(self, store: Store, name: str, demand: Demand = POOL, term: float = 60) -> None:
        self.name = name
        self.client = Client(store, demand.pool, term)
        self.client.alive()
        self.wait = Wait(self.client, demand, self.client.place(wanted(name)), 60)
        self.wait.enqueue()

    def look(self) -> list[str] | None:
        """The TEs that it has been granted, after it looked."""
        lease = self.wait.look(Cleanup(self.client, None))
        return None if lease is None else sorted(te["name"] for te in lease["tes"])


def taken(
    store: Store, job: str, demand: Demand = POOL, term: float = 60, **options: t.Any
) -> dict[str, t.Any]:
    """A lease, at once."""
    client = Client(store, demand.pool, term)
    return acquire(client, demand, wanted(job), **{"timeout": 0, **options})


def release(store: Store, job: str) -> None:
    Holder(store, "p", job, "s").release()


def reaped(store: Store) -> list[str]:
    return reap(Server(store, Keys("p")))
