# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many TEs there are of each class: who asks for what nobody has is told so at once."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete, Entry, Key, Put, Store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import Keys
from ansible_collections.distrogate.ci.plugins.module_utils._leases._te import (
    Operations,
    Te,
    class_of,
    usable,
)


def recount(
    store: Store, keys: Keys, before: Te | None, after: Te | None
) -> tuple[dict[str, int], Operations]:
    """What to expect and to write so that the classes are right after a TE changed."""
    change: dict[str, list[int]] = {}
    labels: dict[str, dict[str, str]] = {}
    for te, sign in ((before, -1), (after, 1)):
        if te is not None:
            klass = class_of(te["labels"])
            labels[klass] = te["labels"]
            counts = change.setdefault(klass, [0, 0])
            counts[0] += sign
            counts[1] += sign * usable(te)
    changed = [klass for klass, counts in change.items() if any(counts)]
    expected: dict[str, int] = {}
    operations: Operations = []
    for klass, found in zip(changed, store.read([Key(keys.klass(klass)) for klass in changed])):
        old = found[0].value if found else {"registered": 0, "usable": 0}
        expected[keys.klass(klass)] = found[0].revision if found else 0
        registered, able = old["registered"] + change[klass][0], old["usable"] + change[klass][1]
        value = {
            "labels": labels[klass],
            "registered": registered,
            "usable": able,
        }
        operations.append(Put(keys.klass(klass), value) if registered else Delete(keys.klass(klass)))
    return expected, operations


def matching(keys: Keys, classes: t.Iterable[Entry], demand: Demand) -> dict[str, dict[str, t.Any]]:
    """The classes whose labels fit a demand, by their name."""
    start = len(keys.classes)
    return {entry.key[start:]: entry.value for entry in classes if demand.fits(entry.value["labels"])}


def fillable(keys: Keys, classes: t.Iterable[Entry], demand: Demand, named: Te | None) -> bool:
    """Whether the pool can ever fill it. What it cannot, reserves nothing: all behind would wait in vain."""
    if demand.name is not None:
        return named is not None and usable(named) and demand.matches(named)
    return bool(sum(value["usable"] for value in matching(keys, classes, demand).values()) >= demand.count)


def check_possible(keys: Keys, classes: t.Iterable[Entry], demand: Demand, named: Te | None) -> None:
    """Refuse what the pool could not give even if all its TEs were free."""
    if demand.name is not None:
        found = int(named is not None and demand.matches(named))
    else:
        found = sum(value["registered"] for value in matching(keys, classes, demand).values())
    if found < demand.count:
        raise DistrogateError(
            "te_unknown",
            f"Asked for {demand}, but the pool has {found} such TEs."
            " Register more with te, or ask for others.",
        )
