# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions: numbers of a series that are given out once."""

from __future__ import annotations

import dataclasses

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import (
    MAIN,
    Json,
    checked_series,
    version_key,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Key, Put, Store

_BEFORE_SERIES = "promotion/version"  # the counter, when there was one series of whole numbers


@dataclasses.dataclass(frozen=True)
class Number:
    """The next version, what must hold for it to be ours, and what takes it."""

    version: str
    expected: dict[str, int]
    operations: list[Put]


def next_number(store: Store, series: str, kind: str) -> Number:
    """The next ``N.0.0`` (``major``), or the next ``N.M.0`` of the newest N (``minor``)."""
    key = f"version/{checked_series(series)}"
    found, old = store.read([Key(key), Key(_BEFORE_SERIES)])
    taken: Json = {"major": 0, "minor": 0}
    if found:
        taken = found[0].value
    elif old and series == MAIN:
        taken = {"major": old[0].value, "minor": 0}
    while True:
        taken = _after(taken, kind)
        version = f"{taken['major']}.{taken['minor']}.0"
        if store.get(version_key(series, version)) is None:  # the counter may be older than the versions
            break
    revision = found[0].revision if found else 0
    return Number(version, {key: revision, version_key(series, version): 0}, [Put(key, taken)])


def _after(taken: Json, kind: str) -> Json:
    if kind == "major":
        return {"major": taken["major"] + 1, "minor": 0}
    return {"major": taken["major"], "minor": taken["minor"] + 1}
