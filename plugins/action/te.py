# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Register, drain or remove a test environment (on the controller)."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import (
    ActionCall,
    ControllerAction,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._options import (
    as_labels,
    guards_of,
    te_options,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._pool import Pool
from ansible_collections.distrogate.ci.plugins.module_utils._leases._registry import Registry
from ansible_collections.distrogate.ci.plugins.module_utils._leases._views import te_view


class ActionModule(ControllerAction, ActionBase):
    """The action behind the module te."""

    options = te_options()

    def perform(self, call: ActionCall) -> None:
        params, dry = call.params, call.check_mode
        with open_store(params["store"], create=not dry) as store:
            registry = Registry(store, params["pool"])
            after: dict[str, t.Any] = {}
            if params["state"] == "absent":
                before = registry.remove(params["name"], dry)
            else:
                desired = {
                    "labels": as_labels(params["labels"]),
                    "hosts": params["hosts"],
                    "clean": params["clean"],
                    "guards": guards_of(params["name"], params["guards"]),
                    "state": params["state"],
                }
                before, after = registry.put(params["name"], desired, dry)
            for attribute in sorted({*before, *after}):
                call.difference.add(attribute, before.get(attribute), after.get(attribute))
            pool = Pool.read(store, params["pool"])
            seen = te_view(pool, params["name"]) if params["name"] in pool.tes else {}
            call.result["te"] = {"name": params["name"], "pool": params["pool"], "state": "absent"}
            if after:
                call.result["te"] = {**call.result["te"], **seen, **after}
