#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a run directory, and adds a bundle and statements to it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: run_files
short_description: Read a run directory, and add its bundle and statements
version_added: 0.1.0
author:
  - distrogate.ci maintainers (@distrogate)
description:
  - What M(distrogate.ci.bundle) and M(distrogate.ci.bundle_promote) do on the host of a run directory.
    It is internal; its options may change in any release.
  - Files are only added. An existing C(bundle.json) or statement with other contents is never overwritten.
options:
  run_dir:
    description: The run directory.
    type: path
    required: true
  check:
    description: Whose artifacts are read and digested, those that the stages recorded or those of the bundle.
    type: list
    elements: str
    choices: [stages, bundle]
    default: []
  add:
    description:
      - Files to add, in this order. With this option nothing is read.
    type: list
    elements: dict
    suboptions:
      name:
        description: C(bundle.json), or C(statements/NAME.json).
        type: str
        required: true
      text:
        description: The contents.
        type: str
        required: true
extends_documentation_fragment:
  - distrogate.ci.attributes
"""

EXAMPLES = r"""
- name: Read a run directory
  distrogate.ci.run_files:
    run_dir: /var/lib/distrogate/runs/42
    check: [stages]
"""

RETURN = r"""
run:
  description: The text of C(run.json).
  type: str
  returned: without O(add)
stages:
  description: The texts of the stages' records, by stage.
  type: dict
  returned: without O(add)
bundle:
  description: The text of C(bundle.json), if there is one.
  type: str
  returned: without O(add)
statements:
  description: The texts of the statements, by file name.
  type: dict
  returned: without O(add)
found:
  description: The sha256 of each artifact by its path; none for what is no plain file in the run directory.
  type: dict
  returned: without O(add)
added:
  description: The files that were added.
  type: list
  elements: str
  returned: with O(add)
"""

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._run_files import read_run, write_once
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call


def main() -> None:
    """Run the module."""
    argument_spec = {
        "run_dir": {"type": "path", "required": True},
        "check": {"type": "list", "elements": "str", "choices": ["stages", "bundle"], "default": []},
        "add": {
            "type": "list",
            "elements": "dict",
            "options": {"name": {"type": "str", "required": True}, "text": {"type": "str", "required": True}},
        },
    }
    with module_call(argument_spec) as call:
        run_dir = call.params["run_dir"]
        if call.params["add"] is None:
            call.result.update(read_run(run_dir, call.params["check"]))
        else:
            files = {file["name"]: file["text"] for file in call.params["add"]}
            call.result["added"] = write_once(run_dir, files, call.check_mode)
            for name in call.result["added"]:
                call.difference.add(name, None, "added")


if __name__ == "__main__":
    main()
