# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of leases, for benchmarks and sieges: the only file here that knows the lease core's names."""

from __future__ import annotations

import contextlib
import secrets
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store, open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._lease import Holder, acquire, hashed
from ansible_collections.distrogate.ci.plugins.module_utils._leases._model import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._registry import Registry

Lease = dict[str, t.Any]


class Client:
    """One client with a connection of its own; an object serves one thread."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @classmethod
    def open(cls, url: str) -> Client:
        return cls(open_store(url))

    def register_all(self, pool: str, tes: t.Mapping[str, dict[str, str]]) -> None:
        """TEs by name, with their labels."""
        for name, labels in tes.items():
            Registry(self.store, pool).put(name, {"labels": labels})

    def acquire(
        self,
        pool: str,
        count: int = 1,
        where: str = "",
        priority: int = 0,
        ttl: float = 30,
        timeout: float = 60,
        name: str | None = None,
        placed: t.Callable[[], None] = lambda: None,
    ) -> Lease:
        """Wait for a lease; it has the core's fields, and ``secret``. ``placed`` is called in the queue."""
        demand = Demand(pool, count, name, _labels(where), priority)
        secret = secrets.token_hex(16)
        wanted = {"id": secrets.token_hex(8), "owner": {"job": "test"}, "secret_sha256": hashed(secret)}
        said: list[str] = []

        def progress(line: str) -> None:
            said.append(line)
            if len(said) == 1:
                placed()

        return {
            **acquire(self.store, demand, wanted, ttl=ttl, timeout=timeout, progress=progress),
            "secret": secret,
        }

    def renew(self, lease: Lease, ttl: float) -> None:
        self._holder(lease).renew(ttl)

    def release(self, lease: Lease) -> None:
        self._holder(lease).release()

    def release_all(self, leases: t.Iterable[Lease]) -> None:
        """What may have ended already."""
        for lease in leases:
            with contextlib.suppress(DistrogateError):
                self.release(lease)

    def close(self) -> None:
        self.store.close()

    def _holder(self, lease: Lease) -> Holder:
        return Holder(self.store, lease["pool"], lease["id"], lease["secret"])

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _labels(where: str) -> dict[str, str]:
    """``a=1 and b=2`` as labels."""
    return dict(part.strip().split("=", 1) for part in where.split(" and ") if part)  # type: ignore[misc]
