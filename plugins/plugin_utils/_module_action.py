# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules of ours, run as it costs least: in a child of this process, from their files, or as any other."""

from __future__ import annotations

import typing as t

from ansible.plugins.action.normal import ActionModule as Normal

from ansible_collections.distrogate.ci.plugins.plugin_utils._long_job import GRACE
from ansible_collections.distrogate.ci.plugins.plugin_utils._module_arguments import result_of, sent_arguments
from ansible_collections.distrogate.ci.plugins.plugin_utils._near_module import NearModule, may_be_near
from ansible_collections.distrogate.ci.plugins.plugin_utils._source_module import run_from_source


class ModuleAction(Normal):
    """The action of a module that takes seconds."""

    def _execute_module(self, *arguments: t.Any, **options: t.Any) -> dict[str, t.Any]:
        found = None
        if not arguments and options.keys() == {"task_vars", "wrap_async"} and not options["wrap_async"]:
            found = _near(self, str(self._task.resolved_action), self._task.args, options["task_vars"])
        result: dict[str, t.Any] = super()._execute_module(*arguments, **options) if found is None else found
        return result


def execute(handler: t.Any, module: str, arguments: dict[str, t.Any], variables: t.Any) -> dict[str, t.Any]:
    """As ``_execute_module`` of an action: a module of ours, and its result."""
    result: dict[str, t.Any] | None = _near(handler, module, arguments, variables)
    if result is None:
        result = handler._execute_module(module_name=module, module_args=arguments, task_vars=variables)
    return t.cast("dict[str, t.Any]", result)


def _near(
    handler: t.Any, module: str, arguments: dict[str, t.Any], variables: t.Any
) -> dict[str, t.Any] | None:
    if not may_be_near(handler, module):
        output = run_from_source(handler, module, arguments, variables)
        return None if output is None else result_of(handler, output)
    running = NearModule(module, sent_arguments(handler, module, arguments, variables), session=False)
    try:
        running.wait()
        return result_of(handler, running.output())
    finally:
        running.end(GRACE)  # of a task that has no time left
        running.close()
