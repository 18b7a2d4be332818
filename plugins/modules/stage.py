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
  - distrogate.ci.attributes.action
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

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._runs._stage_states import perform, stage_options


def main() -> None:
    with module_call(**stage_options()) as call:
        perform(call)


if __name__ == "__main__":
    main()
