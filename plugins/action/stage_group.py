# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run stages side by side, each as a playbook of its own."""

from __future__ import annotations

import os
import time
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import short
from ansible_collections.distrogate.ci.plugins.plugin_utils._child_call import ChildCall
from ansible_collections.distrogate.ci.plugins.plugin_utils._group_checks import refusal
from ansible_collections.distrogate.ci.plugins.plugin_utils._held_signals import HeldSignals
from ansible_collections.distrogate.ci.plugins.plugin_utils._side_by_side import Child, Outcome, run_all

_PLAYBOOK = "distrogate.ci.stage"


class ActionModule(ActionBase):
    """The action behind the module stage_group."""

    _supports_check_mode = True
    _requires_connection = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the group and say what became of each stage (called by Ansible)."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        _validated, options = self.validate_argument_spec(
            {
                "run_dir": {"type": "path", "required": True},
                "stages": {"type": "list", "elements": "str", "required": True},
                "variables": {"type": "dict", "default": {}},
                "variables_file": {"type": "path"},
            }
        )
        stages = options["stages"]
        why = refusal(stages)
        if why:
            return {**result, "failed": True, "changed": False, "msg": why, "reason": "bad_group"}
        if self._task.check_mode:
            return {**result, "changed": True, "stages": []}
        began = time.time_ns()
        with HeldSignals() as signals:
            outcome = self._run(stages, options, variables, signals)
            records = self._records(options["run_dir"], outcome, variables, began)
        return {**result, **_shaped(stages, options["run_dir"], outcome, records)}

    def _run(
        self, stages: list[str], options: dict[str, t.Any], variables: dict[str, t.Any], signals: HeldSignals
    ) -> Outcome:
        call = ChildCall(self, variables)
        children: list[Child] = []
        try:
            for stage in stages:
                more = {"run_dir": options["run_dir"], "stage": stage}
                more["builder"] = str(variables["inventory_hostname"])
                more["run_store"] = ""  # the run directory lies here, and others work in it
                more = {**options["variables"], **more}
                argv = call.arguments(_PLAYBOOK, more, options["variables_file"])
                children.append(Child(stage, argv, call.environment(), self._line))
            return run_all(children, signals.wait, call.close)
        finally:
            for child in children:
                if child.process.poll() is None:  # an error of ours
                    child.cancel()
                    child.ended()
            call.close()

    def _line(self, stage: str, text: str) -> None:
        # A line of JSON names its stage itself.
        self._display.display(text if os.environ.get("DISTROGATE_OUTPUT") == "json" else f"[{stage}] {text}")

    def _records(
        self, run_dir: str, outcome: Outcome, variables: dict[str, t.Any], began: int
    ) -> dict[str, t.Any]:
        """The records of all stages, those of the cancelled ones written first."""
        for stage, cause in outcome.cancelled.items():
            by = cause.rpartition(".")[2]
            arguments = {"run_dir": run_dir, "stage": stage.rpartition(".")[2], "state": "cancelled"}
            said = {"cancelled_by": by, "explanation": _why(by), "since_ns": began}
            self._module("stage", {**arguments, **said}, variables)
        found: dict[str, t.Any] = self._module("run_info", {"run_dir": run_dir}, variables)["stages"]
        return found

    def _module(
        self, name: str, arguments: dict[str, t.Any], variables: dict[str, t.Any]
    ) -> dict[str, t.Any]:
        done: dict[str, t.Any] = self._execute_module(
            module_name=f"distrogate.ci.{name}", module_args=arguments, task_vars=variables
        )
        if done.get("failed"):
            raise AnsibleError(str(done.get("msg", f"{name} failed")))
        return done


def _why(by: str) -> str:
    return "The pipeline was interrupted." if by == "signal" else f"Stage {by} failed, so this was ended."


def _shaped(stages: list[str], run_dir: str, outcome: Outcome, records: dict[str, t.Any]) -> dict[str, t.Any]:
    run = Run(run_dir)
    names = [stage.rpartition(".")[2] for stage in stages]
    found = [short(run, records[name]) for name in names if name in records]
    sentences = [stage["msg"] for stage in found]
    result: dict[str, t.Any] = {"changed": True, "stages": found, "msg": "; ".join(sentences)}
    if outcome.failed or outcome.cancelled:
        first = outcome.failed[0].rpartition(".")[2] if outcome.failed else ""
        record = records.get(first, {})
        why = record.get("message") or f"stage {first} ended without a result; its lines stand above."
        said = f"Stage {first} failed: {why}" if first else "The pipeline was interrupted."
        others = [f"{stage['msg']}." for stage in found if stage["name"] != first]
        result.update(failed=True, reason=record.get("reason") or "stage_failed")
        result["msg"] = "\n".join([said, *others])
    return result
