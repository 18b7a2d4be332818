#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: package_lint
short_description: Check built packages with lintian and rpmlint
version_added: 0.1.0
description:
  - Runs lintian on the .deb packages and rpmlint on the .rpm packages of the run, in a sandbox.
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
    default: lint
  fail_on:
    description: >-
      The least severe finding that fails the stage; with V(none) findings are only logged and counted.
    type: str
    choices: [error, warning, none]
    default: error
  suppress:
    description: >-
      What not to report; lists of lintian tags under C(lintian), and of regular expressions under
      C(rpmlint).
    type: dict
    default: {}
"""

EXAMPLES = r"""
---
- name: Check the packages
  distrogate.ci.package_lint:
    run_dir: /srv/distrogate/runs/check-1234
    rootfs: /srv/distrogate/rootfs/build/0a1b2c3d4e5f6071/rootfs
    fail_on: error
"""

RETURN = r"""
---
counts:
  description: How many errors and warnings each tool found.
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
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import write_results
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._reuse import remember, reused
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import (
    STAGE_OPTIONS,
    Stage,
    stage_record,
    terms,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._lint import lint, lint_suite
from ansible_collections.distrogate.ci.plugins.module_utils._packages._rootfs_identity import identity_of


def main() -> None:
    spec = {
        "run_dir": {"type": "path", "required": True},
        "stage": {"type": "str", "default": "lint"},
        "rootfs": {"type": "path", "required": True},
        "scratch": {"type": "path"},
        "timeout": {"type": "int", "default": 3600},
        "fail_on": {"type": "str", "choices": ["error", "warning", "none"], "default": "error"},
        "suppress": {"type": "dict", "default": {}},
        **STAGE_OPTIONS,
    }
    with module_call(spec) as call:
        run = Run(call.params["run_dir"])
        if call.check_mode:
            call.result["counts"] = {}
            return
        artifacts = run.artifacts("deb", "rpm", "srpm")
        packages = {artifact["name"]: artifact["sha256"] for artifact in artifacts}
        rootfs = identity_of(call.params["rootfs"])
        stage = Stage(run, call.params["stage"], terms(call.params, packages=packages, rootfs=rootfs))
        record = reused(stage, call.result)
        if record is not None:
            call.result["counts"] = record["facts"]
            return
        scratch = call.params["scratch"] or run.file("scratch", stage.name)
        with stage_record(stage, call.result):
            stage.inputs = packages
            paths = [run.file(*artifact["path"].split("/")) for artifact in artifacts]
            try:
                stage.facts = lint(
                    rootfs["path"],
                    scratch,
                    paths,
                    suppress=call.params["suppress"],
                    fail_on=call.params["fail_on"],
                    log=stage.log,
                )
            except DistrogateError as error:
                write_results(run.path, stage.name, [lint_suite(stage.name, [], error)])
                raise
            write_results(run.path, stage.name, [lint_suite(stage.name, stage.facts, None)])
        remember(stage)
        call.result["counts"] = stage.facts


if __name__ == "__main__":
    main()
