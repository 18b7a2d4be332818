#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the action plugin te."""

from __future__ import annotations

DOCUMENTATION = r"""
module: te
short_description: Register, drain or remove a test environment
version_added: 0.1.0
description:
  - Keeps the register of test environments (TEs), the machines that serve one run at a time.
  - Works on the controller; no connection to the TE is made.
  - A TE's fence outlives its removal, so a TE that is registered again never repeats one.
options:
  name:
    description: The TE's name, unique in its pool; letters, digits, C(.), C(_) and C(-), at most 63.
    type: str
    required: true
  pool:
    description: The pool that the TE belongs to.
    type: str
    default: default
  labels:
    description:
      - What the TE is, for those who ask for one by labels. Values are compared as text.
      - If not set, a TE that exists keeps what it has; so do O(hosts) and O(clean).
    type: dict
  hosts:
    description:
      - The TE's hosts; each maps to its connection variables, such as C(ansible_host) and
        C(ansible_ssh_private_key_file).
      - A host serves one TE of a pool. A variable that looks like a secret is refused, give the path of a
        file.
    type: dict
  clean:
    description:
      - How the TE is cleaned. Whoever takes a lease on a TE that is dirty does it, before anything else.
    type: dict
    suboptions:
      command:
        description: A command and its arguments. No shell reads them.
        type: list
        elements: str
      playbook:
        description: The path or the full name of a playbook.
        type: str
  state:
    description:
      - V(present) registers the TE, changes it, or makes a drained one available again.
      - V(drained) keeps the TE from being granted; a lease on it goes on.
      - V(absent) forgets the TE. It is refused while the TE is leased.
    type: str
    choices: [present, drained, absent]
    default: present
extends_documentation_fragment:
  - distrogate.ci.store
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.attributes.actiongroup_ci
seealso:
  - module: distrogate.ci.te_lock
  - module: distrogate.ci.te_info
author:
  - distrogate.ci maintainers (@distrogate)
"""

EXAMPLES = r"""
- name: Register a TE of two hosts
  distrogate.ci.te:
    store: sqlite:///var/lib/distrogate/store.db
    pool: system
    name: te1
    labels:
      arch: amd64
    hosts:
      te1-controller:
        ansible_host: 192.0.2.11
        ansible_ssh_private_key_file: /var/lib/distrogate/keys/te1
      te1-compute:
        ansible_host: 192.0.2.12
        ansible_ssh_private_key_file: /var/lib/distrogate/keys/te1
    clean:
      command: [/usr/local/sbin/revert-te, te1]

- name: Take no new runs
  distrogate.ci.te:
    pool: system
    name: te1
    state: drained
"""

RETURN = r"""
te:
  description: The TE as it is registered.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
    pool:
      description: Its pool.
      type: str
      returned: always
    state:
      description: V(present), V(drained) or V(absent).
      type: str
      returned: always
    labels:
      description: Its labels.
      type: dict
      returned: unless it is absent
    hosts:
      description: Its hosts and their connection variables.
      type: dict
      returned: unless it is absent
    clean:
      description: How it is cleaned.
      type: dict
      returned: unless it is absent
    status:
      description: V(free), V(leased), V(held) or V(drained).
      type: str
      returned: unless it is absent, or new in check mode
    needs_clean:
      description: Whether a lease on it ended, or is under way, since it was registered.
      type: bool
      returned: unless it is absent, or new in check mode
    fence:
      description: The fence of its newest grant; 0 before the first.
      type: int
      returned: unless it is absent, or new in check mode
    lease:
      description: The id, owner and expiry of the lease on it, if there is one.
      type: dict
      returned: unless it is absent, or new in check mode
    held:
      description: The reason and expiry of the hold on it, if there is one.
      type: dict
      returned: unless it is absent, or new in check mode
reason:
  description: A word that says why it failed, such as V(te_leased), V(host_taken) or V(store_unavailable).
  returned: failure
  type: str
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import controller_only
from ansible_collections.distrogate.ci.plugins.module_utils._leases._options import te_options


def main() -> None:
    """Refuse to run on a host."""
    controller_only(te_options())


if __name__ == "__main__":
    main()
