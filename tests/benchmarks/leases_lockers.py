# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose lock is measured: ours and kazoo's, each with one persistent client a process."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.tests.tools.lease_client import Client, Lease

POOL = "bench"
TE = "te"
TTL = 30.0
WAIT = 300.0


class Locker(t.Protocol):
    """One client of one lock."""

    def acquire(self) -> None: ...

    def release(self) -> None: ...

    def close(self) -> None: ...


class Ours:
    """A lease on the only TE of a pool, in its first term; neither key nor guard."""

    def __init__(self, url: str, _number: int) -> None:
        self._client = Client.open(url)
        self._lease: Lease = {}

    def acquire(self) -> None:
        self._lease = self._client.acquire(POOL, timeout=WAIT)

    def release(self) -> None:
        self._client.release(self._lease)

    def close(self) -> None:
        self._client.close()


class Kazoo:
    """kazoo.recipe.lock.Lock, whose waiters stand in a line as well."""

    def __init__(self, hosts: str, number: int) -> None:
        from kazoo.client import KazooClient

        # Each begins with another server, so that the servers share the clients equally.
        servers = hosts.split(",")
        first = number % len(servers)
        self._client = KazooClient(
            ",".join(servers[first:] + servers[:first]), timeout=TTL, randomize_hosts=False
        )
        self._client.start(timeout=60)
        self._lock = self._client.Lock(f"/{POOL}/{TE}", str(number))

    def acquire(self) -> None:
        if not self._lock.acquire(timeout=WAIT):
            raise RuntimeError("kazoo's lock was not granted")

    def release(self) -> None:
        self._lock.release()

    def close(self) -> None:
        self._client.stop()
        self._client.close()


LOCKERS: dict[str, t.Callable[[str, int], Locker]] = {"ours": Ours, "kazoo": Kazoo}
