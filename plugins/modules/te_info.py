#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the action plugin te_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: te_info
short_description: List test environments and who waits for them
version_added: 0.1.0
description:
  - Lists the TEs of a pool, or of all, with their status, and the queue.
  - Works on the controller. Nothing that it returns is secret. A store that does not exist yet reads as
    empty.
options:
  pool:
    description: The pool to list. If not set, all are listed.
    type: str
extends_documentation_fragment:
  - distrogate.ci.store
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.attributes.actiongroup_ci
attributes:
  check_mode:
    description: It never changes anything.
  diff_mode:
    support: N/A
    description: It never changes anything.
seealso:
  - module: distrogate.ci.te
  - module: distrogate.ci.te_lock
author:
  - distrogate.ci maintainers (@distrogate)
"""

EXAMPLES = r"""
- name: See who uses the pool
  distrogate.ci.te_info:
    store: sqlite:///var/lib/distrogate/store.db
    pool: system
  register: pool
"""

RETURN = r"""
tes:
  description: The TEs, by pool and name, as P(distrogate.ci.te#module) returns them.
  returned: success
  type: list
  elements: dict
  sample:
    - name: te1
      pool: system
      state: present
      status: leased
      labels: {arch: amd64}
      hosts: {te1-controller: {ansible_host: 192.0.2.11}}
      clean: {command: [/usr/local/sbin/revert-te, te1]}
      guards: []
      failures: 0
      fence: 17
      lease:
        id: 5b0c1f60a1b2c3d4
        kind: run
        owner: {job: gate-nova}
        since: "2026-01-01T00:00:00Z"
        ttl: 120
      held: null
waiters:
  description: Those who wait, by pool, in the order in which they are served.
  returned: success
  type: list
  elements: dict
  contains:
    pool:
      description: The pool that they wait for.
      type: str
      returned: always
    position:
      description: Their place in the pool's queue, from 1.
      type: int
      returned: always
    priority:
      description: Their priority.
      type: int
      returned: always
    ticket:
      description: Their place in time; a smaller one came earlier.
      type: int
      returned: always
    count:
      description: How many TEs they wait for.
      type: int
      returned: always
    name:
      description: The TE that they wait for, if they named one.
      type: str
      returned: always
    labels:
      description: The labels that they ask for.
      type: dict
      returned: always
    where:
      description: The label expression that they ask for.
      type: str
      returned: always
    aged:
      description: How many steps of priority they gained by waiting.
      type: int
      returned: always
    owner:
      description: Who they are.
      type: dict
      returned: always
    since:
      description: Since when they wait.
      type: str
      returned: always
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import controller_only
from ansible_collections.distrogate.ci.plugins.module_utils._leases._options import te_info_options


def main() -> None:
    """Refuse to run on a host."""
    controller_only(te_info_options())


if __name__ == "__main__":
    main()
