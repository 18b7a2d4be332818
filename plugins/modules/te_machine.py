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
    connection variables that the TE was registered with, so that tasks can be delegated to it.
  - Looks first whether the lease is still ours with the same fence, and fails with the reason V(lease_lost)
    if not.
  - A sandbox TE gets a folder of its own for each lease, named by the fence, and so begins clean.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.attributes.actiongroup_ci
  - distrogate.ci.store
options:
  name:
    description: The machine's name, a key of C(hosts) of the lease's TE.
    type: str
    required: true
  te:
    description: The TE, an item of RV(distrogate.ci.te_lock#module:lease.tes).
    type: dict
    required: true
  lease_file:
    description: The lease file.
    type: path
    required: true
"""

EXAMPLES = r"""
---
- name: Know the machines
  distrogate.ci.te_machine:
    name: "{{ item.key }}"
    te: "{{ locked.lease.tes[0] }}"
    lease_file: /var/lib/distrogate/leases/nightly.json
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
from ansible_collections.distrogate.ci.plugins.module_utils._leases._options import te_machine_options


def main() -> None:
    """Refuse to run on a host."""
    controller_only(te_machine_options())


if __name__ == "__main__":
    main()
