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
  - A run directory is frozen once. Freezing it again with the same inputs changes nothing, with another
    queue, project or pipeline it is an error. Parameters, tools, images, stages or code that are not what
    they were then are returned as RV(drift).
  - The action plugin of the same name adds what only the controller knows, namely O(parameters),
    O(controller) and O(code). Run as a plain module it keeps what it is given.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
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
      - It may be left out for a run directory that is frozen already.
    type: list
    elements: dict
    default: []
  checkouts:
    description:
      - Checkouts of projects that another system (Zuul) has merged already, as paths below O(prepared), by
        the
        project's name. What is checked out there is what the run works on, and the review system is not
        asked.
    type: dict
    default: {}
  prepared:
    description: The folder on this host that O(checkouts) are relative to.
    type: path
    default: "~"
  ahead:
    description:
      - The test repositories of the changes ahead, each as C(KEY) or C(KEY/RUN).
      - The default is where runs of this pipeline on exactly the queue of each change ahead publish to.
    type: list
    elements: str
  more_projects:
    description:
      - Projects that the workspace has whether the queue changes them or not, such as those that an image is
        made of. They are as their branch is that has the name of the last change's branch.
    type: list
    elements: str
    default: []
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
    description: The stages that the pipeline is going to run, in order. A list in it is a group.
    type: list
    elements: raw
    default: []
  parameters:
    description:
      - The settings of the run, kept for those who read or replay it. No secrets.
      - >-
        By default the action plugin collects every variable C(distrogate_*) and every setting of the stages,
        as they are on the controller. In the place of a secret it keeps a note.
    type: dict
    default: {}
  controller:
    description: Versions of what runs on the controller; the action plugin fills it in.
    type: dict
    default: {}
  code:
    description: The digest of the collection's code; the action plugin fills it in.
    type: str
    default: ''
  base_commits:
    description: >-
      For a run that is done again, the commit that each project's branch had then. The branch is not looked
      at; each change needs its C(commit), too. Commits are fetched by their ids.
    type: dict
    default: {}
  fetch_from:
    description: >-
      Where this site fetches a project from, by project, when that is not the C(url) under which the run
      knows it.
    type: dict
    default: {}
  replay_of:
    description: The name of the run that is done again.
    type: str
    default: ''
  state:
    description:
      - V(resolved) says what the queue is now, and writes no run directory.
      - V(frozen) writes it.
    type: str
    choices: [frozen, resolved]
    default: frozen
  profile:
    description: The profile's name.
    type: str
    default: ''
  rootfs:
    description: The folder of this host's root filesystems; the key of each is kept in C(images).
    type: path
  repositories:
    description: >-
      The states of the repositories that the run is going to read, by name, as
      M(distrogate.ci.repository_info) returns them.
    type: dict
    default: {}
  repositories_root:
    description:
      - The folder of test and release repositories, when it is on this host. Then their states are looked up
        there, and O(repositories) need not be given.
    type: path
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
  returned: with O(state=frozen)
  type: str
run:
  description: >-
    The contents of C(run.json). With O(state=resolved) only C(queue), C(queue_key), C(ahead) and C(projects).
  returned: success
  type: dict
drift:
  description: What is not as it was when the run was frozen. Empty for a new run.
  returned: with O(state=frozen)
  type: list
  elements: dict
  contains:
    input:
      description: The section of C(run.json), and the name in it.
      type: str
    frozen:
      description: What it was.
      type: raw
    here:
      description: What it is.
      type: raw
    kind:
      description: V(gone) or V(differs).
      type: str
    hint:
      description: What to do.
      type: str
expected_seconds:
  description: >-
    The median of what each stage took when it last succeeded, from the newest 20 runs of the same pipeline,
    those of the same project.
  returned: with O(state=frozen)
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
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Call, module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import SUCCESS, Run, now
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import Stage, short, stage_record
from ansible_collections.distrogate.ci.plugins.module_utils._core._version import VERSION
from ansible_collections.distrogate.ci.plugins.module_utils._packages._look import of_site, present_states
from ansible_collections.distrogate.ci.plugins.module_utils._runs._drift import compare, said
from ansible_collections.distrogate.ci.plugins.module_utils._runs._expected import expected_seconds
from ansible_collections.distrogate.ci.plugins.module_utils._runs._freeze_options import FREEZE_OPTIONS
from ansible_collections.distrogate.ci.plugins.module_utils._sources._commits import commit_artifacts
from ansible_collections.distrogate.ci.plugins.module_utils._sources._freeze import images, new_path, tools
from ansible_collections.distrogate.ci.plugins.module_utils._sources._prepared import checkout_path
from ansible_collections.distrogate.ci.plugins.module_utils._sources._resolve import (
    Sources,
    bring_all,
    resolve,
)
from ansible_collections.distrogate.ci.plugins.module_utils._sources._resumed import refuse_others

