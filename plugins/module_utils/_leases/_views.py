# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shapes that plugins return: one function each, nothing secret in any."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._leases._model import Demand, Pool, who


def timestamp(seconds: float) -> str:
    """The store's clock as RFC 3339."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def te_view(pool: Pool, name: str) -> dict[str, t.Any]:
    """A registered TE and its status."""
    te = pool.tes[name].value
    lease = pool.lease_of(name)
    hold = pool.holds.get(name)
    return {
        **{key: te[key] for key in ("name", "labels", "hosts", "clean", "state", "needs_clean")},
        "pool": pool.name,
        "status": pool.status(name),
        "fence": pool.fences[name].value if name in pool.fences else 0,
        "lease": lease
        and {"id": lease["id"], "owner": lease["owner"], "expires": timestamp(lease["expires"])},
        "held": hold and {"reason": hold.value["reason"], "expires": timestamp(hold.value["expires"])},
    }


def waiter_view(value: dict[str, t.Any], position: int) -> dict[str, t.Any]:
    """One who waits; position 1 is next."""
    keys = ("pool", "priority", "ticket", "count", "name", "labels", "owner")
    return {**{key: value[key] for key in keys}, "position": position, "since": timestamp(value["since"])}


def lease_view(lease: dict[str, t.Any]) -> dict[str, t.Any]:
    """A lease as its owner sees it, without the hash of its secret."""
    tes = [
        {key: te[key] for key in ("name", "pool", "labels", "hosts", "fence", "clean", "dirty")}
        for te in lease["tes"]
    ]
    return {
        "id": lease["id"],
        "tes": tes,
        "owner": lease["owner"],
        "fence": max((te["fence"] for te in tes), default=0),
        "expires": timestamp(lease["expires"]),
        "queue_seconds": lease["queue_seconds"],
    }


def connection_view(lease: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """The connection variables of every host of a lease, by host name."""
    return {host: dict(variables) for te in lease["tes"] for host, variables in te["hosts"].items()}


def obstacles(pool: Pool, demand: Demand, waiter_key: str) -> list[str]:
    """Why the demand is not met now: one sentence part for each TE that it names."""
    reserved = pool.reserved(waiter_key)
    lines = []
    for name in pool.matching(demand):
        status, lease = pool.status(name), pool.lease_of(name)
        if lease is not None:
            lines.append(f"{name} is leased to {who(lease['owner'])} until {timestamp(lease['expires'])}")
        elif status == "held":
            hold = pool.holds[name].value
            lines.append(f"{name} is held until {timestamp(hold['expires'])}: {hold['reason']}")
        elif status == "drained":
            lines.append(f"{name} is drained")
        elif name in reserved:
            lines.append(f"{name} is free, and kept for those who wait longer")
        else:
            lines.append(f"{name} is free")
    return lines
