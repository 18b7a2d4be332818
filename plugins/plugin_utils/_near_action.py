# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Short modules, in this very process where that comes to the same.

Starting a module costs a quarter of a second, whatever it does. On the controller itself, by the connection
``local`` and as the same user, the action of the same name does the module's work instead; anywhere else, the
module does it::

    class ActionModule(NearAction):
        options = run_info_options()
        body = staticmethod(read)
"""

from __future__ import annotations

import datetime
import json
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall, ControllerAction
from ansible_collections.distrogate.ci.plugins.module_utils._core._call import AnyCall
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import from_os_error


def is_near(handler: t.Any) -> bool:
    """Whether a module that this action would start would be a child of this process, as the same user."""
    connection, task = handler._connection, handler._task
    return bool(connection.transport == "local" and connection.become is None and not any(task.environment))


def as_sent(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Arguments as a module gets them, which is by way of JSON: a date from YAML is a text there."""
    sent: dict[str, t.Any] = json.loads(json.dumps(dict(arguments), default=_text))
    return sent


def _text(value: t.Any) -> str:
    return str(value.isoformat()) if isinstance(value, (datetime.date, datetime.time)) else str(value)


class NearAction(ControllerAction, ActionBase):
    """One of our modules that needs nothing but Python; ``body`` is what it does with its call."""

    _requires_connection = True
    _supports_async = True

    body: t.Callable[[AnyCall], None]

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Do the work here, or have it done there (called by Ansible)."""
        if is_near(self) and not self._task.async_val:
            self._task.args = as_sent(self._task.args)
            return super().run(tmp, task_vars)
        normal = self._shared_loader_obj.action_loader.get(
            "ansible.legacy.normal",
            task=self._task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        result: dict[str, t.Any] = normal.run(tmp, task_vars)
        return result

    def perform(self, call: ActionCall) -> None:
        """The module's body, with a module's words for what the system refuses."""
        try:
            self.body(call)
        except OSError as error:
            raise from_os_error(error) from error
