# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans: packages come, go, or return; only the chunks that hold their names are read."""

from __future__ import annotations

import functools
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sha256_file
from ansible_collections.distrogate.ci.plugins.module_utils._core._transactions import Transactions
from ansible_collections.distrogate.ci.plugins.module_utils._packages._admission import Admission
from ansible_collections.distrogate.ci.plugins.module_utils._packages._layers import (
    checked_layers,
    show_layers,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Json, Package, Read, Scope
from ansible_collections.distrogate.ci.plugins.module_utils._packages._plan import (
    Plan,
    Pool,
    Request,
    conflict,
    downgrade,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._snapshots import plan_snapshots
from ansible_collections.distrogate.ci.plugins.module_utils._packages._tables import (
    Decide,
    packages_of,
    rewrite,
    split,
    state_digest,
)

_AT_ONCE = 5000  # packages whose entries are in memory together


def plan_present(request: Request, paths: t.Sequence[str], digests: t.Mapping[str, str]) -> Plan:
    """Add packages. The same contents are skipped; other contents under the same identity are refused."""
    plan = _start(request)
    missing = sorted(set(digests) - {os.path.basename(path) for path in paths})
    if missing:
        raise DistrogateError("digest_mismatch", f"digests names {missing[0]}, which is not among packages.")
    arrival = _Arrival(request, plan)
    # In the order of their names, so that each part touches chunks of its own.
    ordered = sorted(paths, key=os.path.basename)
    for begin in range(0, len(ordered), _AT_ONCE):
        offered = _read_all(request, plan, ordered[begin : begin + _AT_ONCE], digests)
        for table in sorted(offered):
            _rewrite(plan, table, list(offered[table]), functools.partial(arrival.decide, offered[table]))
    return finish_plan(request, plan)


def plan_absent(request: Request, names: t.Sequence[str]) -> Plan:
    """Remove packages, by ``name`` or ``name=version``; one that is not there is no error."""
    plan = _start(request)
    wanted = {tuple(name.split("=", 1)) for name in names}

    def decide(name: str, existing: list[Package]) -> list[Package]:
        gone = [one for one in existing if wanted & {(name,), (name, one.version)}]
        plan.removed.extend(gone)
        return [one for one in existing if one not in gone]

    for table in [table for table in plan.after.tables if request.fmt.selects(table)]:
        _rewrite(plan, table, {name[0] for name in wanted}, decide)
    return finish_plan(request, plan)


def plan_undo(request: Request, undo: Json) -> Plan:
    """Go back to what was published before the latest transaction.

    It is published anew, with a new date: clients that saw the newer Release
    would ignore an older one.
    """
    plan = request.plan()
    back = [_package(raw) for raw in undo["removed"]]
    gone = {tuple(key) for key in undo["added"]}

    def decide(table: str, name: str, existing: list[Package]) -> list[Package]:
        leaving = [one for one in existing if one.key in gone]
        coming = [one for one in back if (one.table, one.name) == (table, name)]
        plan.removed.extend(leaving)
        plan.added.extend(coming)
        return [one for one in existing if one not in leaving] + coming

    for table in sorted({key[0] for key in gone} | {one.table for one in back}):
        names = {key[1] for key in gone if key[0] == table} | {one.name for one in back if one.table == table}
        _rewrite(plan, table, names, functools.partial(decide, table))
    plan.after.layers = undo["layers"]
    keys = {name: plan.after.settings[name] for name in request.keys}
    plan.after.settings = {**undo["settings"], **keys}
    return finish_plan(request, plan, snapshot=False)


def undo_record(plan: Plan) -> Json:
    """What ``plan_undo`` needs later."""
    before = plan.before or Scope(settings=plan.after.settings)
    return {
        "added": [list(package.key) for package in plan.added],
        "removed": [list(package) for package in plan.removed],
        "layers": before.layers,
        "settings": before.settings,
    }


def _package(raw: list[t.Any]) -> Package:
    found = Package(*raw)
    others = tuple((name, sha256, size) for name, sha256, size in found.more)
    return found._replace(lanes=tuple(found.lanes), more=others)


def _start(request: Request) -> Plan:
    """Layers and settings as they are asked for; entries and old versions as those settings say."""
    plan = request.plan()
    if request.params["layers"] is not None:
        plan.after.layers = checked_layers(request.root, request.params["layers"])
    if plan.before is not None:
        old, new = plan.before.settings, plan.after.settings
        if old.get("contents") != new.get("contents"):
            refit(request, plan)
        if old["keep_versions"] != new["keep_versions"]:
            arrival = _Arrival(request, plan)
            for table, refs in list(plan.after.tables.items()):
                names = {one.name for one in packages_of(plan.chunks, {table: refs})}
                _rewrite(plan, table, names, lambda _name, existing: arrival.kept(existing))
    return plan


def refit(request: Request, plan: Plan) -> None:
    """Give all packages the entries that the settings ask for."""
    settings = plan.after.settings
    for table, refs in plan.after.tables.items():
        packages = packages_of(plan.chunks, {table: refs})
        fitting = (request.fmt.fit(one, settings, request.root) for one in packages)
        plan.after.tables[table] = list(split(plan.chunks, fitting))


def _rewrite(plan: Plan, table: str, names: t.Collection[str], decide: Decide) -> None:
    refs = rewrite(plan.chunks, plan.after.tables.get(table, []), table, names, decide)
    if refs or table in plan.after.tables:
        plan.after.tables[table] = refs


def _read_all(
    request: Request, plan: Plan, paths: t.Sequence[str], digests: t.Mapping[str, str]
) -> dict[str, dict[str, list[Read]]]:
    """Packages by table and name, each with the digest that is expected of it."""
    admission = Admission(request.params, plan.after.settings["require_bundle"])
    found: dict[str, dict[str, list[Read]]] = {}
    for path, read in zip(paths, request.fmt.read_all(paths, plan.after.settings)):
        package = read.package
        admission.check(package, path)
        expected = digests.get(os.path.basename(path)) if digests else None
        if expected is not None and str(expected).lower().removeprefix("sha256:") != package.sha256:
            raise DistrogateError(
                "digest_mismatch",
                f"{path} has sha256 {package.sha256}, but {expected} is expected. Transfer it again.",
                path=path,
            )
        found.setdefault(package.table, {}).setdefault(package.name, []).append(read)
    return found


class _Arrival:
    """What happens to each name for which packages are offered."""

    def __init__(self, request: Request, plan: Plan) -> None:
        self._request = request
        self._plan = plan
        self._pool = Pool(request)
        self._arrived: set[tuple[str, ...]] = set()

    def decide(self, offered: dict[str, list[Read]], name: str, existing: list[Package]) -> list[Package]:
        """The packages that are to be there under ``name``."""
        new: list[Package] = []
        for read in offered.pop(name):
            package, origins = read
            old = next((one for one in (*existing, *new) if one.key == package.key), None)
            if old is not None and old.sha256 != package.sha256:
                raise conflict(old, package, origins[0].path)
            if old is not None:
                if old not in new:
                    self._plan.skipped.append(old)
                continue
            self._check_newest(existing, package, origins[0].path)
            placed = self._pool.placed(read)
            for (file, _sha256, _size), origin in zip(placed.files(), origins):
                if not self._pool.has(file):
                    self._plan.origins[file] = origin
            new.append(placed)
            self._arrived.add(placed.key)
        kept = self.kept(existing, new)
        # Their entries are in a chunk from here on; with many packages, they are most of the memory.
        self._plan.added.extend(one._replace(lanes=()) for one in new if one in kept)
        return kept

    def _check_newest(self, existing: list[Package], package: Package, path: str) -> None:
        if self._request.params["allow_downgrade"]:
            return
        for one in existing:
            newer = self._request.fmt.compare(one.version, package.version) > 0
            if one.architecture == package.architecture and newer and one.key not in self._arrived:
                raise downgrade(one, package, path)

    def kept(self, existing: list[Package], new: t.Sequence[Package] = ()) -> list[Package]:
        """The newest versions of each architecture, as many as are to stay; the others are removed."""
        keep = self._plan.after.settings["keep_versions"]
        if not keep:
            return [*existing, *new]
        compare = self._request.fmt.compare

        def newest_first(left: Package, right: Package) -> int:
            return compare(right.version, left.version)

        kept: list[Package] = []
        for package in sorted((*existing, *new), key=functools.cmp_to_key(newest_first)):
            if sum(one.architecture == package.architecture for one in kept) < keep:
                kept.append(package)
        self._plan.removed.extend(one for one in existing if one not in kept)
        return kept


def finish_plan(request: Request, plan: Plan, snapshot: bool = True) -> Plan:
    """Work out what is shown in the end, and whether what is there is whole."""
    plan.after.shown, plan.from_layers = show_layers(request, plan)
    plan.after.state_digest = state_digest(plan.after.shown or plan.after.tables)
    if plan.before is not None:
        switch = Transactions(request.root).pending(request.fmt.switch)
        plan.intact = os.path.isfile(switch) and sha256_file(switch) == plan.before.switch_sha256
        if plan.before.valid_until:
            half = (plan.before.valid_until - plan.before.moment) / 2
            plan.expiring = request.now > plan.before.valid_until - half
    plan_snapshots(request, plan, moves=snapshot)
    return plan
