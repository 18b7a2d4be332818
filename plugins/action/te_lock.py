# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take, renew, release or hold the lease on test environments (on the controller)."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import (
    ActionCall,
    ControllerAction,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._locking import Locking
from ansible_collections.distrogate.ci.plugins.module_utils._leases._options import te_lock_options
from ansible_collections.distrogate.ci.plugins.plugin_utils._raised_signals import RaisedSignals


class ActionModule(ControllerAction, ActionBase):
    """The action behind the module te_lock."""

    options = te_lock_options()

    def perform(self, call: ActionCall) -> None:
        ttl = call.params["ttl"]
        if (ttl is not None and ttl < 1) or call.params["timeout"] < 0 or call.params["max_lifetime"] < 0:
            raise DistrogateError(
                "bad_options", "ttl is at least 1 second, timeout and max_lifetime at least 0."
            )
        with open_store(call.params["store"], create=not call.check_mode) as store:
            locking = Locking(call, store)
            states = {
                "locked": locking.locked,
                "released": locking.released,
                "held": locking.held,
            }
            with RaisedSignals():
                states[call.params["state"]]()
