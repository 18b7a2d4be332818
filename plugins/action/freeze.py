# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Freeze a run: the module does it on the builder; what only the controller knows is added here."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.plugin_utils._code import code_digest
from ansible_collections.distrogate.ci.plugins.plugin_utils._controller import controller_versions
from ansible_collections.distrogate.ci.plugins.plugin_utils._module_action import execute
from ansible_collections.distrogate.ci.plugins.plugin_utils._parameters import collect


class ActionModule(ActionBase):
    """Parameters, versions and code are added to the module's options; those given stay."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module (called by Ansible)."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        stages = self._task.args.get("stages")
        known: dict[str, t.Any] = {
            "parameters": collect(variables, self._loader, stages if isinstance(stages, list) else []),
            "controller": controller_versions(),
            "code": code_digest(),
        }
        options = {**known, **self._task.args}
        result.update(execute(self, "distrogate.ci.freeze", options, variables))
        return result
