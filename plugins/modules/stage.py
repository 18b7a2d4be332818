#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: stage
short_description: Open and close a stage that is made of several tasks
version_added: 0.1.0
description:
  - A stage that is one module call writes its own file into the run directory. For one that is made of
    several tasks, this module does it, first with O(state=started), then with O(state=success) or
    O(state=failure).
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.run
options:
  stage:
    description: The name under which C(stages/NAME.json) and C(logs/NAME.log) are written.
    type: str
    required: true
  state:
    description:
      - V(started) returns what the run knows so far, and the time.
      - V(success) and V(failure) write the stage's file; V(failure) also fails the task, naming stage and
        log.
    type: str
    choices: [started, success, failure]
    required: true
  started_ns:
    description: What V(started) returned.
    type: int
  inputs:
    description: What the stage read, by name, each with its digest.
    type: dict
    default: {}
  artifacts:
    description: What the stage made.
    type: list
    elements: dict
    default: []
  facts:
    description: What later stages need to know of this one.
    type: dict
    default: {}
  explanation:
    description: Why it failed, for a person.
    type: str
    default: ''
  reason:
    description: Why it failed, for a machine.
    type: str
    default: ''
  log:
    description: Text that is added to the stage's log.
    type: str
    default: ''
"""

EXAMPLES = r"""
---
- name: Begin
  distrogate.ci.stage:
    run_dir: /srv/distrogate/runs/check-1234
    stage: system_test
    state: started
  register: begun

- name: End
  distrogate.ci.stage:
    run_dir: /srv/distrogate/runs/check-1234
    stage: system_test
    state: success
    started_ns: "{{ begun.started_ns }}"
"""

RETURN = r"""
---
run:
  description: The contents of C(run.json).
  returned: with O(state=started)
  type: dict
stages:
  description: What each stage before wrote, by name.
  returned: with O(state=started)
  type: dict
artifacts:
  description: The artifacts of all successful stages.
  returned: with O(state=started)
  type: list
  elements: dict
started_ns:
  description: The time at which the stage began, in nanoseconds since the epoch.
  returned: with O(state=started)
  type: int
stage:
  description: What the stage's file says, in short.
  returned: with O(state=success) and O(state=failure)
  type: dict
  contains:
    name:
      description: The stage.
      type: str
    verdict:
      description: V(success) or V(failure).
      type: str
    seconds:
      description: How long it took.
      type: float
    log:
      description: The path of its log on this host; empty when it has none.
      type: str
"""

import os
import time

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import forget_results
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run, Stage


def main() -> None:
    spec = {
        "run_dir": {"type": "path", "required": True},
        "stage": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["started", "success", "failure"], "required": True},
        "started_ns": {"type": "int"},
        "inputs": {"type": "dict", "default": {}},
        "artifacts": {"type": "list", "elements": "dict", "default": []},
        "facts": {"type": "dict", "default": {}},
        "explanation": {"type": "str", "default": ""},
        "reason": {"type": "str", "default": ""},
        "log": {"type": "str", "default": ""},
    }
    with module_call(spec) as call:
        params = call.params
        run = Run(params["run_dir"])
        if params["state"] == "started":
            call.result.update(
                run=run.frozen, stages=run.stages(), artifacts=run.artifacts(), started_ns=time.time_ns()
            )
            if not call.check_mode:
                forget_results(run.path, params["stage"])
            return
        if call.check_mode:
            return
        stage = Stage(run, params["stage"], params["started_ns"])
        stage.inputs, stage.artifacts, stage.facts = params["inputs"], params["artifacts"], params["facts"]
        if params["log"]:
            with open(stage.log, "a", encoding="utf-8") as log:
                log.write(params["log"].rstrip("\n") + "\n")
        call.difference.add("stage", None, f"{stage.name}: {params['state']}")
        call.result["stage"] = stage.write(params["state"], params["explanation"], params["reason"])
        if params["state"] == "failure":
            where = f"\nThe log is {stage.log}" if os.path.exists(stage.log) else ""
            message = params["explanation"] or "no reason was given."
            raise DistrogateError(
                params["reason"] or "stage_failed", f"Stage {stage.name} failed: {message}{where}"
            )


if __name__ == "__main__":
    main()
