# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publishing the packages of a kept snapshot again: exactly those, as a new serial."""

from __future__ import annotations

import os

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside
from ansible_collections.distrogate.ci.plugins.module_utils._packages._changes import finish_plan, refit
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import (
    Json,
    Package,
    Scope,
    Table,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._plan import Plan, Request
from ansible_collections.distrogate.ci.plugins.module_utils._packages._snapshots import snapshots_of
from ansible_collections.distrogate.ci.plugins.module_utils._packages._tables import packages_of


def plan_restore(request: Request, wanted: str) -> Plan:
    """Go back to a snapshot's list of packages; ``wanted`` is its name or its state digest.

    Nothing is read but the parts of the lists that differ. The packages lie in the pool, since
    the snapshot names them.
    """
    _check_alone(request)
    plan = request.plan()
    if plan.before is not None and not plan.before.layers and _is(plan.before, wanted):
        kept = plan.before  # it is there, whether or not a snapshot of it is
    else:
        kept = _find(request, wanted)
    _compare(plan, kept)
    for package in plan.added:
        _check_files(request.root, wanted, package)
    plan.after.tables = {name: list(refs) for name, refs in kept.tables.items()}
    plan.after.layers = []  # a snapshot has none
    plan.after.settings = _settings(plan.after.settings, kept.settings)
    if kept.settings.get("contents") != plan.after.settings.get("contents"):
        refit(request, plan)
    return finish_plan(request, plan)


def _check_alone(request: Request) -> None:
    for name in ("packages", "digests", "layers"):
        if request.params.get(name):
            raise DistrogateError(
                "bad_restore",
                f"restore publishes exactly the packages of a snapshot. Leave out {name}, or call twice.",
            )


def _is(scope: Scope, digest: str) -> bool:
    return scope.state_digest.rpartition(":")[2] == digest.rpartition(":")[2]


def _find(request: Request, wanted: str) -> Scope:
    there = snapshots_of(request.state.scopes, request.fmt)
    for name, scope in there.items():
        if name == wanted or _is(scope, wanted):
            return scope
    names = ", ".join(list(there)[:10]) or "none"
    raise DistrogateError(
        "unknown_snapshot",
        f"{request.root} keeps no snapshot {wanted}: it never had one, or it was removed (the newest that"
        f" are there: {names}). Publish those packages again, or restore another one.",
        snapshots=list(there),
    )


def _compare(plan: Plan, kept: Scope) -> None:
    """What goes and what comes; chunks that both have are not read."""
    before = plan.before.tables if plan.before is not None else {}
    for table in sorted({*before, *kept.tables}):
        old, new = _different(before.get(table, []), kept.tables.get(table, []))
        gone = {one.key: one for one in packages_of(plan.chunks, {table: old})}
        for package in packages_of(plan.chunks, {table: new}):
            there = gone.pop(package.key, None)
            if there is not None and there.sha256 == package.sha256:
                continue
            if there is not None:
                plan.removed.append(there)
            plan.added.append(package._replace(lanes=()))
        plan.removed.extend(gone.values())


def _different(old: Table, new: Table) -> tuple[Table, Table]:
    same = {ref.digest for ref in old} & {ref.digest for ref in new}
    return [ref for ref in old if ref.digest not in same], [ref for ref in new if ref.digest not in same]


def _check_files(root: str, wanted: str, package: Package) -> None:
    for name, sha256, size in package.files():
        path = inside(root, name)
        if os.path.islink(path) or not os.path.isfile(path) or os.lstat(path).st_size != size:
            raise DistrogateError(
                "package_gone",
                f"{package.label} of the snapshot {wanted} cannot be published again: {path} is missing or"
                f" has another size. Put the file with the sha256 {sha256} back, or restore another one.",
                path=path,
                sha256=sha256,
            )


def _settings(after: Json, kept: Json) -> Json:
    """As they are now, but there is an index for every package that comes back."""
    wider: Json = {
        name: sorted({*after[name], *kept[name]})
        for name in ("architectures", "components")
        if name in after and name in kept
    }
    return {**after, **wider}
