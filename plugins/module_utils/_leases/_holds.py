# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TEs that are kept for somebody to look at, instead of going to the next run."""

from __future__ import annotations

import secrets
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Delete,
    Entry,
    Key,
    Put,
    Range,
    Store,
    until_written,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import who
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import EPOCH, Keys
from ansible_collections.distrogate.ci.plugins.module_utils._leases._serve import GIVEN, epoch_of
from ansible_collections.distrogate.ci.plugins.module_utils._leases._te import (
    Operations,
    Te,
    ended,
    leased,
    write,
)

QUOTA = 2


def next_phase(store: Store, keys: Keys, te: Te, seconds: float | None = None) -> tuple[Te, Operations]:
    """What a TE becomes when its lease ends, and what is written besides: a hold, if one was wanted."""
    wanted = te["hold_next"]
    if wanted is None or te["phase"] != "leased":
        if te["phase"] == "cleaning":
            return {**te, "phase": "dirty", "lease": None}, []
        return ended(te, seconds), []
    epoch = epoch_of(store.read([Key(EPOCH)])[0])
    lease = {**wanted, "id": secrets.token_hex(8), "granted": store.now()}
    after = {**leased(ended(te, seconds), lease["id"], epoch, "held"), "hold_next": None}
    lease["tes"] = [_given(keys, after)]
    return after, [Put(keys.lease(lease["id"]), lease, ttl=wanted["ttl"])]


def hold_lease(
    store: Store, keys: Keys, entry: Entry, hold: dict[str, t.Any], quota: int
) -> dict[str, t.Any] | None:
    """Turn the lease at ``entry`` into a hold on the same TEs; None when something changed."""
    lease = entry.value
    names = [te["name"] for te in lease["tes"]]
    counted = _within_quota(store, keys, hold, len(names), quota)
    *tes, epochs = store.read([*(Key(keys.te(name)) for name in names), Key(EPOCH)])
    new = {**hold, "id": secrets.token_hex(8), "granted": store.now(), "tes": []}
    expected = {entry.key: entry.revision, **counted}
    operations: Operations = [Delete(entry.key), Delete(keys.life(lease["id"]))]
    for found in tes:
        after = {**leased(found[0].value, new["id"], epoch_of(epochs), "held"), "hold_next": None}
        expected[found[0].key] = found[0].revision
        operations += write(keys, found[0].value, after)
        new["tes"].append(_given(keys, after))
    operations += [Put(keys.lease(new["id"]), new, ttl=hold["ttl"]), *(Put(key, None) for key in counted)]
    return new if store.transact(expected, operations) is not None else None


def hold_te(
    store: Store, keys: Keys, name: str, hold: dict[str, t.Any], quota: int, *, dry: bool = False
) -> tuple[str, str]:
    """Hold a TE: at once, or when the lease on it ends. Returns the reason before and after."""

    def attempt() -> tuple[str, str] | None:
        found, epochs = store.read([Key(keys.te(name)), Key(EPOCH)])
        te = _known(keys, name, found)
        counted = _within_quota(store, keys, hold, 1, quota)
        if te["phase"] == "held":
            before = _reason(store, keys, te)
        else:
            before = (te["hold_next"] or {}).get("reason", "")
        if dry:
            return before, hold["reason"]
        operations: Operations = [Put(key, None) for key in counted]
        if te["phase"] == "cleaning":
            raise DistrogateError(
                "te_cleaning", f"TE {name} is being cleaned. Try again when that has ended."
            )
        if te["phase"] == "leased":
            after = {**te, "hold_next": hold}
        else:
            new = {**hold, "id": secrets.token_hex(8), "granted": store.now()}
            after = leased(te, new["id"], epoch_of(epochs), "held")
            new["tes"] = [_given(keys, after)]
            operations.append(Put(keys.lease(new["id"]), new, ttl=hold["ttl"]))
            if te["phase"] == "held":
                operations.append(Delete(keys.lease(te["lease"])))
        operations += write(keys, te, after)
        written = store.transact({found[0].key: found[0].revision, **counted}, operations)
        return (before, hold["reason"]) if written is not None else None

    return until_written(attempt)


def unhold(store: Store, keys: Keys, name: str, dry: bool = False) -> tuple[str, Te]:
    """End a hold. Returns its reason ('' when there was none), and the TE afterwards."""

    def attempt() -> tuple[str, Te] | None:
        found = store.read([Key(keys.te(name))])[0]
        te = _known(keys, name, found)
        before = (te["hold_next"] or {}).get("reason", "")
        operations: Operations = []
        after = {**te, "hold_next": None}
        if te["phase"] == "held":
            before = _reason(store, keys, te)
            after = ended(after)
            operations = [Delete(keys.lease(te["lease"]))]
        if dry or after == te:
            return before, after
        operations += write(keys, te, after)
        written = store.transact({found[0].key: found[0].revision}, operations)
        return (before, after) if written is not None else None

    return until_written(attempt)


def _given(keys: Keys, te: Te) -> dict[str, t.Any]:
    return {"pool": keys.pool, **{key: te[key] for key in GIVEN}}


def _known(keys: Keys, name: str, found: list[Entry]) -> Te:
    if not found:
        raise DistrogateError("te_unknown", f"Pool {keys.pool} has no TE {name}. Register it with te first.")
    return t.cast("Te", found[0].value)


def _reason(store: Store, keys: Keys, te: Te) -> str:
    entry = store.get(keys.lease(te["lease"]))
    return str(entry.value["reason"]) if entry else ""


def _within_quota(store: Store, keys: Keys, hold: dict[str, t.Any], more: int, quota: int) -> dict[str, int]:
    """Refuse a person's holds beyond the quota; returns what to compare, so that two do not pass together."""
    person = str(hold["person"])
    key = keys.quota(person)
    leases, pending, noted = store.read([Range(keys.leases), Range(keys.pending_all), Key(key)])
    held = [entry.value for entry in leases if entry.value["kind"] == "hold"]
    own = [te["name"] for lease in held if lease["person"] == person for te in lease["tes"]]
    own += [entry.key.rpartition("/")[2] for entry in pending if entry.value == person]
    if len(own) + more > quota:
        raise DistrogateError(
            "hold_quota",
            f"{person} holds {', '.join(own) or 'nothing'} of pool {keys.pool} and may hold {quota} TEs;"
            f" {more} more were asked for by {who(hold['owner'])}. Release one, or raise quota.",
            held=own,
        )
    return {key: noted[0].revision if noted else 0}
