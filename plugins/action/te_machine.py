# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a leased TE's machine a host of the running play."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall, ControllerAction

OPTIONS: dict[str, t.Any] = {
    "argument_spec": {
        "name": {"type": "str", "required": True},
        "variables": {"type": "dict", "required": True},
        "fence": {"type": "int", "required": True},
    }
}
SANDBOX = "distrogate_sandbox_directory"


class ActionModule(ControllerAction, ActionBase):
    """Ansible takes the host from the key ``add_host`` of the result, as add_host's own."""

    BYPASS_HOST_LOOP = True
    options: t.ClassVar[dict[str, t.Any]] = OPTIONS

    def perform(self, call: ActionCall) -> None:
        """Name the host, its variables, and the folder of its sandbox."""
        fence = call.params["fence"]
        variables = {**call.params["variables"], "distrogate_fence": fence}
        if SANDBOX in variables:
            variables[SANDBOX] = f"{variables[SANDBOX]}/{fence}"
        call.result["sandbox"] = variables.get(SANDBOX, "")
        call.result["add_host"] = {
            "host_name": call.params["name"],
            "groups": ["te"],
            "host_vars": variables,
        }
