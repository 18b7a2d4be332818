# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every plugin that works on the controller shares: ``module_call`` for action plugins.

An action plugin of this collection is its options and a body::

    from ansible.plugins.action import ActionBase

    class ActionModule(ControllerAction, ActionBase):
        options = {"argument_spec": bundle_argument_spec(), "required_if": [...]}

        def perform(self, call: ActionCall) -> None:
            call.progress("looking")                       # a line on the screen, at once
            call.difference.add("state", "open", "sealed")  # changed and diff
            if not call.check_mode:
                ...
            call.result["digest"] = ...

``options`` are the keyword arguments of ``AnsibleModule``. The module of the
same name holds the documentation, and the same options, so that
``ansible-test sanity`` compares them; its body is ``controller_only(options)``.
``DistrogateError`` becomes a failed result with ``msg`` and ``reason``.

``ControllerAction`` stands before ``ActionBase``. This file lies in
``module_utils``, so it does not import ``ansible.plugins`` itself.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.plugins.module_utils._core._told import tell_stage


class ActionCall:
    """One execution of an action: its parameters, and what it is going to return."""

    def __init__(
        self,
        params: dict[str, t.Any],
        check_mode: bool,
        variables: t.Mapping[str, t.Any],
        progress: t.Callable[[str], None],
    ) -> None:
        self.params = params
        self.check_mode = check_mode
        self.variables = variables
        self.progress = progress
        self.difference = Difference()
        self.result: dict[str, t.Any] = {}


class ControllerAction:
    """A mixin for ``ActionBase``: options in, result out, no connection to any host."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    options: t.ClassVar[dict[str, t.Any]]

    # Set by ActionBase.
    _task: t.Any
    _display: t.Any

    def perform(self, call: ActionCall) -> None:
        """The action's body; overridden by each plugin."""
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Validate the options, perform, and shape the result (called by Ansible)."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)  # type: ignore[misc]
        variables = task_vars or {}
        validation = self._validator().validate(dict(self._task.args))
        if validation.error_messages:
            message = "; ".join(validation.error_messages)
            result.update(failed=True, changed=False, msg=message, reason="bad_options")
            return result
        host = str(variables.get("inventory_hostname", "localhost"))
        call = ActionCall(
            validation.validated_parameters,
            bool(self._task.check_mode),
            variables,
            lambda line: self._display.display(f"[{host}] {self._task.action}: {line}"),
        )
        try:
            self.perform(call)
        except DistrogateError as error:
            result.update({**call.result, **error.as_result(), "failed": True})
        else:
            result.update({"changed": not call.difference.empty, **call.result})
            tell_stage(result)
            if self._task.diff:
                result["diff"] = call.difference.as_result()
        cleaned: dict[str, t.Any] = remove_values(result, validation._no_log_values)
        return cleaned

    @classmethod
    def _validator(cls) -> ArgumentSpecValidator:
        names = (
            "mutually_exclusive",
            "required_together",
            "required_one_of",
            "required_if",
            "required_by",
        )
        return ArgumentSpecValidator(
            cls.options["argument_spec"], **{name: cls.options[name] for name in names if name in cls.options}
        )


def controller_only(options: dict[str, t.Any]) -> None:
    """The body of a module whose work an action plugin of the same name does."""
    module = AnsibleModule(supports_check_mode=True, **options)
    module.fail_json(
        msg=(
            "This module has no work to do on a host: its action plugin does it on the controller."
            " Call it by its full name, distrogate.ci.…, as a task."
        ),
        reason="controller_only",
    )
