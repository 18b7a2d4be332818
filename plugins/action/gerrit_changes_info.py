# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks Gerrit, from the controller, for the open changes of a branch."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall, ControllerAction
from ansible_collections.distrogate.ci.plugins.module_utils._sources._gerrit_rest import open_changes
from ansible_collections.distrogate.ci.plugins.module_utils._sources._retest import changes_options
from ansible_collections.distrogate.ci.plugins.module_utils._sources._retest_triggers import server_of


class ActionModule(ControllerAction, ActionBase):
    """The action behind the module gerrit_changes_info."""

    options: t.ClassVar[dict[str, t.Any]] = changes_options()

    def perform(self, call: ActionCall) -> None:
        """Ask; nothing is changed anywhere."""
        params = call.params
        server = server_of(params, params["timeout"])
        prefix = "/a" if params["user"] else ""
        changes, refused = open_changes(
            server, prefix, params["project"], params["branch"], query=params["query"]
        )
        call.result.update(changes=changes, refused=refused)
