# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds bundles, and tells what is in them and what became of them."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import Archive
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle_info import (
    Finder,
    channel_history,
    resolve,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._info_options import bundle_info_options
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._known_keys import KnownKeys
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._run_pins import pinned_runs
from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall, ControllerAction
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store, open_store


class ActionModule(ControllerAction, ActionBase):
    """Reads the store and the archive; the only file that it may write is the archive's index."""

    options: t.ClassVar[dict[str, t.Any]] = bundle_info_options()

    def perform(self, call: ActionCall) -> None:
        """Look."""
        archive = Archive(call.params["archive"]) if call.params["archive"] else None
        with open_store(call.params["store"], create=False) as store:
            keys = KnownKeys(store, call.params["signers"])
            _look(call, store, Finder(store, archive, keys, call.progress))


def _look(call: ActionCall, store: Store, finder: Finder) -> None:
    params, result = call.params, call.result
    if params["difference"] is not None:
        if len(params["difference"]) != 2:
            raise DistrogateError("bad_options", "difference takes two bundles: the old one and the new one.")
        result["difference"] = finder.difference(*params["difference"])
    wanted = dict(params)
    if params["bundle"]:
        wanted["bundle"] = resolve(store, params["bundle"])
    if params["history"]:
        result["history"] = channel_history(store, params["channel"])
    found = finder.find(wanted)
    result.update(bundles=found.bundles, total=found.total, problems=found.problems, pins=pinned_runs(store))
    if params["bundle"] and found.bundles and finder.knows(wanted["bundle"]):
        found.bundles[0].update(finder.whole(wanted["bundle"]))
