# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring artifacts of a run from the builder to another host, checked on arrival."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall, ControllerAction
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside
from ansible_collections.distrogate.ci.plugins.plugin_utils._hosts import Hosts

OPTIONS: dict[str, t.Any] = {
    "argument_spec": {
        "run_dir": {"type": "path", "required": True},
        "artifacts": {"type": "list", "elements": "dict", "required": True},
        "host": {"type": "str", "required": True},
        "incoming": {"type": "path", "required": True},
        "transaction": {"type": "str", "required": True},
    }
}


class ActionModule(ControllerAction, ActionBase):
    """Files go through the controller only when the two hosts are not one machine."""

    _requires_connection = True
    options: t.ClassVar[dict[str, t.Any]] = OPTIONS

    def perform(self, call: ActionCall) -> None:
        """Copy what is not there, and say where everything lies."""
        params = call.params
        paths: dict[str, list[str]] = {"deb": [], "rpm": []}
        with Hosts(self, call.variables) as hosts:
            near = hosts.same_machine(hosts.own, params["host"])
            for artifact in params["artifacts"]:
                path = inside(params["run_dir"], artifact["path"])
                if not near and not call.check_mode:
                    path, new = self._copy(hosts, path, artifact, params)
                    call.difference.add(artifact["name"], None if new else path, path)
                paths.setdefault(artifact["type"], []).append(path)
        call.result["paths"] = paths

    def _copy(
        self, hosts: Hosts, path: str, artifact: dict[str, t.Any], params: dict[str, t.Any]
    ) -> tuple[str, bool]:
        sha256 = artifact["sha256"]
        source = hosts.copy(hosts.own, path, sha256, params["host"])
        arguments = {
            "incoming": params["incoming"],
            "transaction": params["transaction"],
            "files": [{"sha256": sha256, "name": artifact["name"], "source": source}],
        }
        taken = hosts.run(params["host"], "distrogate.ci.incoming_files", arguments)
        return str(taken["paths"][sha256]), bool(taken["changed"])
