# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module shares: one way in, one way out, one tracker for changed and diff."""

from __future__ import annotations

import contextlib
import gc
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import (
    DistrogateError,
    from_os_error,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._told import tell_stage


class Difference:
    """Collects before and after; yields both ``changed`` and ``diff``."""

    def __init__(self) -> None:
        self.before: dict[str, t.Any] = {}
        self.after: dict[str, t.Any] = {}

    def add(self, name: str, before: t.Any, after: t.Any) -> None:
        """Record one attribute; equal values do not count as a change."""
        if before != after:
            self.before[name] = before
            self.after[name] = after

    @property
    def empty(self) -> bool:
        return not self.before and not self.after

    def as_result(self) -> dict[str, t.Any]:
        return {"before": self.before, "after": self.after}


class Call:
    """One execution of a module: its parameters, and what it is going to return."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params: dict[str, t.Any] = module.params
        self.check_mode: bool = module.check_mode
        self.difference = Difference()
        self.result: dict[str, t.Any] = {}

    def exit_arguments(self) -> dict[str, t.Any]:
        result = {"changed": not self.difference.empty, **self.result}
        tell_stage(result)
        if self.module._diff:
            result["diff"] = self.difference.as_result()
        return result


@contextlib.contextmanager
def module_call(argument_spec: dict[str, t.Any], **kwargs: t.Any) -> t.Iterator[Call]:
    """Run a module's body: ``fail_json`` for our errors, ``exit_json`` for its result.

    Every module supports check mode. ``kwargs`` go to ``AnsibleModule``
    (``required_if`` and its kin).
    """
    gc.freeze()  # what was imported stays: no collection need look at it again
    module = AnsibleModule(argument_spec=argument_spec, supports_check_mode=True, **kwargs)
    call = Call(module)
    try:
        try:
            yield call
        except DistrogateError as error:
            module.fail_json(**{**call.result, **error.as_result()})
        except OSError as error:
            module.fail_json(**{**call.result, **from_os_error(error).as_result()})
        module.exit_json(**call.exit_arguments())
    finally:
        gc.freeze()  # Python's last collections, as it ends, took a quarter of a short module's time
