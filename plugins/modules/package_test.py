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
  - distrogate.ci.run.stage
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
        description: >-
          Packages, each as C(NAME) or C(NAME=VERSION). Without any, with C(deb), only the commands are run.
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
  progress_file:
    description:
      - The file in which the module says what it is doing, for the action plugin of the same name, which
        gives it and shows it.
    type: path
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
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._command import tail_of
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import TEMPORARY
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Suite, to_xml, write_results
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import Progress
from ansible_collections.distrogate.ci.plugins.module_utils._core._reuse import reused
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import (
    STAGE_OPTIONS,
    Stage,
    stage_record,
    terms,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._rootfs_identity import identity_of
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


@contextlib.contextmanager
def returned(result: dict[str, t.Any], suite: Suite) -> t.Iterator[str]:
    """A log that is returned as text, since the file is gone soon: also of an error, which names the file.
    The results of the tests come with it."""
    with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
        log = os.path.join(folder, "test.log")
        open(log, "x", encoding="utf-8").close()
        try:
            yield log
        except DistrogateError as error:
            error.details.pop("log", None)
            raise
        finally:
            result.update(log=_text(log), junit=to_xml([suite]))


def main() -> None:
    spec = {
        "run_dir": {"type": "path"},
        "stage": {"type": "str", "default": "install_test"},
        "trials": {"type": "list", "elements": "dict", "required": True, "options": TRIAL},
        "bind": {"type": "list", "elements": "path", "default": []},
        "scratch": {"type": "path"},
        "timeout": {"type": "int", "default": 1800},
        "progress_file": {"type": "path"},
        **STAGE_OPTIONS,
    }
    with module_call(spec) as call, contextlib.ExitStack() as stack:
        trials = call.params["trials"]
        call.difference.add(
            "trials", None, [f"{trial['kind']}: {' '.join(trial['packages'])}" for trial in trials]
        )
        if call.check_mode:
            call.result["steps"] = {}
            return
        if not any(trial["packages"] or trial["commands"] for trial in trials):
            raise DistrogateError(
                "nothing_tested",
                "There is no package to try. Leave this stage out of the pipeline for such projects, or name"
                " the packages that they build.",
            )
        suite = Suite(call.params["stage"])
        scratch = call.params["scratch"] or stack.enter_context(tempfile.TemporaryDirectory(prefix=TEMPORARY))
        progress = stack.enter_context(Progress(call.params["progress_file"]))
        if call.params["run_dir"]:
            run = Run(call.params["run_dir"])
            roots = [identity_of(trial["rootfs"]) for trial in trials if trial["rootfs"]]
            stage = Stage(run, call.params["stage"], terms(call.params, rootfs=roots))
            record = reused(stage, call.result)
            if record is not None:
                call.result["steps"] = record["facts"].get("steps", {})
                return
            stack.enter_context(stage_record(stage, call.result))
            stage.inputs = {"packages": sorted(name for trial in trials for name in trial["packages"])}
            stack.callback(write_results, run.path, stage.name, [suite])
            log, scratch = stage.log, call.params["scratch"] or run.file("scratch", stage.name)
        else:
            log = stack.enter_context(returned(call.result, suite))
        bind, timeout = call.params["bind"], call.params["timeout"]
        say = progress.say
        call.result["steps"] = run_trials(trials, scratch, bind, log, timeout, suite=suite, say=say)


if __name__ == "__main__":
    main()
