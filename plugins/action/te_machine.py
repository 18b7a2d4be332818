# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a leased TE's machine a host of the running play."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall, ControllerAction
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._hosts import SANDBOX, host_variables
from ansible_collections.distrogate.ci.plugins.module_utils._leases._lease_file import LeaseFile
from ansible_collections.distrogate.ci.plugins.module_utils._leases._locking import check_fence
from ansible_collections.distrogate.ci.plugins.module_utils._leases._options import te_machine_options


class ActionModule(ControllerAction, ActionBase):
    """Ansible takes the host from the key ``add_host`` of the result, as add_host's own."""

    BYPASS_HOST_LOOP = True
    options: t.ClassVar[dict[str, t.Any]] = te_machine_options()

    def perform(self, call: ActionCall) -> None:
        """Look at the fence, and name the host, its variables, and the folder of its sandbox."""
        te = call.params["te"]
        with open_store(call.params["store"], create=False) as store:
            check_fence(store, LeaseFile(call.params["lease_file"]), te)
        variables = host_variables(te, call.params["name"])
        call.result["sandbox"] = variables.get(SANDBOX, "")
        call.result["add_host"] = {
            "host_name": call.params["name"],
            "groups": ["te"],
            "host_vars": variables,
        }
