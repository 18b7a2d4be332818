# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots: a state with an address of its own that never changes, over the same packages."""

from __future__ import annotations

import os

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Scope
from ansible_collections.distrogate.ci.plugins.module_utils._packages._options import word
from ansible_collections.distrogate.ci.plugins.module_utils._packages._plan import Plan, Request
from ansible_collections.distrogate.ci.plugins.module_utils._packages._tables import packages_of, split


def plan_snapshot(request: Request, plan: Plan) -> None:
    """Keep the state as it will be under a name, or with ``state: absent`` forget that name."""
    name = word("snapshot", request.params["snapshot"])
    fmt = request.fmt.for_snapshot(name)
    old = request.state.scopes.get(fmt.scope)
    if request.params["state"] == "absent":
        plan.snapshot_gone = old is not None
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
        plan.snapshot = Scope(settings=settings, state_digest=digest, tables=plan.after.tables)
        if fmt.snapshot_folder():
            _move_tables(request, plan, plan.snapshot)


def _move_tables(request: Request, plan: Plan, scope: Scope) -> None:
    """Show entries with paths as they are from the snapshot's own folder."""
    fmt, folder = request.fmt, request.fmt.snapshot_folder()
    for table, refs in scope.tables.items():
        packages = packages_of(plan.chunks, {table: refs})
        moved = (fmt.at(one, folder + os.path.dirname(one.file)) for one in packages)
        scope.shown[table] = list(split(plan.chunks, moved))
