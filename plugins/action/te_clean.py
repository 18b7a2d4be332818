# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find leases that ended by themselves, and clean dirty test environments (on the controller)."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import (
    ActionCall,
    ControllerAction,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._cleaning_job import cleaner
from ansible_collections.distrogate.ci.plugins.module_utils._leases._options import te_clean_options
from ansible_collections.distrogate.ci.plugins.module_utils._leases._pool import pool_names
from ansible_collections.distrogate.ci.plugins.module_utils._leases._sweep import Sweep


class ActionModule(ControllerAction, ActionBase):
    """The action behind the module te_clean."""

    options = te_clean_options()

    def perform(self, call: ActionCall) -> None:
        with open_store(call.params["store"], create=False) as store:
            pools = [call.params["pool"]] if call.params["pool"] else pool_names(store)
            sweep = Sweep(store, cleaner(call.progress), call.params["timeout"])
            for pool in pools:
                sweep.look(pool) if call.check_mode else sweep.work(pool)
        call.difference.add("dirty", sweep.cleaned, [])
        call.difference.add("leased", sweep.ended, [])
        call.result.update({"ended": sweep.ended, "cleaned": sweep.cleaned, "broken": sweep.broken})
