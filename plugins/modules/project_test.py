#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: project_test
short_description: Run a project's own lint and tests on its checkout
version_added: 0.1.0
description:
  - Runs the commands of the changed project in its checkout, in a fresh sandbox without a network, as a user
    who is not root.
  - All commands are run, also after one that failed, so that a reader sees everything at once.
  - A command may leave JUnit XML files in C(/results); they are parsed, and become the results of the stage.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.run
  - distrogate.ci.run.stage
  - distrogate.ci.run.sandbox
options:
  stage:
    description: The name under which C(stages/NAME.json) and C(logs/NAME.log) are written.
    type: str
    default: project_test
  project:
    description: The project. The default is that of the queue's last change.
    type: str
    default: ''
  commands:
    description: The commands, each a list of a program and its arguments. No shell reads them.
    type: list
    elements: list
    default: []
  environment:
    description: Environment variables for them.
    type: dict
    default: {}
  progress_file:
    description:
      - The file in which the module says what it is doing, for the action plugin of the same name, which
        gives it and shows it.
    type: path
"""

EXAMPLES = r"""
---
- name: Lint and unit tests
  distrogate.ci.project_test:
    run_dir: /srv/distrogate/runs/check-1234
    rootfs: /srv/distrogate/rootfs/project-test/0a1b2c3d4e5f6071/rootfs
    commands:
      - [python3, -m, pyflakes, src]
      - [python3, -m, pytest, --junitxml=/results/unit.xml]
"""

RETURN = r"""
---
counts:
  description: How many commands were run, and how many files of results they left.
  returned: success
  type: dict
left_out:
  description: Files of results that were not taken, each with C(path) and C(reason).
  returned: success
  type: list
  elements: dict
stage:
  description: What the stage's file says, in short.
  returned: always
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

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Suite, write_results
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import Progress
from ansible_collections.distrogate.ci.plugins.module_utils._core._reuse import remember, reused
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import (
    STAGE_OPTIONS,
    Stage,
    stage_record,
    terms,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._build import Settings
from ansible_collections.distrogate.ci.plugins.module_utils._packages._project_test import (
    checked_commands,
    run_tests,
    tested_project,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._rootfs_identity import identity_of
from ansible_collections.distrogate.ci.plugins.module_utils._runs._placing import Placing


def perform(
    stage: Stage, params: dict[str, t.Any], project: dict[str, t.Any], say: t.Callable[[str], None]
) -> list[dict[str, str]]:
    """Run the commands, and place what they left, also when some failed."""
    commands = checked_commands(params["commands"], project["name"])
    settings = Settings(
        rootfs=stage.terms.inputs["rootfs"]["path"],
        scratch=params["scratch"] or stage.run.file("scratch", stage.name),
        artifacts="",
        log=stage.log,
        timeout=params["timeout"],
        environment={name: str(value) for name, value in params["environment"].items()},
    )
    stage.inputs = {project["name"]: project["tree"]}
    placing, suite = Placing(stage.run, stage.name, project["name"]), Suite(stage.name)
    try:
        placing.place(run_tests(stage.run, project, commands, settings, suite=suite, say=say))
    except DistrogateError as error:
        placing.place(error.details.pop("taken", []))
        raise
    finally:
        write_results(stage.run.path, stage.name, [suite])
    stage.facts = {"commands": len(commands), "results": len(placing.results)}
    return placing.left_out


def main() -> None:
    spec = {
        "run_dir": {"type": "path", "required": True},
        "stage": {"type": "str", "default": "project_test"},
        "rootfs": {"type": "path", "required": True},
        "scratch": {"type": "path"},
        "timeout": {"type": "int", "default": 3600},
        "project": {"type": "str", "default": ""},
        "commands": {"type": "list", "elements": "list", "default": []},
        "environment": {"type": "dict", "default": {}},
        "progress_file": {"type": "path"},
        **STAGE_OPTIONS,
    }
    with module_call(spec) as call:
        run, params = Run(call.params["run_dir"]), call.params
        call.result.update(counts={}, left_out=[])
        if call.check_mode:
            return
        project, rootfs = tested_project(run, params["project"]), identity_of(params["rootfs"])
        stage = Stage(run, params["stage"], terms(params, workspace=project, rootfs=rootfs))
        record = reused(stage, call.result)
        if record is not None:
            call.result["counts"] = record["facts"]
            return
        with Progress(params["progress_file"]) as progress, stage_record(stage, call.result):
            call.result["left_out"] = perform(stage, params, project, progress.say)
        remember(stage)
        call.result["counts"] = stage.facts


if __name__ == "__main__":
    main()
