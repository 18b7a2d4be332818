#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: freeze
short_description: Freeze what a run works on
version_added: 0.1.0
description:
  - Resolves every branch and change of the queue to commits, and writes C(run.json), before the first stage
    begins.
  - The newest commit of each project is an artifact of the run, of the type V(git_commit), so that a bundle
    has it and a promotion can tag it. A project whose C(url) nobody else could use, such as a relative path,
    has none.
  - A run directory is frozen once. Freezing it again with the same inputs changes nothing, with others it
    is an error.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
options:
  run_dir:
    description: The run directory to make, on this host. The default is a new one below O(runs).
    type: path
  runs:
    description: The folder that holds run directories, used when O(run_dir) is not given.
    type: path
  pipeline:
    description: The pipeline's name.
    type: str
    required: true
  queue:
    description:
      - The changes ahead of this one, oldest first, then this one.
      - Each is a dictionary of C(project), C(branch), C(change_id), C(patch_set), and C(ref) or C(commit).
    type: list
    elements: dict
    required: true
  projects:
    description: >-
      The projects of the profile, by name, each with C(url), and C(packages) with C(deb) and C(rpm).
    type: dict
    required: true
  cache:
    description: The folder in which fetched repositories are kept for the next run.
    type: path
    required: true
  stages:
    description: The stages that the pipeline is going to run.
    type: list
    elements: str
    default: []
  parameters:
    description: The settings of the run, kept for those who read or replay it. No secrets.
    type: dict
    default: {}
  profile:
    description: The profile's name.
    type: str
    default: ''
  rootfs:
    description: The folder of this host's root filesystems; the key of each is kept in C(images).
    type: path
  repositories:
    description: The state digests of the repositories that the run is going to read, by name.
    type: dict
    default: {}
"""

EXAMPLES = r"""
---
- name: Freeze the inputs
  distrogate.ci.freeze:
    run_dir: /srv/distrogate/runs/check-1234
    pipeline: check
    queue:
      - project: hello
        branch: main
        ref: refs/changes/34/1234/2
        change_id: "1234"
        patch_set: "2"
    projects:
      hello:
        url: https://review.example/hello
        packages: {deb: true}
    cache: /srv/distrogate/git
"""

RETURN = r"""
---
run_dir:
  description: The run directory.
  returned: success
  type: str
run:
  description: The contents of C(run.json).
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

import os

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run, now
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import Stage, short, stage_record
from ansible_collections.distrogate.ci.plugins.module_utils._core._version import VERSION
from ansible_collections.distrogate.ci.plugins.module_utils._sources._commits import commit_artifacts
from ansible_collections.distrogate.ci.plugins.module_utils._sources._freeze import (
    images,
    new_path,
    refuse_others,
    resolve,
    tools,
)

KEPT = ("pipeline", "stages", "parameters", "profile", "repositories")


def main() -> None:
    spec = {
        "run_dir": {"type": "path"},
        "runs": {"type": "path"},
        "pipeline": {"type": "str", "required": True},
        "queue": {"type": "list", "elements": "dict", "required": True},
        "projects": {"type": "dict", "required": True},
        "cache": {"type": "path", "required": True},
        "stages": {"type": "list", "elements": "str", "default": []},
        "parameters": {"type": "dict", "default": {}},
        "profile": {"type": "str", "default": ""},
        "rootfs": {"type": "path"},
        "repositories": {"type": "dict", "default": {}},
    }
    with module_call(spec, required_one_of=[("run_dir", "runs")]) as call:
        params = call.params
        run = Run(params["run_dir"] or new_path(params["runs"], params["pipeline"], params["queue"]))
        call.result["run_dir"] = run.path
        frozen = {name: params[name] for name in KEPT}
        if run.exists():  # nothing is fetched, and the first one's record stays
            refuse_others(run.frozen, params["queue"], params["projects"], frozen)
            call.result["run"] = run.frozen
            call.result["stage"] = short(
                run, run.stage("freeze") or {"stage": "freeze", "verdict": "success"}
            )
            return
        call.difference.add("run_dir", None, run.path)
        if call.check_mode:
            call.result["run"] = {"queue": params["queue"], "stages": params["stages"]}
            return
        with stage_record(Stage(run, "freeze"), call.result) as stage:
            resolved = resolve(params["pipeline"], params["queue"], params["projects"], params["cache"])
            fixed = {
                "id": os.path.basename(run.path),
                "created": now(),
                "tools": tools(),
                "collection": VERSION,
                "images": images(params["rootfs"]),
            }
            run.create({**fixed, **frozen, **resolved})
            stage.artifacts = commit_artifacts(resolved["queue"], resolved["projects"])
        call.result["run"] = run.frozen


if __name__ == "__main__":
    main()
