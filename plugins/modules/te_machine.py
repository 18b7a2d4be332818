#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: te_machine
short_description: Make a leased TE's machine a host of the play
version_added: 0.1.0
description:
  - Adds a machine of a leased TE to the inventory of the running play, in the group C(te), with the
    connection
    variables that the TE was registered with, so that tasks can be delegated to it.
  - A sandbox TE gets a folder of its own for each lease, named by the fence, and so begins clean.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
options:
  name:
    description: The machine's name, a key of C(hosts) of the lease's TE.
    type: str
    required: true
  variables:
    description: Its connection variables, the value of that key.
    type: dict
    required: true
  fence:
    description: The lease's fence for that TE.
    type: int
    required: true
"""

EXAMPLES = r"""
---
- name: Know the machines
  distrogate.ci.te_machine:
    name: "{{ item.key }}"
    variables: "{{ item.value }}"
    fence: "{{ locked.lease.tes[0].fence }}"
  loop: "{{ locked.lease.tes[0].hosts | dict2items }}"
"""

RETURN = r"""
---
sandbox:
  description: The folder of the machine's sandbox; empty for a machine that is none.
  returned: success
  type: str
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import controller_only

OPTIONS = {
    "argument_spec": {
        "name": {"type": "str", "required": True},
        "variables": {"type": "dict", "required": True},
        "fence": {"type": "int", "required": True},
    }
}


def main() -> None:
    controller_only(OPTIONS)


if __name__ == "__main__":
    main()
