# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person reads while a pipeline runs: lines for each stage, what failed and why, and a table."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: pipeline
type: stdout
short_description: A line as each stage begins and ends, what failed and why, and a table at the end
version_added: 0.1.0
description:
  - Prints one line when a stage begins, with what it took lately, and one when it ends, with its verdict and
    its seconds; between them, the progress of what takes long, such as the position in the queue for a TE.
  - When something fails, prints the lines of its log that matter, the path of the log, and the commands that
    run the stage again and go on with the run.
  - Prints plain lines, without colours where there is no terminal, and never moves the cursor. Control codes
    in what others say are shown, not obeyed.
  - With O(format=json), each line of the standard output is one JSON object, whose keys
    C(docs/schemas/event.schema.json) describes. Warnings of Ansible itself go to the standard error.
  - Names tasks with C(-v) and shows their results with C(-vv). With these, Ansible itself prints a line
    before it starts any callback; set C(ANSIBLE_VERBOSE_TO_STDERR) where the standard output must be JSON
    only.
options:
  format:
    description: What is printed for each event.
    type: str
    choices:
      text: Lines for a person.
      json: One JSON object a line.
    default: text
    env:
      - name: DISTROGATE_OUTPUT
    ini:
      - section: callback_pipeline
        key: format
  timestamps:
    description: Whether lines of text begin with the time of day, in UTC.
    type: bool
    default: false
    env:
      - name: DISTROGATE_OUTPUT_TIMESTAMPS
    ini:
      - section: callback_pipeline
        key: timestamps
  nested:
    description:
      - Whether another pipeline shows these lines among its own. Then there are no headings, no elapsed time
        and no table.
    type: bool
    default: false
    env:
      - name: DISTROGATE_OUTPUT_NESTED
requirements:
  - Set C(stdout_callback = distrogate.ci.pipeline) in C(ansible.cfg), or C(ANSIBLE_STDOUT_CALLBACK).
author:
  - distrogate.ci maintainers (@distrogate)
"""

import json
import time
import typing as t

from ansible import context
from ansible.plugins.callback import CallbackBase

from ansible_collections.distrogate.ci.plugins.module_utils._runs._plain import escaped, plain_line
from ansible_collections.distrogate.ci.plugins.plugin_utils._screen_commands import commands
from ansible_collections.distrogate.ci.plugins.plugin_utils._screen_output import BEGUN, Output
from ansible_collections.distrogate.ci.plugins.plugin_utils._screen_story import Story


class CallbackModule(CallbackBase):
    """Tells a story of stages to an output; says nothing of other tasks, unless they fail."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "distrogate.ci.pipeline"

    def __init__(self, *arguments: t.Any, **options: t.Any) -> None:
        super().__init__(*arguments, **options)
        self._began = time.monotonic()
        self._story = Story()
        self._output: Output | None = None
        self._playbook = ""
        self._task = ""

    def set_options(self, task_keys: t.Any = None, var_options: t.Any = None, direct: t.Any = None) -> None:
        """Take the options (called by Ansible), and the display."""
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)  # type: ignore[no-untyped-call]
        output = self._out
        output.form = self.get_option("format")
        output.timestamps, output.nested = self.get_option("timestamps"), self.get_option("nested")
        # ansible-runner makes a callback of its own of this class, and has to see what is displayed.
        if self.CALLBACK_NAME == CallbackModule.CALLBACK_NAME:
            output.intercept()

    @property
    def _out(self) -> Output:
        if self._output is None:
            self._output = Output(self._display, self._story, self._elapsed)
            self._output.again = self._commands
        return self._output

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _commands(self, run_dir: str, stage: str) -> tuple[str, str]:
        return commands(context.CLIARGS, self._playbook, run_dir, stage)

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        """Know what is run, as it was called."""
        called: list[t.Any] = list(context.CLIARGS.get("args") or ())
        self._playbook = str(called[0]) if len(called) == 1 else str(getattr(playbook, "_file_name", ""))
        if self._out.nested:
            self._out.plain(BEGUN)

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        """Name the play."""
        if play.get_name().strip():
            self._out.tell({"event": "play_begins", "play": play.get_name().strip()})

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        """Count tasks; with -v name them."""
        self._story.tasks += 1
        self._task = task.get_name().strip()
        if self._display.verbosity:
            self._out.tell({"event": "task", "stage": self._story.stage, "task": self._task})

    def v2_playbook_on_handler_task_start(self, task: t.Any) -> None:
        """Handlers are tasks, too."""
        self.v2_playbook_on_task_start(task, False)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """A stage's end, or the message of a task that is there to say something."""
        name, host, values = _parts(result)
        for event in self._story.result(values, str(_task_of(result).action), name, host):
            self._out.tell(event)
        self._whole(values)

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        """One round of a loop."""
        self.v2_runner_on_ok(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """What failed, where, and why."""
        name, host, values = _parts(result)
        for event in self._story.failure(values, name, host, ignore_errors):
            self._out.tell(event)
        self._whole(values)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """A host that did not answer."""
        name, host, values = _parts(result)
        self._out.tell(self._story.unreachable(str(values.get("msg", "")), name, host))

    def v2_playbook_on_no_hosts_matched(self) -> None:
        """A play that nobody takes part in."""
        self._out.tell({"event": "message", "stage": "", "message": "no host is in this play"})

    def v2_on_file_diff(self, result: t.Any) -> None:
        """With --diff, what a task changed, or would change."""
        name, host, values = _parts(result)
        rounds = values.get("results") if "results" in values else [values]
        for one in rounds or ():
            if isinstance(one, dict) and one.get("diff") and one.get("changed"):
                text = self._get_diff(_shown(one["diff"])).rstrip("\n")
                self._diff(text, name, host)

    def _diff(self, text: str, task: str, host: str) -> None:
        if self._out.form == "json":
            plain = "\n".join(plain_line(line, 4000) for line in text.split("\n"))
            event = {"event": "diff", "stage": self._story.stage, "task": task, "host": host}
            self._out.tell({**event, "message": plain})
        else:
            self._out.plain(text)  # coloured by Ansible, of parts that were made safe

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """What it took, and where to look."""
        for event in self._story.waiting():
            self._out.tell(event)
        self._out.tell(self._story.end())

    def _whole(self, values: dict[str, t.Any]) -> None:
        if self._display.verbosity > 1:
            result = self._dump_results(values)
            event = {"event": "result", "stage": self._story.stage, "task": self._task}
            self._out.tell({**event, "result": json.loads(result), "message": result})


def _task_of(result: t.Any) -> t.Any:
    """Older releases of ansible-core know only names that begin with an underscore."""
    return result.task if hasattr(result, "task") else result._task


def _parts(result: t.Any) -> tuple[str, str, dict[str, t.Any]]:
    values = result.result if hasattr(result, "result") else result._result
    host = result.host if hasattr(result, "host") else result._host
    return _task_of(result).get_name().strip(), host.get_name(), values


def _shown(value: t.Any) -> t.Any:
    """The texts of a difference, with codes for a terminal made visible."""
    if isinstance(value, str):
        return "\n".join(escaped(line.replace("\t", "    ")) for line in value.split("\n"))
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else value
