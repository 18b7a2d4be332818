# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""List test environments and who waits for them (on the controller)."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import (
    ActionCall,
    ControllerAction,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._options import te_info_options
from ansible_collections.distrogate.ci.plugins.module_utils._leases._pool import Pool, pool_names
from ansible_collections.distrogate.ci.plugins.module_utils._leases._views import te_view, waiter_view


class ActionModule(ControllerAction, ActionBase):
    """The action behind the module te_info."""

    options = te_info_options()

    def perform(self, call: ActionCall) -> None:
        with open_store(call.params["store"], create=False) as store:
            wanted = call.params["pool"]
            names = [wanted] if wanted else pool_names(store)
            pools = [Pool.read(store, name) for name in names]
        call.result["tes"] = [te_view(pool, name) for pool in pools for name in sorted(pool.tes)]
        call.result["waiters"] = [
            waiter_view(waiter, number)
            for pool in pools
            for number, waiter in enumerate(pool.waiters, start=1)
        ]
