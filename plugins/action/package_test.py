# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test packages, with a line on the screen now and then."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.distrogate.ci.plugins.plugin_utils._stage_action import LongStageAction


class ActionModule(LongStageAction):
    """The module does the work; this tells it what only the controller knows."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module (called by Ansible).

        When another machine than the host itself does not answer, the test failed: were it unreachable,
        Ansible would drop the host, and no stage's file, no hold and no report would follow.
        """
        try:
            return super().run(tmp, task_vars)
        except AnsibleConnectionFailure as error:
            machine = self._task.delegate_to
            if not machine:
                raise
            message = f"{machine} does not answer any more: {error}"
            return {"failed": True, "changed": False, "msg": message, "reason": "unreachable"}
