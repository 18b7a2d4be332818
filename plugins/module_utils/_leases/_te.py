# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A TE as it is stored: its phases, and what is written when it goes from one to the next."""

from __future__ import annotations

import hashlib
import json
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete, Put
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import Keys

Te = dict[str, t.Any]
Operations = list[t.Union[Put, Delete]]

BUSY = ("leased", "held", "cleaning")
ATTEMPTS = 3  # Cleanings that may fail before a TE is broken.
EPOCH_STEP = 1_000_000_000
_PAST = 8  # Leases whose length is remembered, to tell those who wait how long it may take.


def new_te(name: str, fence: int) -> Te:
    """A TE that was never seen before, or not since it was removed with this fence."""
    return {
        "name": name,
        "labels": {},
        "hosts": {},
        "clean": None,
        "guards": [],
        "state": "present",
        "phase": "free",
        "lease": None,
        "fence": fence,
        "failures": 0,
        "hold_next": None,
        "seconds": [],
    }


def class_of(labels: t.Mapping[str, str]) -> str:
    """The name of the class of all TEs with exactly these labels."""
    return hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]


def usable(te: Te | None) -> bool:
    """Whether it will be granted some day, as things stand."""
    return te is not None and te["state"] == "present" and te["phase"] != "broken"


def grantable(te: Te) -> bool:
    return bool(te["phase"] == "free" and te["state"] == "present")


def next_fence(te: Te, epoch: int) -> int:
    """Larger than every fence before, also than those that a restored store has forgotten."""
    return int(max(te["fence"], epoch * EPOCH_STEP)) + 1


def write(keys: Keys, before: Te | None, after: Te | None) -> Operations:
    """The operations that take a TE from one state to another, with its indexes."""
    old, new = _indexes(keys, before), _indexes(keys, after)
    operations: Operations = [Delete(key) for key in old if key not in new]
    changed = [key for key, value in new.items() if key not in old or old[key] != value]
    return operations + [Put(key, new[key]) for key in changed]


def _indexes(keys: Keys, te: Te | None) -> dict[str, t.Any]:
    if te is None:
        return {}
    name, klass = te["name"], class_of(te["labels"])
    found: dict[str, t.Any] = {keys.te(name): te}
    found.update({keys.host(host): name for host in te["hosts"]})
    if te["hold_next"]:
        found[keys.pending(name)] = te["hold_next"]["person"]
    if te["phase"] in BUSY:
        found[keys.busy(name, te["lease"])] = None
    elif te["state"] == "present" and te["phase"] == "free":
        found[keys.free(klass, name)] = None
    elif te["state"] == "present" and te["phase"] == "dirty":
        found[keys.dirty(klass, name)] = None
    return found


def leased(te: Te, lease: str, epoch: int, phase: str = "leased") -> Te:
    """Under a new lease: one that runs on it, cleans it, or holds it."""
    return {**te, "phase": phase, "lease": lease, "fence": next_fence(te, epoch)}


def ended(te: Te, seconds: float | None = None) -> Te:
    """After a run or a hold: dirty, if anything cleans it."""
    past = te["seconds"] if seconds is None else [*te["seconds"], round(max(0.0, seconds))][-_PAST:]
    return {**te, "phase": "dirty" if te["clean"] else "free", "lease": None, "seconds": past}


def cleaned(te: Te) -> Te:
    return {**te, "phase": "free", "lease": None, "failures": 0}


def failed(te: Te) -> Te:
    """After a cleaning, or a guard, failed: dirty once more, or broken when that happened too often."""
    failures = te["failures"] + 1
    attempts = (te["clean"] or {}).get("attempts") or ATTEMPTS
    phase = "broken" if failures >= attempts else "dirty" if te["clean"] else "free"
    return {**te, "phase": phase, "lease": None, "failures": failures}
