#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: package_test
short_description: Install packages from a repository, run them, and remove them
version_added: 0.1.0
description:
  - Does what a user would do, with real apt-get or dnf, signatures checked.
  - With C(rootfs) it happens in a fresh sandbox (the install test); without, on this machine itself (a
    system test on a TE).
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
options:
  run_dir:
    description: The run directory, when it is on this host; the stage's file is written there.
    type: path
  stage:
    description: The stage's name.
    type: str
    default: install_test
  trials:
    description: What to try, one after the other.
    type: list
    elements: dict
    required: true
    suboptions:
      kind:
        description: Which package manager installs it.
        type: str
        choices: [deb, rpm]
        required: true
      rootfs:
        description: >-
          The root filesystem to try it in. Without it the packages are installed on this machine itself.
        type: path
      packages:
        description: Packages, each as C(NAME) or C(NAME=VERSION).
        type: list
        elements: str
        required: true
      sources:
        description: >-
          The repositories, as returned in C(sources) by M(distrogate.ci.apt_publish) and
          M(distrogate.ci.rpm_publish).
        type: list
        elements: str
        default: []
      commands:
        description: >-
          Commands to run once they are installed, each a list of arguments. They have no network in a
          sandbox.
        type: list
        elements: list
        default: []
      remove:
        description: >-
          Whether to remove and purge the packages afterwards, and to check that nothing of them is left.
        type: bool
        default: true
  bind:
    description: Folders that the sandbox sees, read-only, such as a repository with a C(file://) address.
    type: list
    elements: path
    default: []
  scratch:
    description: A folder for the sandbox.
    type: path
  timeout:
    description: How long one command may take, in seconds.
    type: int
    default: 1800
"""

EXAMPLES = r"""
---
- name: Install, run, remove and purge
  distrogate.ci.package_test:
    run_dir: /srv/distrogate/runs/check-1234
    trials:
      - kind: deb
        rootfs: /srv/distrogate/rootfs/install-deb/0a1b2c3d4e5f6071/rootfs
        packages: [hello]
        sources: ["{{ published.sources }}"]
        commands: [[hello, --version]]
"""

RETURN = r"""
---
steps:
  description: The steps that were done, by kind.
  returned: success
  type: dict
log:
  description: The last 4 MiB of the log, also of a test that failed.
  returned: when O(run_dir) is not given
  type: str
junit:
  description:
    - The steps as JUnit XML, also of a test that failed. With O(run_dir) it is C(results/STAGE.xml) there.
  returned: when O(run_dir) is not given
  type: str
stage:
  description: What the stage's file says, in short.
  returned: when O(run_dir) is given
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

import contextlib
import os
import tempfile

from ansible_collections.distrogate.ci.plugins.module_utils._core._command import tail_of
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Suite, to_xml, write_results
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run, stage_record
from ansible_collections.distrogate.ci.plugins.module_utils._packages._trial import run_trials

_RETURNED = 4 << 20
TRIAL = {
    "kind": {"type": "str", "choices": ["deb", "rpm"], "required": True},
    "rootfs": {"type": "path"},
    "packages": {"type": "list", "elements": "str", "required": True},
    "sources": {"type": "list", "elements": "str", "default": []},
    "commands": {"type": "list", "elements": "list", "default": []},
    "remove": {"type": "bool", "default": True},
}


def _text(log: str) -> str:
    return tail_of(log, size=_RETURNED).decode("utf-8", "replace")


def main() -> None:
    spec = {
        "run_dir": {"type": "path"},
        "stage": {"type": "str", "default": "install_test"},
        "trials": {"type": "list", "elements": "dict", "required": True, "options": TRIAL},
        "bind": {"type": "list", "elements": "path", "default": []},
        "scratch": {"type": "path"},
        "timeout": {"type": "int", "default": 1800},
    }
    with module_call(spec) as call, contextlib.ExitStack() as stack:
        trials = call.params["trials"]
        call.difference.add(
            "trials", None, [f"{trial['kind']}: {' '.join(trial['packages'])}" for trial in trials]
        )
        if call.check_mode:
            call.result["steps"] = {}
            return
        suite = Suite(call.params["stage"])
        scratch = call.params["scratch"] or stack.enter_context(tempfile.TemporaryDirectory())
        if call.params["run_dir"]:
            run = Run(call.params["run_dir"])
            stage = stack.enter_context(stage_record(run, call.params["stage"], call.result))
            stage.inputs = {"packages": sorted(name for trial in trials for name in trial["packages"])}
            stack.callback(write_results, run.path, stage.name, [suite])
            log, scratch = stage.log, call.params["scratch"] or run.file("scratch", stage.name)
        else:
            log = os.path.join(stack.enter_context(tempfile.TemporaryDirectory()), "test.log")
            open(log, "x", encoding="utf-8").close()
            stack.callback(lambda: call.result.update(log=_text(log)))
            stack.callback(lambda: call.result.update(junit=to_xml([suite])))
        bind, timeout = call.params["bind"], call.params["timeout"]
        try:
            call.result["steps"] = run_trials(trials, scratch, bind, log, timeout, suite=suite)
        except DistrogateError as error:
            if not call.params["run_dir"]:
                error.details["log"] = _text(log)  # the file goes; its name would be all that is left
            raise


if __name__ == "__main__":
    main()
