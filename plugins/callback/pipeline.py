# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person reads while a pipeline runs: a line a stage, and what it took at the end."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: pipeline
type: stdout
short_description: A line a stage, and a sum at the end
version_added: 0.1.0
description:
  - Prints one line for each stage with its seconds, what failed with the end of its message and its log,
    and what it took at the end.
  - Set C(stdout_callback=distrogate.ci.pipeline) in C(ansible.cfg) to use it. It prints plain lines, so it
    suits a log file.
author:
  - distrogate.ci maintainers (@distrogate)
"""

import time
import typing as t

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Shows results that carry ``stage``, and every failure; says nothing of other tasks."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "distrogate.ci.pipeline"

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()
        self._stages: list[dict[str, t.Any]] = []
        self._message = ""
        self._tasks = 0

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        """Name the play."""
        if play.get_name().strip():
            self._display.display(f"== {play.get_name().strip()}")

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        """Count tasks; with -v name them."""
        self._tasks += 1
        if self._display.verbosity:
            self._display.display(f"   {task.get_name().strip()}")

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """A stage's line, or the message of a task that is there to say something."""
        self._show(result)
        if self._display.verbosity > 1:
            self._display.display(self._dump_results(result._result))

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """What failed, where, and why."""
        self._show(result)
        values = result._result
        name = result._task.get_name().strip()
        message = _message(values)
        reason = f" [{values['reason']}]" if values.get("reason") else ""
        self._display.display(
            f"FAILED on {result._host.get_name()}: {name}{reason}", color="red", stderr=False
        )
        # The end of a stage says again what its task said.
        shown = message.replace(self._message, "as said above.") if self._message else message
        self._message = message
        for line in shown.splitlines()[-25:]:
            self._display.display(f"    {line}")

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """A host that did not answer."""
        message = result._result.get("msg", "")
        self._display.display(f"UNREACHABLE {result._host.get_name()}: {message}", color="red")

    def v2_on_file_diff(self, result: t.Any) -> None:
        """With --diff, what a task changed, or would change."""
        diff = result._result.get("diff")
        if diff and result._result.get("changed"):
            self._display.display(self._get_diff(diff).rstrip("\n"))

    def _show(self, result: t.Any) -> None:
        values = result._result
        stage = values.get("stage")
        if isinstance(stage, dict) and {"name", "verdict", "seconds", "run_dir"} <= set(stage):
            self._stages.append(stage)
            self._display.display(_line(stage), color="green" if stage["verdict"] == "success" else "red")
        elif result._task.action in ("debug", "ansible.builtin.debug") and "msg" in values:
            for line in str(values["msg"]).splitlines():
                self._display.display(line)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """What it took, and where to look."""
        if not self._stages:
            return
        spent = sum(stage["seconds"] for stage in self._stages)
        whole = time.monotonic() - self._began
        run_dir = self._stages[-1]["run_dir"]
        self._display.display(
            f"{len(self._stages)} stages, {self._tasks} tasks, {spent:.1f} s in stages, {whole:.1f} s in all"
        )
        self._display.display(f"run directory: {run_dir}")
        self._display.display(f"logs:          {run_dir}/logs")


def _message(values: dict[str, t.Any]) -> str:
    """Why a task failed; of a loop, why its items did."""
    items = [item for item in values.get("results") or [] if isinstance(item, dict) and item.get("failed")]
    if items:
        return "\n".join(_message(item) for item in items)
    for key in ("msg", "censored", "exception"):
        if values.get(key):
            return str(values[key])
    return "no message"


def _line(stage: dict[str, t.Any]) -> str:
    log = f"  {stage['log']}" if stage.get("log") and stage["verdict"] != "success" else ""
    return f"{stage['verdict']:8} {stage['name']:16} {stage['seconds']:7.1f} s{log}"
