#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: run_store
short_description: Keep a run directory where it outlives this machine
version_added: 0.1.0
description:
  - >-
    When stages are jobs or workflow nodes of their own, each may run in an execution environment that ends
    with it. This module brings the run directory in before a stage, and what the stage made out after it.
  - >-
    Kept are C(run.json), C(bundle.json), C(report.tar.gz), and the folders C(stages), C(statements),
    C(artifacts), C(logs), C(results) and C(repositories). The workspace is not: it is made again from the
    frozen commits.
  - >-
    Every file is compared by its digest, and comes over whole or not at all, a stage's record last. Two
    machines may keep their stages at once, as each writes only what is its stage's, or what is not there.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
options:
  run_dir:
    description: The run directory on this host.
    type: path
    required: true
  store:
    description: A folder on a file system that all machines share. It holds one folder a run.
    type: path
    required: true
  stage:
    description: The stage that is going to run, or that ran.
    type: str
    default: ''
  state:
    description:
      - V(fetched) brings in what is kept. The kept record of O(stage) is removed, so that a stage whose
        machine dies does not look done.
      - V(kept) brings out what is not kept yet, and what O(stage) made.
    type: str
    choices: [fetched, kept]
    required: true
"""

EXAMPLES = r"""
---
- name: Bring the run in
  distrogate.ci.run_store:
    run_dir: /srv/distrogate/runs/check-1234
    store: /shared/runs
    stage: build
    state: fetched
"""

RETURN = r"""
---
files:
  description: What came or went, as paths in the run directory.
  returned: success
  type: list
  elements: str
workspace_missing:
  description: Whether the workspace was made on another machine, and must be made again here.
  returned: success
  type: bool
reason:
  description: >-
    V(no_run), V(changed), V(bad_file), V(bad_name), V(same_place), V(too_large) or V(lock_timeout).
  returned: failure
  type: str
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._runs._run_store import RunStore


def main() -> None:
    spec = {
        "run_dir": {"type": "path", "required": True},
        "store": {"type": "path", "required": True},
        "stage": {"type": "str", "default": ""},
        "state": {"type": "str", "choices": ["fetched", "kept"], "required": True},
    }
    with module_call(spec) as call:
        params = call.params
        store = RunStore(params["store"], params["run_dir"])
        move = store.fetched if params["state"] == "fetched" else store.kept
        files = move(params["stage"], call.check_mode)
        for name, sha256 in sorted(files.items()):
            call.difference.add(name, None, sha256)
        call.result.update(files=sorted(files), workspace_missing=store.workspace_missing())


if __name__ == "__main__":
    main()
