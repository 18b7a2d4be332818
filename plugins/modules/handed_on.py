#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: handed_on
short_description: What a run hands on to the runs behind it
version_added: 0.1.0
description:
  - Describes a run's test repository, its bundle and its log bundle in the form that Zuul's C(zuul_return)
    takes,
    so that the jobs of the changes behind get them as C(zuul.artifacts). P(distrogate.ci.queue#lookup)
    reads them.
  - On Zuul's executor an action plugin also writes it there, as C(zuul_return) would. Elsewhere, such as in
    an
    C(ansible-playbook) that a job starts on a node, write RV(data) to a file with O(dest), and give that to
    C(zuul_return) as its C(file).
  - A run that published no test repository hands nothing on.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.run
options:
  repositories_url:
    description: The address of the folder of all test repositories.
    type: str
    required: true
  log_bundle:
    description: The address or path of the run's log bundle.
    type: str
    default: ''
  dest:
    description: A file on this host that also gets RV(data), as JSON.
    type: path
"""

EXAMPLES = r"""
---
- name: Hand on what was tested
  distrogate.ci.handed_on:
    run_dir: /srv/distrogate/runs/gate-1234
    repositories_url: https://packages.example.org/test
"""

RETURN = r"""
---
data:
  description: The data for C(zuul_return); empty when there is nothing to hand on.
  returned: success
  type: dict
written:
  description: Zuul's results file on the executor; empty when this is not an executor.
  returned: success
  type: str
"""

import json
import os

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import write_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._sources._handed_on import handed_on


def main() -> None:
    """Describe the run, and write that if a file was named."""
    spec = {
        "run_dir": {"type": "path", "required": True},
        "repositories_url": {"type": "str", "required": True},
        "log_bundle": {"type": "str", "default": ""},
        "dest": {"type": "path"},
    }
    with module_call(spec) as call:
        params = call.params
        data = handed_on(Run(params["run_dir"]), params["repositories_url"], params["log_bundle"])
        call.result.update(data=data, written="")
        if not params["dest"]:
            return
        before = None
        if os.path.exists(params["dest"]):
            with open(params["dest"], encoding="utf-8", errors="replace") as stream:
                before = stream.read(1 << 20)
        after = json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        call.difference.add("dest", before, after)
        if before != after and not call.check_mode:
            write_json(params["dest"], data)


if __name__ == "__main__":
    main()
