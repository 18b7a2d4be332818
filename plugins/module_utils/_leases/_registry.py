# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The TEs of a pool: registering, draining, removing, and holding them back."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Delete,
    Put,
    Store,
    until_written,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._model import (
    Pool,
    checked_name,
    pool_key,
    who,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._views import te_view

_SECRET = re.compile(r"pass(word|wd|phrase)?\Z|_pass_|secret|token", re.IGNORECASE)
_ATTRIBUTES = ("labels", "hosts", "clean", "state")


class Registry:
    """The TEs of one pool."""

    def __init__(self, store: Store, pool: str) -> None:
        self.store = store
        self.pool = checked_name(pool, "pool")

    def put(
        self, name: str, desired: dict[str, t.Any], dry: bool = False
    ) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
        """Register a TE or change it; attributes that are not given stay. Returns it before and after."""
        checked_name(name, "TE")
        _check_hosts(desired.get("hosts") or {})
        given = {key: value for key, value in desired.items() if value is not None}

        def attempt() -> tuple[dict[str, t.Any], dict[str, t.Any]] | None:
            pool = Pool.read(self.store, self.pool)
            old = pool.tes.get(name)
            fresh: dict[str, t.Any] = {
                "labels": {},
                "hosts": {},
                "clean": None,
                "state": "present",
                # Removed and registered again: what its last lease left is still there.
                "needs_clean": name in pool.fences,
                "lease": None,
            }
            before = old.value if old else {}
            after = {"name": name, **(before or fresh), **given}
            _check_taken(pool, name, after["hosts"])
            if after != before and not dry:
                expected = {pool_key(self.pool, "te", name): old.revision if old else 0}
                if self.store.transact(expected, [Put(pool_key(self.pool, "te", name), after)]) is None:
                    return None
            return _shown(before), _shown(after)

        return until_written(attempt)

    def remove(self, name: str, dry: bool = False) -> dict[str, t.Any]:
        """Forget a TE, but not its fence. Refused while it is leased. Returns what was there."""
        checked_name(name, "TE")

        def attempt() -> dict[str, t.Any] | None:
            pool = Pool.read(self.store, self.pool)
            if name not in pool.tes:
                return {}
            lease = pool.lease_of(name)
            if lease is not None:
                raise DistrogateError(
                    "te_leased",
                    f"TE {name} of pool {self.pool} is leased to {who(lease['owner'])}."
                    " Set it to drained, wait for the lease to end, then remove it.",
                )
            entry = pool.tes[name]
            operations = [Delete(entry.key), Delete(pool_key(self.pool, "hold", name))]
            # A grant writes the TE's entry, so the revision covers the lease too.
            if not dry and self.store.transact({entry.key: entry.revision}, operations) is None:
                return None
            return _shown(entry.value)

        return until_written(attempt)

    def view(self, name: str) -> dict[str, t.Any] | None:
        """The TE with its status, or None."""
        pool = Pool.read(self.store, self.pool)
        return te_view(pool, name) if name in pool.tes else None

    def hold(self, name: str, reason: str, ttl: float, dry: bool = False) -> tuple[str, str]:
        """Keep a TE from being granted; a lease on it goes on. Returns the reason before and after."""

        def attempt() -> tuple[str, str] | None:
            pool = Pool.read(self.store, self.pool)
            self._known(pool, name)
            key = pool_key(self.pool, "hold", name)
            old = pool.holds.get(name)
            value = {"reason": reason, "expires": self.store.now() + ttl}
            if (
                not dry
                and self.store.transact({key: old.revision if old else 0}, [Put(key, value, ttl)]) is None
            ):
                return None
            return (old.value["reason"] if old else "", reason)

        return until_written(attempt)

    def unhold(self, name: str, dry: bool = False) -> str:
        """End a hold. Returns its reason, '' when there was none."""
        pool = Pool.read(self.store, self.pool)
        self._known(pool, name)
        old = pool.holds.get(name)
        if old and not dry:
            self.store.transact({}, [Delete(old.key)])
        return old.value["reason"] if old else ""

    def _known(self, pool: Pool, name: str) -> None:
        if name not in pool.tes:
            raise DistrogateError(
                "te_unknown", f"Pool {self.pool} has no TE {name}. Register it with te first."
            )


def _shown(value: dict[str, t.Any]) -> dict[str, t.Any]:
    return {key: value[key] for key in _ATTRIBUTES} if value else {}


def _check_hosts(hosts: dict[str, t.Any]) -> None:
    for host, variables in hosts.items():
        if not isinstance(variables, dict):
            raise DistrogateError(
                "bad_options", f"The connection variables of host {host} are not a mapping."
            )
        for variable in variables:
            if _SECRET.search(variable) and not variable.endswith("_file"):
                raise DistrogateError(
                    "secret_in_hosts",
                    f"{variable} of host {host} looks like a secret, and the store shows its contents"
                    " to all who use it. Give the path of a key file instead.",
                )


def _check_taken(pool: Pool, name: str, hosts: dict[str, t.Any]) -> None:
    for other, entry in pool.tes.items():
        for host in sorted(set(hosts) & set(entry.value["hosts"])):
            if other != name:
                raise DistrogateError(
                    "host_taken",
                    f"Host {host} belongs to TE {other} of pool {pool.name}; a host serves one TE.",
                )
