# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run hands on: described on the builder, and written where Zuul reads it, on its executor."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import (
    DistrogateError,
    from_os_error,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import write_json
from ansible_collections.distrogate.ci.plugins.module_utils._sources._handed_on import (
    merged,
    read_results,
    results_file,
)


class ActionModule(ActionBase):
    """Calls the module of the same name, and does what zuul_return does with its data."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Called by Ansible."""
        variables = task_vars or {}
        result: dict[str, t.Any] = super().run(tmp, variables)
        result.update(self._execute_module(task_vars=variables))
        zuul = variables.get("zuul")
        executor = zuul.get("executor") if isinstance(zuul, dict) else None  # Zuul's own, not a change's
        path = results_file({"executor": t.cast(t.Any, self._templar).template(executor)})
        if result.get("failed") or not result.get("data") or not path:
            return result
        try:
            self._write(path, result)
        except OSError as error:
            result.update(failed=True, **from_os_error(error, path).as_result())
        except DistrogateError as error:
            result.update(failed=True, **error.as_result())
        return result

    def _write(self, path: str, result: dict[str, t.Any]) -> None:
        contents = read_results(path)
        before = merged(contents, {}, path)
        after = merged(contents, result["data"], path)
        result["written"] = path
        if before == after:
            return
        result["changed"] = True
        if self._task.diff:
            diff = result.get("diff") or {}
            result["diff"] = {
                "before": {**diff.get("before", {}), "results": before["data"]},
                "after": {**diff.get("after", {}), "results": after["data"]},
            }
        if not self._task.check_mode:
            write_json(path, after, mode=0o600)
