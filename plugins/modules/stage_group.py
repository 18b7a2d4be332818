#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: stage_group
short_description: Run stages side by side
version_added: 0.1.0
description:
  - Starts each stage as a playbook of its own, C(distrogate.ci.stage), on the same run directory, and shows
    its lines with the stage's name in front.
  - The first failure ends the others, with all that they started, and gives back the TEs that they held.
    So do an interrupt and a termination of the playbook.
  - A child is given the sources of the inventory, the options of the command line, the vault's clients, and
    all extra variables, in a file that only the user may read. It is not given variables of the play, nor
    hosts that were added to the inventory meanwhile; see O(variables).
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.run
options:
  stages:
    description: The stages, which may not read what another of them gives.
    type: list
    elements: str
    required: true
  variables:
    description: More variables that the children get.
    type: dict
    default: {}
  variables_file:
    description:
      - A file with variables on the controller, which win over the inventory. Extra variables and
        O(variables) win over them. A replay gives its stages what decided then.
    type: path
"""

EXAMPLES = r"""
---
- name: Test in two ways at once
  distrogate.ci.stage_group:
    run_dir: /srv/distrogate/runs/check-1234
    stages: [install_test, system_test]
"""

RETURN = r"""
---
stages:
  description: What each stage's file says, in short.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The stage.
      type: str
    verdict:
      description: V(success), V(failure) or V(cancelled).
      type: str
    cancelled_by:
      description: The stage whose failure ended it, or V(signal).
      type: str
    seconds:
      description: How long it took.
      type: float
    log:
      description: The path of its log on this host; empty when it has none.
      type: str
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import controller_only


def main() -> None:
    controller_only(
        {
            "argument_spec": {
                "run_dir": {"type": "path", "required": True},
                "stages": {"type": "list", "elements": "str", "required": True},
                "variables": {"type": "dict", "default": {}},
                "variables_file": {"type": "path"},
            }
        }
    )


if __name__ == "__main__":
    main()
