# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The TEs of a pool: registering, draining and removing them."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Entry,
    Key,
    Put,
    Store,
    until_written,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._classes import recount
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import who
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import Keys
from ansible_collections.distrogate.ci.plugins.module_utils._leases._serve import Server
from ansible_collections.distrogate.ci.plugins.module_utils._leases._te import (
    Operations,
    Te,
    class_of,
    new_te,
    write,
)

_SECRET = re.compile(r"pass(word|wd|phrase)?\Z|_pass_|secret|token", re.IGNORECASE)
_HOST = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,252}\Z")
_ATTRIBUTES = ("labels", "hosts", "clean", "guards", "state")
_MAXIMUM = 64  # Characters of a label's name and value; and how many labels, hosts and guards there may be.


class Registry:
    """The TEs of one pool."""

    def __init__(self, store: Store, pool: str) -> None:
        self.store = store
        self.keys = Keys(pool)

    def put(
        self, name: str, desired: dict[str, t.Any], dry: bool = False
    ) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
        """Register a TE or change it; attributes that are not given stay. Returns it before and after.

        A broken TE that was drained is dirty, not broken, when it is ``present`` again.
        """
        _check_labels(desired.get("labels") or {})
        _check_hosts(desired.get("hosts") or {})
        given = {key: value for key, value in desired.items() if value is not None}

        def attempt() -> tuple[dict[str, t.Any], dict[str, t.Any]] | None:
            found, fences = self.store.read([Key(self.keys.te(name)), Key(self.keys.fence(name))])
            old = found[0].value if found else None
            after = {**(old or self._new(name, fences, given)), **given}
            if old and old["state"] == "drained" and after["state"] == "present" and old["phase"] == "broken":
                after = {**after, "phase": "dirty" if after["clean"] else "free", "failures": 0}
            if after["phase"] == "dirty" and not after["clean"]:
                after["phase"] = "free"
            taken = self._check_taken(name, after["hosts"])
            if after != old and not dry and not self._written(found, old, after, expected=taken):
                return None
            return _shown(old), _shown(after)

        before, after = until_written(attempt)
        if before != after and not dry:
            Server(self.store, self.keys).serve(name, class_of(after["labels"]))
        return before, after

    def remove(self, name: str, dry: bool = False) -> dict[str, t.Any]:
        """Forget a TE, but not its fence. Refused while it is leased. Returns what was there."""

        def attempt() -> dict[str, t.Any] | None:
            found = self.store.read([Key(self.keys.te(name))])[0]
            if not found:
                return {}
            te = found[0].value
            leases = self.store.read([Key(self.keys.lease(te["lease"]))])[0] if te["lease"] else []
            if leases:
                lease = leases[0].value
                raise DistrogateError(
                    "te_leased",
                    f"TE {name} of pool {self.keys.pool} is {te['phase']}: {who(lease['owner'])}."
                    " Set it to drained, wait for that to end, then remove it.",
                )
            fence = Put(self.keys.fence(name), te["fence"])
            return _shown(te) if dry or self._written(found, te, None, [fence]) else None

        return until_written(attempt)

    def _written(
        self,
        found: list[Entry],
        old: Te | None,
        after: Te | None,
        more: t.Sequence[Put] = (),
        expected: t.Mapping[str, int] | None = None,
    ) -> bool:
        name = (after or old or {})["name"]
        compared, counts = recount(self.store, self.keys, old, after)
        operations: Operations = [*write(self.keys, old, after), *counts, *more]
        if old is None:
            operations.append(Put(self.keys.listed, None))
        compared.update({**(expected or {}), self.keys.te(name): found[0].revision if found else 0})
        return self.store.transact(compared, operations) is not None

    def _new(self, name: str, fences: list[Entry], given: dict[str, t.Any]) -> Te:
        te = new_te(name, fences[0].value if fences else 0)
        # Removed and registered again: what its last lease left is still there.
        return {**te, "phase": "dirty" if fences and given.get("clean") else "free"}

    def _check_taken(self, name: str, hosts: dict[str, t.Any]) -> dict[str, int]:
        """Refuse a host that another TE has; returns what to expect of the store."""
        expected = {}
        for host, found in zip(hosts, self.store.read([Key(self.keys.host(host)) for host in hosts])):
            expected[self.keys.host(host)] = found[0].revision if found else 0
            if found and found[0].value != name:
                raise DistrogateError(
                    "host_taken",
                    f"Host {host} belongs to TE {found[0].value} of pool {self.keys.pool};"
                    " a host serves one TE.",
                )
        return expected


def _shown(te: Te | None) -> dict[str, t.Any]:
    return {key: te[key] for key in _ATTRIBUTES} if te else {}


def _check_labels(labels: dict[str, str]) -> None:
    for key, value in labels.items():
        if not key or max(len(key), len(value)) > _MAXIMUM or not (key + value).isprintable():
            raise DistrogateError(
                "bad_options",
                f"The label {key[:80]!r}={value[:80]!r} is none: printable text of at most {_MAXIMUM}"
                " characters, with a name.",
            )
    if len(labels) > _MAXIMUM:
        raise DistrogateError("bad_options", f"{len(labels)} labels are too many: at most {_MAXIMUM}.")


def _check_hosts(hosts: dict[str, t.Any]) -> None:
    if len(hosts) > _MAXIMUM:
        raise DistrogateError("bad_options", f"{len(hosts)} hosts are too many: at most {_MAXIMUM}.")
    for host, variables in hosts.items():
        if not _HOST.match(host):
            raise DistrogateError(
                "bad_name", f"{host[:80]!r} is not a host's name: letters, digits, '.', '_', ':' and '-'."
            )
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
