# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules that are stages learn from the controller: which code runs, and for whom."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _process
from ansible_collections.distrogate.ci.plugins.plugin_utils._code import code_digest, folder_digest
from ansible_collections.distrogate.ci.plugins.plugin_utils._long_action import LongAction
from ansible_collections.distrogate.ci.plugins.plugin_utils._module_action import ModuleAction

_OURS = "distrogate.ci"


def code_of(role: t.Any) -> str:
    """The digest of this collection, and of the role (``Task._role``) where that is a site's own."""
    if role is None or role.get_name().startswith(f"{_OURS}.") or role._role_collection == _OURS:
        return code_digest()
    return f"{code_digest()} {folder_digest(role._role_path)}"


def controller() -> dict[str, t.Any]:
    """The process that runs the playbook; called in a task's process, which is its child."""
    return _process.identity(os.getppid())


class Told:
    """A mixin for action plugins: ``code`` and ``controller``, unless the task says them."""

    _task: t.Any

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module with what only the controller knows (called by Ansible)."""
        self._task.args.setdefault("code", code_of(self._task._role))
        self._task.args.setdefault("controller", controller())
        result: dict[str, t.Any] = super().run(tmp, task_vars)  # type: ignore[misc]
        result.get("invocation", {}).get("module_args", {}).pop("controller", None)
        return result


class StageAction(Told, ModuleAction):
    """For a stage that takes seconds."""


class LongStageAction(Told, LongAction):
    """For one that takes minutes: it shows its progress, and its module ends when somebody cancels it."""

    @property
    def _limit(self) -> int:
        """The option is for one command, of several."""
        return 12 * super()._limit

    def _is_plain(self) -> bool:
        """On a TE, where there is no run directory, the end of the lease ends it."""
        return not self._task.args.get("run_dir") or super()._is_plain()
