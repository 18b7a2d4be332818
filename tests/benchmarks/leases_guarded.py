# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Leases with a key and a guard: a real sshd on loopback, and what te_lock asks of it."""

from __future__ import annotations

import contextlib
import tempfile
import typing as t
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.distrogate.ci.plugins.module_utils._leases._guards import Guards
from ansible_collections.distrogate.ci.plugins.module_utils._leases._registry import Registry
from ansible_collections.distrogate.ci.tests.benchmarks.leases_lockers import POOL, TTL, WAIT
from ansible_collections.distrogate.ci.tests.faults.guard_host import Host
from ansible_collections.distrogate.ci.tests.faults.guard_sshd import sshd
from ansible_collections.distrogate.ci.tests.tools.lease_client import Client, Lease

TE = "te1"


@contextlib.contextmanager
def guard(root: Path) -> Iterator[dict[str, t.Any]]:
    """An installed guard behind an sshd, as an item of a TE's ``guards``."""
    with tempfile.TemporaryDirectory(dir=root) as folder:
        host = Host(Path(folder))
        host.tes = {TE: {"pool": "pool"}}
        host.install()
        with sshd(host) as server:
            yield {
                "host": "127.0.0.1",
                "port": server.port,
                "user": host.user,
                "key_file": host.pool_key,
                "known_hosts": server.known_hosts,
                "te": TE,
            }


def register(address: str, pool: str, name: str, item: dict[str, t.Any]) -> None:
    with Client.open(address) as client:
        Registry(client.store, pool).put(name, {"labels": {}, "guards": [item]})


class Guarded:
    """A lease with its own key, in the order of te_lock: granted, raised, renewed; ended, released."""

    def __init__(self, url: str, _number: int) -> None:
        self._client = Client.open(url)
        self._folder = tempfile.TemporaryDirectory()
        self._key = f"{self._folder.name}/key"
        self._lease: Lease = {}

    def acquire(self) -> None:
        self._lease = self._client.acquire(POOL, timeout=WAIT)
        self._client.renew(self._lease, WAIT)
        Path(self._key).unlink(missing_ok=True)  # a key serves one lease
        Guards(self._lease, self._key).raise_all(TTL)
        self._client.renew(self._lease, TTL)

    def release(self) -> None:
        Guards(self._lease, self._key).end_all(_unexpected)
        self._client.release(self._lease)

    def close(self) -> None:
        self._client.close()
        self._folder.cleanup()


def _unexpected(said: str) -> None:
    raise RuntimeError(said)
