# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person reads while they wait, and when they waited in vain."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand, who
from ansible_collections.distrogate.ci.plugins.module_utils._leases._pool import Pool
from ansible_collections.distrogate.ci.plugins.module_utils._leases._views import duration, timestamp

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._leases._wait import Wait

_SHOWN = 5


def waiting_line(wait: Wait) -> str:
    """Our position, how long it may take, and what is in the way."""
    try:
        pool = Pool.read(wait.store, wait.keys.pool)
    except DistrogateError as error:
        return f"waiting for {wait.demand}, and for the store: {error.message}"
    estimate = pool.estimate(wait.key, wait.demand)
    guess = f", about {duration(estimate)} by past leases" if estimate is not None else ""
    place = f"position {pool.position(wait.key)} of {len(pool.waiters)}"
    lines = obstacles(pool, wait.demand)
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return f"waiting for {wait.demand}, {place}{guess}: {'; '.join(lines[:_SHOWN] + more)}"


def timed_out(wait: Wait) -> DistrogateError:
    """The error that says for whom we waited."""
    pool = Pool.read(wait.store, wait.keys.pool)
    lines = obstacles(pool, wait.demand)
    more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return DistrogateError(
        "lease_timeout",
        f"Waited {wait.timeout:g} s for {wait.demand}, in vain: {'; '.join(lines[:_SHOWN])}{more}."
        " Raise timeout, add TEs, or release one.",
        position=pool.position(wait.key),
        obstacles=lines,
    )


def obstacles(pool: Pool, demand: Demand) -> list[str]:
    """Why the demand is not met now: a part of a sentence for each TE that it names."""
    return [f"{name} {_state(pool, name)}" for name in pool.matching(demand)]


def _state(pool: Pool, name: str) -> str:
    status, lease = pool.status(name), pool.lease_of(name)
    if status == "leased" and lease is not None:
        return f"is leased to {who(lease['owner'])} since {timestamp(lease['granted'])}"
    if status == "held" and lease is not None:
        return f"is held by {lease['person']} since {timestamp(lease['granted'])}: {lease['reason']}"
    if status == "cleaning":
        return "is being cleaned"
    if status == "broken":
        return f"is broken: {pool.tes[name]['failures']} attempts to make it ready failed"
    if status == "free":
        return "is free, and kept for those who wait longer"
    return f"is {status}"
