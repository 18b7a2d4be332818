# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a run's report, without the secrets that the controller knows."""

from __future__ import annotations

import os
import typing as t

from ansible.plugins.action import ActionBase
from ansible.template import Templar

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall, ControllerAction
from ansible_collections.distrogate.ci.plugins.module_utils._runs._options import run_report_options
from ansible_collections.distrogate.ci.plugins.plugin_utils._known_secrets import SecretValues
from ansible_collections.distrogate.ci.plugins.plugin_utils._module_action import execute


class ActionModule(ControllerAction, ActionBase):
    """Hands what must not be shown to the module on the builder, as a value that is not logged."""

    _requires_connection = True
    options: t.ClassVar[dict[str, t.Any]] = run_report_options()

    _loader: t.Any
    _templar: t.Any

    def perform(self, call: ActionCall) -> None:
        """Run the module with all secrets."""
        found = SecretValues()
        found.environment(os.environ)
        found.variables(call.variables, self._templar.template)
        found.hosts(call.variables, self._template_of)
        secrets = sorted({*found.values, *(call.params["secrets"] or [])})
        given = {**call.params, "secrets": secrets}
        call.result.update(execute(self, "distrogate.ci.run_report", given, call.variables))

    def _template_of(self, variables: t.Any) -> t.Callable[[t.Any], t.Any]:
        template: t.Callable[[t.Any], t.Any] = Templar(loader=self._loader, variables=variables).template
        return template
