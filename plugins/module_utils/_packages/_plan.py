# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what is asked to what will be published: pure decisions, nothing is written."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sha256_file
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import Transactions
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import (
    Format,
    Json,
    Package,
    Scope,
    Shown,
    State,
    shown_packages,
    state_digest,
)

_LAYER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclasses.dataclass
class Plan:
    """A scope as it is and as it will be."""

    before: Scope | None
    after: Scope
    added: list[Package] = dataclasses.field(default_factory=list)
    removed: list[Package] = dataclasses.field(default_factory=list)
    skipped: list[Package] = dataclasses.field(default_factory=list)
    origins: dict[str, str] = dataclasses.field(
        default_factory=dict
    )  # where an added file comes from, by its key
    shown: list[Shown] = dataclasses.field(default_factory=list)
    intact: bool = True

    def describe(self, difference: Difference) -> None:
        """Put what changes into ``difference``; nothing in it means nothing to publish."""
        before = self.before or Scope()
        difference.add("published", self.before is not None, True)
        difference.add("metadata", "complete" if self.intact else "missing or damaged", "complete")
        difference.add("packages", sorted(p.label for p in self.removed), sorted(p.label for p in self.added))
        difference.add("layers", before.layers, self.after.layers)
        difference.add("settings", before.settings, self.after.settings)
        difference.add("state_digest", before.state_digest, self.after.state_digest)


def checked_layers(root: str, layers: t.Sequence[t.Mapping[str, t.Any]]) -> list[dict[str, str]]:
    """Layers with safe names, each once, none of which is this repository itself."""
    found: dict[str, dict[str, str]] = {}
    for layer in layers:
        name, path = str(layer["name"]), os.path.realpath(str(layer["root"]))
        if not _LAYER.fullmatch(name) or name in found:
            raise DistrogateError(
                "bad_layer", f"The layer name {name!r} stands twice, or has other letters than a-z 0-9 . _ -"
            )
        if path == os.path.realpath(root):
            raise DistrogateError(
                "bad_layer", f"The layer {name} of {root} is this repository itself. Leave it out."
            )
        found[name] = {"name": name, "root": path}
    return list(found.values())


@dataclasses.dataclass(frozen=True)
class Request:
    """What is there, and how it is to be published; ``layers`` is None to keep those that are there."""

    state: State
    fmt: Format
    root: str
    key: str
    layers: t.Sequence[t.Mapping[str, t.Any]] | None = None

    def start(self) -> Plan:
        """A plan that changes no package."""
        before = self.state.scopes.get(self.fmt.scope)
        after = before.copy() if before else Scope()
        after.settings = {**self.fmt.settings(after.settings), "signing_key": self.key}
        if self.layers is not None:
            after.layers = checked_layers(self.root, self.layers)
        return Plan(before, after)


def finish_plan(plan: Plan, fmt: Format, root: str) -> Plan:
    """Work out what is shown in the end, and whether what is there is whole."""
    plan.shown = shown_packages(root, fmt.kind, fmt.scope, plan.after)
    plan.after.state_digest = state_digest(plan.shown)
    if plan.before is not None:
        switch = Transactions(root).pending(fmt.switch)
        plan.intact = os.path.isfile(switch) and sha256_file(switch) == plan.before.switch_sha256
    return plan


def _check_digests(paths: t.Sequence[str], digests: t.Mapping[str, str]) -> None:
    missing = sorted(set(digests) - {os.path.basename(path) for path in paths})
    if missing:
        raise DistrogateError("digest_mismatch", f"digests names {missing[0]}, which is not among packages.")


def _conflict(old: str, package: Package) -> DistrogateError:
    return DistrogateError(
        "content_conflict",
        f"{package.label} is published with sha256 {old}; the new file has {package.sha256}."
        " Contents under one version never change: give it a higher version, or remove the old one.",
        published_sha256=old,
        offered_sha256=package.sha256,
    )


def plan_present(request: Request, paths: t.Sequence[str], digests: t.Mapping[str, str]) -> Plan:
    """Add packages. The same contents are skipped; other contents under the same identity are refused."""
    _check_digests(paths, digests)
    plan, fmt = request.start(), request.fmt
    taken = _taken_names(request.state)
    for path in paths:
        package = fmt.read(path)
        expected = str(digests.get(os.path.basename(path), package.sha256))
        if expected.lower().removeprefix("sha256:") != package.sha256:
            raise DistrogateError(
                "digest_mismatch",
                f"{path} has sha256 {package.sha256}, but {expected} is expected. Transfer it again.",
                path=path,
            )
        old = plan.after.packages.get(package.key)
        if old is not None and old.sha256 != package.sha256:
            raise _conflict(old.sha256, package)
        if old is not None:
            if package.key not in plan.origins:
                plan.skipped.append(old)
            continue
        placed = _placed(package, taken)
        taken[placed.file] = placed.sha256
        plan.after.packages[package.key] = placed
        plan.origins[package.key] = path
        plan.added.append(placed)
    return finish_plan(plan, fmt, request.root)


def plan_absent(request: Request, names: t.Sequence[str]) -> Plan:
    """Remove packages, by ``name`` or ``name=version``; one that is not there is no error."""
    plan, fmt = request.start(), request.fmt
    wanted = {tuple(name.split("=", 1)) for name in names}
    for package in list(plan.after.packages.values()):
        if package.group == fmt.group and wanted & {(package.name,), (package.name, package.version)}:
            plan.removed.append(plan.after.packages.pop(package.key))
    return finish_plan(plan, fmt, request.root)


def plan_undo(request: Request, undo: Json) -> Plan:
    """Go back to what was published before the latest transaction.

    It is published anew, with a new date: clients that saw the newer Release
    would ignore an older one.
    """
    before = request.state.scopes[request.fmt.scope]
    plan = Plan(before, before.copy())
    plan.removed = [plan.after.packages.pop(key) for key in undo["added"]]
    for raw in undo["removed"]:
        package = Package(**raw)
        plan.after.packages[package.key] = package
        plan.added.append(package)
    plan.after.layers = undo["layers"]
    plan.after.settings = {**undo["settings"], "signing_key": request.key}
    return finish_plan(plan, request.fmt, request.root)


def undo_record(plan: Plan) -> Json:
    """What ``plan_undo`` needs later."""
    before = plan.before or Scope(settings=plan.after.settings)
    return {
        "added": [package.key for package in plan.added],
        "removed": [vars(package) for package in plan.removed],
        "layers": before.layers,
        "settings": before.settings,
    }


def _taken_names(state: State) -> dict[str, str]:
    """Pool files by name with their digest: those in use, and those that slow readers may still fetch."""
    taken = {name: str(digest) for name, (_serial, digest) in state.retired.items()}
    for scope in state.scopes.values():
        taken.update((package.file, package.sha256) for package in scope.packages.values())
    return taken


def _placed(package: Package, taken: dict[str, str]) -> Package:
    """The package with a file name that no other contents have or lately had."""
    if taken.get(package.file, package.sha256) == package.sha256:
        return package
    folder, name = os.path.split(package.file)
    file = f"{folder}/{package.sha256[:16]}/{name}"
    index = dict(package.index)
    if "href" in index:
        index["primary"] = index["primary"].replace(
            f'<location href="{index["href"]}"/>', f'<location href="{file}"/>', 1
        )
        index["href"] = file
    return dataclasses.replace(package, file=file, index=index)
