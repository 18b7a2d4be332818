# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking a lease."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._leases._cleaning import Cleaner
from ansible_collections.distrogate.ci.plugins.module_utils._leases._client import Client
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._wait import Tell, Wait


def acquire(
    client: Client,
    demand: Demand,
    lease: dict[str, t.Any],
    *,
    timeout: float,
    tell: Tell | None = None,
    cleaner: Cleaner | None = None,
    came: int | None = None,
) -> dict[str, t.Any]:
    """Take the lease (``id``, ``owner``, ``secret_sha256``), waiting up to ``timeout`` seconds for our turn.

    It lives as long as the client gives signs of life, until ``Holder.renew``
    gives it a term of its own. ``came`` is the place in the line of one that
    was granted TEs before which did not work. Errors ``te_unknown`` and
    ``lease_timeout``.
    """
    client.alive()
    place = client.place(lease, came)
    granted = None if client.crowded or came else client.at_once(demand, place)
    client.crowded = granted is None
    return granted or Wait(client, demand, place, timeout).run(tell, cleaner)
