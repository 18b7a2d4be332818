# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots: a state with an address of its own that never changes, over the same packages."""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Format, Json, Scope
from ansible_collections.distrogate.ci.plugins.module_utils._packages._options import word
from ansible_collections.distrogate.ci.plugins.module_utils._packages._plan import Plan, Request
from ansible_collections.distrogate.ci.plugins.module_utils._packages._tables import packages_of, split

NOW = "now"  # asks for a snapshot that is named by its time, of a state that the newest one is not of


def snapshots_of(scopes: t.Mapping[str, Scope], fmt: Format) -> dict[str, Scope]:
    """The snapshots of a format's scope, by name; the newest first."""
    found = {
        name.strip("/").rpartition("/")[2]: scope
        for name, scope in scopes.items()
        if scope.settings.get("snapshot_of") == fmt.scope
    }
    return dict(sorted(found.items(), key=lambda one: (one[1].moment, one[0]), reverse=True))


def snapshot_rows(snapshots: t.Mapping[str, Scope]) -> list[Json]:
    """What modules return about snapshots."""
    return [
        {"name": name, "date": _date(scope.moment), "state_digest": scope.state_digest}
        for name, scope in snapshots.items()
    ]


def _date(moment: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def plan_snapshots(request: Request, plan: Plan, moves: bool = True) -> None:
    """Which snapshots come and go; none does when the plan ``moves`` none."""
    there = snapshots_of(request.state.scopes, request.fmt)
    if moves and request.params["snapshot"]:
        _plan_named(request, plan)
    gone = plan.snapshots_gone
    after = {name: scope for name, scope in there.items() if name not in gone}
    if plan.snapshot is not None:
        after = {plan.snapshot_name: plan.snapshot, **after}
    if moves:
        gone.extend(_overdue(request, after))
    rows = [snapshot_rows(after), snapshot_rows(there)]
    plan.snapshots = (
        [row for row in rows[0] if row["name"] not in gone],
        [row for row in rows[1] if row["name"] in gone],
    )


def _overdue(request: Request, snapshots: t.Mapping[str, Scope]) -> list[str]:
    """Those beyond the newest ``keep_snapshots`` that are old enough, not pinned, and not asked for now."""
    asked = (request.params["snapshot"], request.params["restore"])
    keep, seconds = request.params["keep_snapshots"], request.params["keep_snapshots_seconds"]
    digests = [*request.params["pinned"], request.params["restore"] or ""]
    pinned = {digest.rpartition(":")[2] for digest in digests}
    return [
        name
        for name, scope in list(snapshots.items())[keep:]
        if keep > 0
        and request.now - scope.moment > seconds
        and scope.state_digest.rpartition(":")[2] not in pinned
        and name not in asked
    ]


def _plan_named(request: Request, plan: Plan) -> None:
    """Keep the state as it will be under a name, or with ``state: absent`` forget that name."""
    name = word("snapshot", request.params["snapshot"])
    if name == NOW:
        there = snapshots_of(request.state.scopes, request.fmt)
        newest = next(iter(there.values()), None)
        if newest is not None and newest.state_digest == plan.after.state_digest:
            return
        name = _name_of_now(int(request.now), there)
    fmt = request.fmt.for_snapshot(name)
    old = request.state.scopes.get(fmt.scope)
    if request.params["state"] == "absent":
        plan.snapshots_gone.extend([name] if old is not None else [])
        return
    if plan.after.layers:
        raise DistrogateError(
            "snapshot_of_layers",
            f"{request.root} shows packages of layers, which may go. Publish them here first.",
        )
    if old is not None and old.state_digest != plan.after.state_digest:
        raise DistrogateError(
            "snapshot_exists",
            f"{request.root} has a snapshot {name} with other packages ({old.state_digest}). Use another"
            " name, or remove it first.",
        )
    if old is None:
        settings = {**plan.after.settings, "valid_for": 0, "snapshot_of": request.fmt.scope}
        digest = plan.after.state_digest
        plan.snapshot_name = name
        plan.snapshot = Scope(
            settings=settings, state_digest=digest, tables=plan.after.tables, moment=int(request.now)
        )
        if fmt.snapshot_folder():
            _move_tables(request, plan, plan.snapshot)


def _name_of_now(moment: int, taken: t.Container[str]) -> str:
    """The time as a name; the next second's when there were two states within one."""
    while (name := time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment))) in taken:
        moment += 1
    return name


def _move_tables(request: Request, plan: Plan, scope: Scope) -> None:
    """Show entries with paths as they are from the snapshot's own folder."""
    fmt, folder = request.fmt, request.fmt.snapshot_folder()
    for table, refs in scope.tables.items():
        packages = packages_of(plan.chunks, {table: refs})
        moved = (fmt.at(one, folder + os.path.dirname(one.file)) for one in packages)
        scope.shown[table] = list(split(plan.chunks, moved))
