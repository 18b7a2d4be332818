# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written down and returned about how a publish ended."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import (
    Format,
    Json,
    Package,
    State,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._plan import Plan
from ansible_collections.distrogate.ci.plugins.module_utils._packages._snapshots import (
    snapshot_rows,
    snapshots_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._tables import packages_of

FINISHED = 50  # transactions whose outcome is remembered
_ASKED = (
    "layers",
    "signing_key",
    "overlap_key",
    "origin",
    "label",
    "architectures",
    "component",
    "suite",
    "snapshot",
    "keep_snapshots",
    "keep_snapshots_seconds",
    "keep_versions",
    "valid_for",
    "contents",
    "compression",
    "group",
    "updateinfo",
)


def finish(state: State, identifier: str, outcome: str, scope: str, undo: Json | None) -> None:
    """Write down how a transaction ended; only the latest one can be undone."""
    for entry in state.finished.values():
        entry.pop("undo", None)
    state.latest = "" if identifier.startswith(".") else identifier
    if state.latest:
        state.finished.pop(identifier, None)
        state.finished[identifier] = {"state": outcome, "serial": state.serial, "scope": scope, "undo": undo}
    newest = sorted(state.finished, key=lambda name: int(state.finished[name]["serial"]))[-FINISHED:]
    state.finished = {name: state.finished[name] for name in newest}


def request_digest(params: t.Mapping[str, t.Any], scope: str, packages: list[str]) -> str:
    """What a prepared transaction was asked to do, so that the same question gets the same answer."""
    asked = {name: params.get(name) for name in _ASKED}
    return digest_json({"scope": scope, "packages": sorted(packages), **asked})


def notes(plan: Plan, fmt: Format, serial: int) -> t.Iterator[Json]:
    """What the log of touched paths says about a publish, for mirrors; ``serial`` tells a repeated note."""
    where = {"scope": fmt.scope, "kind": fmt.kind, "serial": serial}
    yield {"packages": {**where, "added": _identities(plan.added), "removed": _identities(plan.removed)}}
    came = [plan.snapshot_name] if plan.snapshot is not None else []
    if came or plan.snapshots_gone:
        yield {"snapshots": {**where, "added": came, "removed": plan.snapshots_gone}}


def _identities(packages: t.Iterable[Package]) -> list[list[str]]:
    return [[one.name, one.version, one.architecture] for one in packages]


def no_change(state: State, fmt: Format) -> Json:
    """The lists of a call that publishes nothing."""
    return {
        "added": [],
        "removed": [],
        "unchanged": [],
        "layers": [],
        "serial": state.serial,
        "state_digest": "",
        "removed_snapshots": [],
        "snapshots": snapshot_rows(snapshots_of(state.scopes, fmt)),
    }


def listed(plan: Plan) -> list[Json]:
    """All packages of the state, with those of layers, in the form in which bundles record it."""
    found = {
        (one.name, one.version, one.architecture, one.sha256)
        for one in packages_of(plan.chunks, plan.after.shown or plan.after.tables)
    }
    words = ("name", "package_version", "architecture", "sha256")
    return [dict(zip(words, row)) for row in sorted(found)]


def outcome_result(plan: Plan, serial: int, with_list: bool = False) -> Json:
    """The lists that every publish returns."""
    return {
        **({"packages": listed(plan)} if with_list else {}),
        "added": [package.public() for package in plan.added],
        "removed": [package.public() for package in plan.removed],
        "unchanged": [package.public() for package in plan.skipped],
        "layers": plan.from_layers,
        "serial": serial,
        "state_digest": plan.after.state_digest,
        "snapshots": plan.snapshots[0],
        "removed_snapshots": plan.snapshots[1],
    }
