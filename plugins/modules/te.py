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
      - If not set, a TE that exists keeps what it has; so do O(hosts), O(clean) and O(guards).
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
      - How the TE is cleaned after each lease, before anybody else is granted it. Whoever waits for it does
        it,
        or P(distrogate.ci.te_clean#module). Without it a TE is free as soon as its lease ends.
    type: dict
    suboptions:
      command:
        description: A command and its arguments. No shell reads them.
        type: list
        elements: str
      playbook:
        description:
          - The path or the full name of a playbook. Its hosts are the TE's, in the group C(te), with
            C(distrogate_te), C(distrogate_pool), C(distrogate_fence) and, if there are O(guards),
            C(distrogate_guard_key).
        type: str
      run_on:
        description: Whether the command runs on each of the TE's hosts, or once on the controller.
        type: str
        choices: [hosts, controller]
        default: hosts
      timeout:
        description: Seconds after which a cleaning is given up.
        type: int
        default: 1800
      attempts:
        description: How many cleanings in a row may fail until the TE is broken and never offered.
        type: int
        default: 3
  guards:
    description:
      - The guards of the TE (see P(distrogate.ci.te_guard#module)). A lease is granted only when each of
        them has
        been told of it.
    type: list
    elements: dict
    suboptions:
      host:
        description: The address of the TE host.
        type: str
        required: true
      port:
        description: The port of its ssh server.
        type: int
        default: 22
      user:
        description: The user of the guard there.
        type: str
        default: te-guard
      key_file:
        description: The pool's private key, a file on the controller.
        type: path
        required: true
      known_hosts:
        description: A file on the controller with the TE host's public key, as C(ssh-keyscan) writes it.
        type: path
        required: true
      te:
        description: The TE's name in the guard's configuration. If not set, O(name).
        type: str
  state:
    description:
      - V(present) registers the TE, changes it, or makes a drained one available again. One that was broken
        and
        drained is cleaned once more then.
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
      description: V(free), V(leased), V(held), V(dirty), V(cleaning), V(broken) or V(drained).
      type: str
      returned: unless it is absent, or new in check mode
    guards:
      description: Its guards.
      type: list
      elements: dict
      returned: unless it is absent
    failures:
      description: How many attempts to make it ready failed, one after the other.
      type: int
      returned: unless it is absent, or new in check mode
    fence:
      description: The fence of its newest grant; 0 before the first.
      type: int
      returned: unless it is absent, or new in check mode
    lease:
      description: The C(id), C(kind) (V(run) or V(cleaning)), C(owner), C(since) and C(ttl) of the lease on
        it.
      type: dict
      returned: unless it is absent, or new in check mode
    held:
      description: The C(reason), C(person), C(owner) and C(expires) of the hold on it, if there is one.
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
