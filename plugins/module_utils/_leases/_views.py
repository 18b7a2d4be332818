# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shapes that plugins return: one function each, nothing secret in any."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._leases._line import Waiter
from ansible_collections.distrogate.ci.plugins.module_utils._leases._pool import Pool

_SHOWN = ("name", "labels", "hosts", "clean", "guards", "state", "fence", "failures")


def timestamp(seconds: float) -> str:
    """The store's clock as RFC 3339."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def te_view(pool: Pool, name: str) -> dict[str, t.Any]:
    """A registered TE and its status."""
    te, lease = pool.tes[name], pool.lease_of(name)
    held = lease if lease and lease["kind"] == "hold" else te["hold_next"]
    return {
        **{key: te[key] for key in _SHOWN},
        "pool": pool.name,
        "status": pool.status(name),
        "lease": _lease(lease) if lease and lease["kind"] != "hold" else None,
        "held": held and hold_view(held),
    }


def _lease(lease: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "id": lease["id"],
        "kind": lease["kind"],
        "owner": lease["owner"],
        "since": timestamp(lease["granted"]),
        "ttl": lease["ttl"],
    }


def hold_view(hold: dict[str, t.Any]) -> dict[str, t.Any]:
    """A hold: by whom, why, and until when."""
    begun = hold.get("granted")
    return {
        "reason": hold["reason"],
        "person": hold["person"],
        "owner": hold["owner"],
        # One that was asked for while a run goes on begins when the run ends.
        "expires": timestamp(begun + hold["ttl"]) if begun else None,
    }


def waiter_view(waiter: Waiter, position: int) -> dict[str, t.Any]:
    """One who waits; position 1 is next."""
    place = waiter.entry.value
    return {
        "pool": waiter.demand.pool,
        "position": position,
        **waiter.demand.value(),
        "aged": place["aged"],
        "ticket": waiter.came,
        "owner": place["owner"],
        "since": timestamp(place["since"]),
    }


def lease_view(lease: dict[str, t.Any], now: float) -> dict[str, t.Any]:
    """A lease as its owner sees it, without the hash of its secret."""
    return {
        "id": lease["id"],
        "tes": lease["tes"],
        "owner": lease["owner"],
        "fence": max((te["fence"] for te in lease["tes"]), default=0),
        "expires": timestamp(now + lease["ttl"]),
        "queue_seconds": lease["queue_seconds"],
    }


def connection_view(lease: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """The connection variables of every host of a lease, by host name."""
    return {host: dict(variables) for te in lease["tes"] for host, variables in te["hosts"].items()}
