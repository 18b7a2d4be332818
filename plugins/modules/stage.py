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
    several tasks, this module does it, first with O(state=started), then with O(state=success). Whoever runs
    the stage (the role C(pipeline)) notes its failure with O(state=failure).
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.run
  - distrogate.ci.run.stage
options:
  stage:
    description: The name under which C(stages/NAME.json) and C(logs/NAME.log) are written.
    type: str
    required: true
  state:
    description:
      - V(started) returns what the run knows so far, and whether an earlier result was taken. The stage
        itself then need not run.
      - V(success) writes the stage's file.
      - V(failure) writes it, unless the stage did so, and fails the task, naming stage and log.
      - V(cancelled) ends the process that works on the stage on this host, and writes its file.
    type: str
    choices: [started, success, failure, cancelled]
    required: true
  reusable:
    description:
      - With O(state=started), whether an earlier result is taken when the inputs are the same. A stage that
        changes something outside of the run directory is not.
    type: bool
    default: false
  settings:
    description: With O(state=started), what decides what the stage does, beside what it reads.
    type: dict
    default: {}
  files:
    description: Files of the run directory without which an earlier result is not taken.
    type: list
    elements: str
    default: []
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
  results:
    description: The JUnit files that it wrote below the run directory.
    type: list
    elements: str
    default: []
  explanation:
    description: Why it failed, for a person.
    type: str
    default: ''
  reason:
    description: Why it failed, for a machine.
    type: str
    default: ''
  cancelled_by:
    description: The stage whose failure cancelled this one, or V(signal).
    type: str
    default: signal
  since_ns:
    description:
      - With O(state=cancelled), when its group began, in nanoseconds since the epoch. A success of later
        stays, for the stage may have ended by itself before anybody asked it to.
    type: int
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
    reads: [publish_test]
    reusable: true
  register: begun

- name: End
  distrogate.ci.stage:
    run_dir: /srv/distrogate/runs/check-1234
    stage: system_test
    state: success
  when: not begun.reused
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
reused:
  description: Whether an earlier result was taken.
  returned: with O(state=started)
  type: bool
started_ns:
  description: When the stage began, in nanoseconds since the epoch.
  returned: with O(state=started)
  type: int
stage:
  description: What the stage's file says, in short.
  returned: always, but for a stage that begins
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
lines:
  description: The lines of the stage's log that matter.
  returned: with O(state=failure)
  type: list
  elements: str
"""

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _under_way
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Call, module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._reuse import reused
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import SUCCESS, Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import (
    STAGE_OPTIONS,
    Stage,
    Terms,
    short,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._matters import lines_that_matter


def started(call: Call, run: Run) -> None:
    params = call.params
    agreed = Terms(
        settings=params["settings"],
        reads=tuple(params["reads"]),
        adds=None if params["adds"] is None else tuple(params["adds"]),
        force=params["force"],
        code=params["code"],
        controller=params["controller"],
    )
    stage = Stage(run, params["stage"], agreed)
    stage.look()
    record = reused(stage, call.result, params["files"]) if params["reusable"] else None
    if record is None and not call.check_mode:
        stage.begin(alone=False)
    call.result.update(
        run=run.frozen,
        stages=run.stages(),
        artifacts=run.artifacts(),
        reused=record is not None,
        started_ns=stage.started_ns,
    )


def ended(call: Call, run: Run) -> None:
    params = call.params
    stage = Stage(run, params["stage"])
    stage.resume()
    for name in ("inputs", "artifacts", "facts", "results"):
        setattr(stage, name, params[name])
    if params["log"]:
        os.makedirs(os.path.dirname(stage.log), exist_ok=True)
        with open(stage.log, "a", encoding="utf-8") as log:
            log.write(params["log"].rstrip("\n") + "\n")
    by = params["cancelled_by"] if params["state"] == "cancelled" else ""
    said = (params["state"], params["explanation"], params["reason"])
    call.result["stage"] = stage.write(*said, cancelled_by=by)


def cancelled(call: Call, run: Run) -> None:
    params = call.params
    _under_way.stop(run, params["stage"])
    record, since = run.stage(params["stage"]), params["since_ns"]
    if record is None or record["verdict"] != SUCCESS or since is None or record["started_ns"] < since:
        ended(call, run)
        return
    _under_way.end(run, params["stage"])
    call.result["stage"] = short(run, record)


def failed(call: Call, run: Run) -> t.NoReturn:
    params = call.params
    record = run.stage(params["stage"])
    known = record is not None and record["verdict"] == "failure"
    if record is not None and known and _under_way.note(run, params["stage"]) is None:
        call.result["stage"] = short(run, record)  # it has said so itself
    elif params["reason"] != "stage_busy" and not _under_way.of_another(
        run, params["stage"], params["controller"]
    ):
        ended(call, run)  # else the stage is another's
    log = run.log(params["stage"])
    begun = f"Stage {params['stage']} failed: "
    said = params["explanation"] or "no reason was given."
    where = f"\nThe log is {log}" if os.path.exists(log) and log not in said else ""
    whole = said if said.startswith(begun) else begun + said
    lines = lines_that_matter(log)
    raise DistrogateError(params["reason"] or "stage_failed", whole + where, lines=lines)


def main() -> None:
    spec = {
        "run_dir": {"type": "path", "required": True},
        "stage": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["started", "success", "failure", "cancelled"], "required": True},
        "reusable": {"type": "bool", "default": False},
        "settings": {"type": "dict", "default": {}},
        "files": {"type": "list", "elements": "str", "default": []},
        "inputs": {"type": "dict", "default": {}},
        "artifacts": {"type": "list", "elements": "dict", "default": []},
        "facts": {"type": "dict", "default": {}},
        "results": {"type": "list", "elements": "str", "default": []},
        "explanation": {"type": "str", "default": ""},
        "reason": {"type": "str", "default": ""},
        "cancelled_by": {"type": "str", "default": "signal"},
        "since_ns": {"type": "int"},
        "log": {"type": "str", "default": ""},
        **STAGE_OPTIONS,
    }
    with module_call(spec) as call:
        run = Run(call.params["run_dir"])
        if call.params["state"] == "started":
            started(call, run)
            return
        if call.check_mode:
            return
        call.difference.add("stage", None, f"{call.params['stage']}: {call.params['state']}")
        act = {"success": ended, "cancelled": cancelled, "failure": failed}
        act[call.params["state"]](call, run)


if __name__ == "__main__":
    main()
