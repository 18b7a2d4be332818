# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person reads while they wait, and when they waited in vain."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._told import duration
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand, who
from ansible_collections.distrogate.ci.plugins.module_utils._leases._pool import Pool
from ansible_collections.distrogate.ci.plugins.module_utils._leases._views import timestamp

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._leases._wait import Wait

_SHOWN = 5
_KEPT = "is free, and kept for those who wait longer"


def waiting_line(wait: Wait) -> str:
    """Our position, how long we have waited and may wait, and what is in the way."""
    waited = duration(time.monotonic() - wait.began)
    try:
        pool = Pool.read(wait.store, wait.keys.pool)
        now = wait.store.now()
    except DistrogateError as error:
        return f"waits for {_wanted(wait.demand)}, {waited}, and for the store: {error.message}"
    estimate = pool.estimate(wait.key, wait.demand)
    guess = f", about {duration(estimate)} to go by past leases" if estimate is not None else ""
    position = pool.position(wait.key)
    place = f"{ordinal(position)} of {len(pool.waiters)}"
    lines = [f"{name} {_state(pool, name, now)}" for name in pool.matching(wait.demand)]
    if position == 1:
        lines = [line.replace(_KEPT, "is free") for line in lines]
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    told = "; ".join(lines[:_SHOWN] + more)
    return f"waits for {_wanted(wait.demand)}: {place}, {waited}{guess}; {told}"


def _wanted(demand: Demand) -> str:
    """``a TE of pool X (size=small)``, ``3 TEs of pool X``."""
    number = "a TE" if demand.count == 1 else f"{demand.count} TEs"
    return f"{number} {str(demand).partition(' ')[2]}"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    last = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else last}"


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


def _state(pool: Pool, name: str, now: float | None = None) -> str:
    """What a TE is doing; with ``now``, for how long."""
    status, lease = pool.status(name), pool.lease_of(name)
    if lease is not None and status in ("leased", "held"):
        granted = lease["granted"]
        since = f"since {timestamp(granted)}" if now is None else f"for {duration(max(0.0, now - granted))}"
        if status == "leased":
            return f"is leased to {who(lease['owner'])} {since}"
        return f"is held by {lease['person']} {since}: {lease['reason']}"
    if status == "cleaning":
        return "is being cleaned"
    if status == "broken":
        return f"is broken: {pool.tes[name]['failures']} attempts to make it ready failed"
    if status == "free":
        return _KEPT
    return f"is {status}"
