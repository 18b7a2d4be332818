#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: workspace
short_description: Check out all projects, merged as the queue would merge them
version_added: 0.1.0
description:
  - Merges the changes of the queue, in their order, onto their branches, and checks the results out below
    C(workspace/) of the run directory.
  - Identity and dates of the merges are fixed, so the same queue gives the same commits.
  - No hook, filter, submodule or configuration of a project is ever executed.
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
    default: workspace
  source:
    description:
      - V(merge) fetches and merges here.
      - V(prepared) uses checkouts that another system (Zuul) has merged already, found at O(prepared), or as
        they were when the run was frozen.
      - The default is V(prepared) if the run was frozen from such checkouts, otherwise V(merge).
    type: str
    choices: [merge, prepared]
  prepared:
    description: >-
      The folder that holds a checkout for each project under its name, with O(source=prepared). It is needed
      unless the run was frozen from checkouts.
    type: path
  cache:
    description: The folder in which fetched repositories are kept, as given to M(distrogate.ci.freeze).
    type: path
    required: true
"""

EXAMPLES = r"""
---
- name: Make the workspace
  distrogate.ci.workspace:
    run_dir: /srv/distrogate/runs/check-1234
    cache: /srv/distrogate/git
"""

RETURN = r"""
---
projects:
  description: >-
    What was checked out, by project. C(count) rises with every merge, and C(tree) is git's digest of the
    files.
  returned: success
  type: dict
commits:
  description: The commit that each project is at, by project.
  returned: success
  type: dict
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

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._reuse import reused
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import (
    STAGE_OPTIONS,
    Stage,
    stage_record,
    terms,
)
from ansible_collections.distrogate.ci.plugins.module_utils._sources._workspace import checked_out, prepare


def main() -> None:
    spec = {
        "run_dir": {"type": "path", "required": True},
        "stage": {"type": "str", "default": "workspace"},
        "source": {"type": "str", "choices": ["merge", "prepared"]},
        "prepared": {"type": "path"},
        "cache": {"type": "path", "required": True},
        **STAGE_OPTIONS,
    }
    with module_call(spec) as call:
        run = Run(call.params["run_dir"])
        frozen = run.frozen
        if call.params["source"] == "prepared" and not (call.params["prepared"] or frozen.get("prepared")):
            raise DistrogateError(
                "bad_options", "The run was not frozen from checkouts. Say where they are (option prepared)."
            )
        before = (run.stage(call.params["stage"]) or {}).get("facts", {}).get("projects", {})
        if call.check_mode:
            call.difference.add("projects", sorted(before), sorted(frozen["projects"]))
            call.result.update(projects=before, commits={})
            return
        stage = Stage(
            run,
            call.params["stage"],
            terms(call.params, queue=frozen["queue"], projects=frozen["projects"]),
        )
        # What another system prepared may have changed since.
        prepared = call.params["source"] == "prepared" or frozen.get("prepared")
        record = None if prepared else reused(stage, call.result)
        if record is not None and checked_out(run.path, record["facts"]["projects"]):
            commits = {name: project["commit"] for name, project in record["facts"]["projects"].items()}
            call.result.update(projects=record["facts"]["projects"], commits=commits)
            return
        with stage_record(stage, call.result):
            projects = prepare(
                frozen,
                run.file("workspace"),
                call.params["cache"],
                stage.log,
                call.params["prepared"] if call.params["source"] == "prepared" else None,
                source=call.params["source"],
            )
            commits = {name: project["commit"] for name, project in projects.items()}
            stage.inputs = {"commits": [change["commit"] for change in frozen["queue"]]}
            stage.facts = {"projects": projects}
        call.difference.add("commits", {name: old["commit"] for name, old in before.items()}, commits)
        call.result.update(projects=projects, commits=commits)


if __name__ == "__main__":
    main()
