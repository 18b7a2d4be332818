#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: package_build
short_description: Build packages from the workspace
version_added: 0.1.0
description:
  - Builds the .deb and .rpm packages of projects in the workspace, each in a fresh sandbox without a network.
  - An rpm is built through a source package. The version gets a suffix that rises with every merge and
    names the tree, so that what was tested can be released as it is.
  - With O(signing_key), rpm packages are signed, before anything is computed from them.
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
    default: build
  projects:
    description: The projects to build. The default is the project of the last change in the queue.
    type: list
    elements: str
    default: []
  signing_key:
    description: The fingerprint of the OpenPGP key that signs rpm packages.
    type: str
  gnupg_home:
    description: The GnuPG home folder that holds the key.
    type: path
  rpm_dependencies:
    description:
      - V(install) installs the build dependencies of an rpm with dnf.
      - V(assume) takes them to be in the root filesystem; for one that was not made from rpm packages.
    type: str
    choices: [install, assume]
    default: install
  sources:
    description: >-
      Further apt sources (deb822 texts) for build dependencies, such as test repositories of changes ahead.
    type: list
    elements: str
    default: []
  bind:
    description: Folders that the sandbox sees, read-only, while it installs build dependencies.
    type: list
    elements: path
    default: []
  environment:
    description: Environment variables for the build.
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
- name: Build the change's packages
  distrogate.ci.package_build:
    run_dir: /srv/distrogate/runs/check-1234
    rootfs: /srv/distrogate/rootfs/build/0a1b2c3d4e5f6071/rootfs
"""

RETURN = r"""
---
artifacts:
  description: >-
    The packages, with C(path) relative to the run directory, C(sha256), C(size), C(package),
    C(package_version) and C(architecture).
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

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import Progress
from ansible_collections.distrogate.ci.plugins.module_utils._core._reuse import remember, reused
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import (
    STAGE_OPTIONS,
    Stage,
    stage_record,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._build_stage import agreed, build


def main() -> None:
    spec = {
        "run_dir": {"type": "path", "required": True},
        "stage": {"type": "str", "default": "build"},
        "rootfs": {"type": "path", "required": True},
        "scratch": {"type": "path"},
        "timeout": {"type": "int", "default": 3600},
        "projects": {"type": "list", "elements": "str", "default": []},
        "signing_key": {"type": "str", "no_log": False},
        "gnupg_home": {"type": "path"},
        "rpm_dependencies": {"type": "str", "choices": ["install", "assume"], "default": "install"},
        "sources": {"type": "list", "elements": "str", "default": []},
        "bind": {"type": "list", "elements": "path", "default": []},
        "environment": {"type": "dict", "default": {}},
        "progress_file": {"type": "path"},
        **STAGE_OPTIONS,
    }
    with module_call(spec) as call:
        run = Run(call.params["run_dir"])
        before = (run.stage(call.params["stage"]) or {}).get("artifacts", [])
        if call.check_mode:
            call.difference.add("artifacts", [artifact["name"] for artifact in before], "built anew")
            call.result["artifacts"] = before
            return
        stage = Stage(run, call.params["stage"], agreed(run, call.params))
        record = reused(stage, call.result)
        if record is not None:
            call.result["artifacts"] = record["artifacts"]
            return
        with Progress(call.params["progress_file"]) as progress, stage_record(stage, call.result):
            build(run, stage, call.params, progress.say)
        remember(stage)
        call.difference.add("artifacts", before, stage.artifacts)
        call.result["artifacts"] = stage.artifacts


if __name__ == "__main__":
    main()