KEPT = ("pipeline", "stages", "parameters", "profile", "repositories", "controller", "code")
ADDED = {"fetch_from": "fetched_from", "replay_of": "replay_of"}
DRIFTING = ("code", "collection", "controller", "images", "parameters", "stages", "tools")


def here(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """What this machine adds to the inputs that are given."""
    return {
        **{name: params[name] for name in KEPT if params[name] != "" or name in ("pipeline", "profile")},
        **{name: params[option] for option, name in ADDED.items() if params[option]},
        "tools": tools(),
        "collection": VERSION,
        "images": images(params["rootfs"]),
    }


def resume(call: Call, run: Run) -> None:
    """The first one's record stays, or is made good; say what is not as it was."""
    params, frozen = call.params, run.frozen
    settings = {name: params[name] for name in ("pipeline", "profile")}
    refuse_others(frozen, params["queue"], params["projects"], settings)
    if not call.check_mode:
        bring_all(frozen, params["cache"], {**(frozen.get("fetched_from") or {}), **params["fetch_from"]})
        record(call, run)
    given = {name: value for name, value in here(params).items() if value}
    call.result["run"] = frozen
    call.result["drift"] = compare(frozen, given, DRIFTING)
    call.result["stage"] = short(run, run.stage("freeze") or {"stage": "freeze", "verdict": "success"})
    if call.result["drift"]:
        call.result["msg"] = f"{frozen.get('id')} goes on. {said(call.result['drift'])}"


def record(call: Call, run: Run) -> None:
    """What was killed between run.json and its record would lack its artifacts, and so would the bundle."""
    if (run.stage("freeze") or {}).get("verdict") != SUCCESS:
        with stage_record(Stage(run, "freeze"), call.result) as stage:
            stage.artifacts = commit_artifacts(run.frozen["queue"], run.frozen["projects"])


def begin(call: Call, run: Run) -> None:
    """Resolve everything, and write it down."""
    params = call.params
    call.difference.add("run_dir", None, run.path)
    if call.check_mode:
        call.result["run"] = {"queue": params["queue"], "stages": params["stages"]}
        return
    with stage_record(Stage(run, "freeze"), call.result) as stage:
        resolved = resolve(params["pipeline"], params["queue"], sources(params), more(params))
        if params["ahead"] is not None:
            resolved["ahead"] = params["ahead"]
        if params["repositories_root"]:
            read = of_site(params["repositories_root"], resolved["ahead"])
            resolved["repositories"] = present_states(read)
        run.create({"id": os.path.basename(run.path), "created": now(), **here(params), **resolved})
        stage.artifacts = commit_artifacts(resolved["queue"], resolved["projects"])
    call.result["run"] = run.frozen


def sources(params: dict[str, t.Any]) -> Sources:
    """Where commits come from."""
    checkouts = {
        name: checkout_path(params["prepared"], str(path), name) for name, path in params["checkouts"].items()
    }
    bases, addresses = params["base_commits"], params["fetch_from"]
    return Sources(params["projects"], params["cache"], bases, addresses, checkouts)


def more(params: dict[str, t.Any]) -> list[str]:
    """What the workspace has beside the queue's projects; a run that is done again has what it had."""
    return [*params["more_projects"], *params["base_commits"]]


def main() -> None:
    with module_call(FREEZE_OPTIONS, required_one_of=[("run_dir", "runs")]) as call:
        params = call.params
        known = bool(params["run_dir"]) and Run(params["run_dir"]).exists()
        if not params["queue"] and not known:
            raise DistrogateError(
                "no_queue",
                f"There is no queue, and no run to go on with in {params['run_dir'] or 'a run_dir'}."
                " Give distrogate_queue, or the run_dir of a run.",
            )
        if params["state"] == "resolved":
            call.result["run"] = resolve(params["pipeline"], params["queue"], sources(params), more(params))
            return
        run = Run(params["run_dir"] or new_path(params["runs"], params["pipeline"], params["queue"]))
        call.result.update(run_dir=run.path, drift=[], expected_seconds={})
        if known:
            resume(call, run)
        else:
            begin(call, run)
        runs = params["runs"] or os.path.dirname(run.path)
        asked = {"pipeline": params["pipeline"], "queue": call.result["run"].get("queue")}
        call.result["expected_seconds"] = expected_seconds(runs, asked, run.path)


if __name__ == "__main__":
    main()
