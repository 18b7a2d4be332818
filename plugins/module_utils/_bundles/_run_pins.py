# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run directories that are in use: channels hold those of the bundle that they have, and had before."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store

Json = dict[str, t.Any]
_JOURNALS = "journal/promotion/"


def pinned_runs(store: Store) -> list[Json]:
    """Every pin on a run directory, sorted. What is being promoted is as good as pinned."""
    found = []
    for entry in store.list("pins/run/"):
        facts = entry.value["facts"] or {}
        known = {name: facts.get(name) for name in ("host", "bundle")}
        found.append({"run_dir": entry.value["thing"], "holder": entry.value["holder"], **known})
    for entry in store.list(_JOURNALS):
        origin = entry.value.get("origin") or {}
        if origin.get("run_dir"):
            pin = {"run_dir": origin["run_dir"], "holder": entry.key, "host": origin.get("host")}
            found.append({**pin, "bundle": entry.value.get("digest")})
    return sorted(found, key=_order)


def _order(pin: Json) -> tuple[str, str]:
    return pin["run_dir"], pin["holder"]
