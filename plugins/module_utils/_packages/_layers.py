# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Layers: the packages of other repositories, shown through this one without copying their files."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._transactions import Transactions
from ansible_collections.distrogate.ci.plugins.module_utils._packages._chunks import Chunks
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import (
    STATE,
    Json,
    Package,
    Table,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._plan import Plan, Request
from ansible_collections.distrogate.ci.plugins.module_utils._packages._state import load_state
from ansible_collections.distrogate.ci.plugins.module_utils._packages._tables import packages_of, split

_LAYER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ATTEMPTS = 5  # a layer's own writer may take a chunk away between its list and the chunk


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


def show_layers(request: Request, plan: Plan) -> tuple[dict[str, Table], list[Json]]:
    """A scope's own packages and those of its layers; nothing where there are no layers.

    Layers are in the order of the queue, oldest first: a later one hides an
    earlier one's package of the same identity, and an own package hides all.
    Also returns what is shown from each layer.
    """
    if not plan.after.layers:
        return {}, []
    found: dict[tuple[str, str, str, str], tuple[str, Package]] = {}
    for layer in plan.after.layers:
        for below in _packages_below(request, layer):
            package = request.fmt.fit(below, plan.after.settings, layer["root"])
            folder = f"layers/{layer['name']}/{os.path.dirname(package.file)}"
            found[package.key] = (layer["name"], request.fmt.at(package, folder))
    for package in packages_of(plan.chunks, plan.after.tables):
        found[package.key] = ("", package)
    tables: dict[str, list[Package]] = {table: [] for table in plan.after.tables}
    for key in sorted(found):
        tables.setdefault(key[0], []).append(found[key][1])
    shown = {table: list(split(plan.chunks, packages)) for table, packages in sorted(tables.items())}
    from_layers = [
        {**layer, "packages": sorted(one.label for name, one in found.values() if name == layer["name"])}
        for layer in plan.after.layers
    ]
    return shown, from_layers


def _packages_below(request: Request, layer: t.Mapping[str, str]) -> list[Package]:
    """A layer's own packages; its writer is not kept waiting, so a chunk that goes meanwhile is no error."""
    name, root = layer["name"], layer["root"]
    for attempt in range(1, _ATTEMPTS + 1):
        below = load_state(Transactions(root).pending(STATE), request.fmt.kind)
        if below is None or request.fmt.scope not in below.scopes:
            what = f" for {request.fmt.scope}" if request.fmt.scope else ""
            raise DistrogateError(
                "bad_layer",
                f"The layer {name} of {request.root} shows {root}, where nothing is published{what}."
                " Publish there first, or leave it out of layers.",
            )
        try:
            return list(packages_of(Chunks(root, request.fmt.spread), below.scopes[request.fmt.scope].tables))
        except DistrogateError:
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError
