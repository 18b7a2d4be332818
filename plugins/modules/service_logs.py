#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
---
module: service_logs
short_description: Bring the logs of a test machine into the run directory
version_added: 0.1.0
description:
  - Takes what the machine's journal and its log files got since the test began, and test results that the
    test left there, and puts them into C(logs/services/HOST/) and C(results/) of the run directory.
  - The task runs on the builder; O(host) is reached from the controller.
  - The machine is not trusted. Bytes, files and time are bounded, links are not followed, results are parsed
    and written anew.
  - It never fails for the machine's sake, so that the test's own failure stays the one that is seen. What is
    missing is said in RV(problem), and on the screen.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
options:
  run_dir:
    description: The run directory, on the host of the task.
    type: path
  host:
    description: The machine, a host of the inventory or one that M(distrogate.ci.te_machine) added.
    type: str
  stage:
    description: The stage that the results belong to.
    type: str
    default: system_test
  since:
    description: When the test began, in seconds since the epoch. What did not change since then is not taken.
    type: float
    default: 0
  journal:
    description: Whether to take the systemd journal, where there is one.
    type: bool
    default: true
  files:
    description: Patterns of paths of log files; C(*) and C(?) stand for signs of a name, C(**) for any path.
    type: list
    elements: str
    default: ['/var/log/**']
  results:
    description: Patterns of paths of JUnit XML files that the test leaves on the machine.
    type: list
    elements: str
    default: []
  junit:
    description: The RV(distrogate.ci.package_test#module:junit) of the test.
    type: str
    default: ''
  file_bytes:
    description: How many bytes of one file are taken, its last ones; of the journal four times as many.
    type: int
    default: 1048576
  total_bytes:
    description: How many bytes are taken in all.
    type: int
    default: 16777216
  timeout:
    description: How many seconds the machine has.
    type: int
    default: 60
  received:
    description: Between the two halves of this module only. What the machine sent.
    type: str
"""

EXAMPLES = r"""
---
- name: Fetch the logs of a TE's machine
  distrogate.ci.service_logs:
    run_dir: /srv/distrogate/runs/check-1234
    host: te1-controller
    since: "{{ begun.started_ns / 1000000000 }}"
    results: [/var/lib/tempest/*.xml]
"""

RETURN = r"""
---
logs:
  description: The logs, relative to the run directory.
  returned: success
  type: list
  elements: str
results:
  description: The JUnit files, relative to the run directory.
  returned: success
  type: list
  elements: str
left_out:
  description: What was not taken, each with C(path) and C(reason).
  returned: success
  type: list
  elements: dict
problem:
  description: Why there is nothing; empty when all went well.
  returned: success
  type: str
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._runs._options import service_logs_options
from ansible_collections.distrogate.ci.plugins.module_utils._runs._service_logs import collect, place


def main() -> None:
    with module_call(**service_logs_options()) as call:
        if call.check_mode:
            call.result.update(logs=[], results=[], left_out=[], problem="")
        elif call.params["run_dir"]:
            place(call)
        else:
            collect(call)


if __name__ == "__main__":
    main()
