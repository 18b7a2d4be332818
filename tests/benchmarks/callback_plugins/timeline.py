# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For the benchmark: when each task began and ended, of which role, and the CPU time used up to then."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: timeline
type: aggregate
short_description: Write down when each task began and ended
version_added: 0.1.0
description:
  - Appends a line of JSON to the file that the environment variable C(DISTROGATE_TIMELINE) names, for each
    beginning and end of a task.
author:
  - distrogate.ci maintainers (@distrogate)
"""

import json
import os
import typing as t

from ansible.plugins.callback import CallbackBase

from ansible_collections.distrogate.ci.tests.benchmarks import costs


class CallbackModule(CallbackBase):
    """Clock and CPU are read before anything else is done with an event."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "timeline"

    def __init__(self) -> None:
        super().__init__()
        self._path = os.environ.get("DISTROGATE_TIMELINE")
        self.disabled = self._path is None

    def _note(self, event: str, task: t.Any) -> None:
        role = task._role.get_name().rpartition(".")[2] if task._role else ""
        line = {
            "event": event,
            "at": os.times().elapsed,
            "cpu": costs.used(),
            "role": role,
            "task": task.get_name(),
        }
        with open(self._path or os.devnull, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        """A task begins."""
        self._note("start", task)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """It ended well."""
        self._note("ok", result._task)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        """It had nothing to do."""
        self._note("skipped", result._task)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """It failed."""
        self._note("failed", result._task)
