# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one lease and its release ask of the store, by the size of the pool."""

from __future__ import annotations

from collections import Counter

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.tests.tools.lease_client import Client
from ansible_collections.distrogate.ci.tests.tools.wrapped_store import CountingStore

POOL = "counted"


def count(url: str, size: int) -> Counter[str]:
    """The operations of a lease that nobody else wants, and of its release, in a pool of ``size`` TEs."""
    with open_store(url) as inner:
        store = CountingStore(inner)
        client = Client(store)
        client.register_all(POOL, {f"te{number}": {"size": "large"} for number in range(size)})
        client.release(client.acquire(POOL))  # what only the first one does
        store.counts.clear()
        client.release(client.acquire(POOL))
        return Counter(store.counts)
