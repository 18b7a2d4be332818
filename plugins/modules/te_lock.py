#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the action plugin te_lock."""

from __future__ import annotations

DOCUMENTATION = r"""
module: te_lock
short_description: Take, renew, release or hold the lease on test environments
version_added: 0.1.0
description:
  - Takes the lease on one TE or several, waiting in a queue until it is our turn; renews it, and ends it.
  - Nobody is granted a TE that an older waiter of the same or a higher priority could use, alone or as a part
    of the set that it waits for. A set is granted as a whole or not at all.
  - Works on the controller. While it waits, it shows its position and who holds the TEs about every 10
    seconds.
  - The proof of holding the lease is a secret that lies in O(lease_file) only. It is never returned.
  - A lease ends by itself after O(ttl) seconds, unless it is renewed - by a small process, the keeper, as
    long
    as the playbook runs, and by another call with O(state=locked). What a late owner asks for is refused with
    the reason V(lease_lost). When the lease is lost, the keeper stops the playbook and says why.
  - A TE that is dirty is cleaned by one who waits for it, before it is granted.
  - The lease of a TE with guards has an ssh key of its own, O(lease_file) with C(.key) added. A lease whose
    guards do not answer is not granted.
options:
  pool:
    description: The pool to take TEs from.
    type: str
    default: default
  labels:
    description: Labels that each TE must have, with these values (compared as text).
    type: dict
    default: {}
  where:
    description:
      - An expression over labels that each TE must fulfil besides O(labels), such as
        C(arch == amd64 and (size in (large, huge) or not isolated)). C(==), C(!=), C(<), C(<=), C(>),
        C(>=), C(in),
        C(not in), a name alone, C(and), C(or), C(not) and parentheses.
    type: str
  name:
    description: The name of the one TE that is wanted, held or released.
    type: str
  count:
    description: How many TEs are wanted, at most 32; all of them, or none.
    type: int
    default: 1
  owner:
    description:
      - Who takes the lease, shown to those who wait. C(job), C(change) and C(url) are shown first.
      - If not set, the user and the host of the controller.
    type: dict
  ttl:
    description:
      - Seconds after which the lease, or the hold of O(state=held), ends by itself.
      - If not set, 120 for a lease, which is renewed while the playbook runs, and 86400 for a hold.
    type: int
  max_lifetime:
    description: Seconds after which the lease is not renewed any more; V(0) for no end.
    type: int
    default: 86400
  keeper:
    description: Whether to start the process that renews the lease while the playbook runs.
    type: bool
    default: true
  with_playbook:
    description:
      - Whether the keeper gives the lease back when the playbook ended without having done so, whichever way
        it ended. What a killed playbook left running on this machine is ended first.
      - A playbook that finds the lease file of one that was killed waits for that, and takes a lease anew
        when the old one has ended. Without this option that is V(lease_lost).
      - Leave it off when another playbook goes on with the lease.
    type: bool
    default: false
  inventory:
    description:
      - Where to write an inventory of the lease, for P(distrogate.ci.te#inventory). Its name ends in
        C(te.yml). It
        holds no secret, and may lie in a run directory.
    type: path
  priority:
    description: Higher ones are served first, from -999 to 999. By convention 10 for a gate and 0 for a
      check. One who waits gains one for each 5 minutes.
    type: int
    default: 0
  timeout:
    description: Seconds to wait for the lease; with V(0) it is taken at once or not at all.
    type: int
    default: 600
  lease_file:
    description:
      - Where the lease's id and secret are kept, with mode 0600. It must not lie in a run directory.
      - Needed for O(state=locked), and to release or hold the TEs of a lease.
    type: path
  reason:
    description: Why the TEs are held, shown to those who wait.
    type: str
  person:
    description: For whom the TEs are held.
    type: dict
    suboptions:
      name:
        description: The person's name, which their holds are counted by. If not set, the user of O(owner).
        type: str
        required: true
      public_key:
        description: Their public ssh key, which the guards of the TEs accept while it is held.
        type: str
  quota:
    description: How many TEs of the pool one person may hold.
    type: int
    default: 2
  state:
    description:
      - V(locked) takes a lease. When O(lease_file) holds a living one, on as many TEs of the same pool,
        that one is renewed instead and nothing is changed. When it holds one that has ended, it fails with
        the reason
        V(lease_lost), because the TEs may have served others; release it first to take a new one.
      - V(released) ends the lease and removes O(lease_file). Without a lease file it ends the hold of
        O(name).
        When the lease was lost, it removes the file and fails with the reason V(lease_lost).
      - V(held) ends the lease, and keeps its TEs from being granted for O(ttl) seconds, for someone to
        look at them. Without a lease file it holds O(name); if
        that is leased, it is held as soon as the lease ends.
    type: str
    choices: [locked, released, held]
    default: locked
extends_documentation_fragment:
  - distrogate.ci.store
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.attributes.actiongroup_ci
attributes:
  check_mode:
    description: Does not queue and does not wait. Returns the TEs that would be granted now, which may be
      none.
  idempotent:
    description: A renewal moves the lease's end, which does not count as a change.
seealso:
  - module: distrogate.ci.te
  - module: distrogate.ci.te_info
author:
  - distrogate.ci maintainers (@distrogate)
"""

EXAMPLES = r"""
- name: Take a TE for the gate, waiting up to an hour
  distrogate.ci.te_lock:
    store: sqlite:///var/lib/distrogate/store.db
    pool: system
    labels:
      arch: amd64
    owner:
      job: gate-nova
      change: "4711"
    priority: 10
    timeout: 3600
    lease_file: /var/lib/distrogate/leases/gate-nova-4711.json
  register: lock

- name: Keep the TE for a day, to look at the failure
  distrogate.ci.te_lock:
    lease_file: /var/lib/distrogate/leases/gate-nova-4711.json
    reason: The hypervisor crashed, see change 4711
    person:
      name: ann
      public_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample ann@example.org
    state: held

- name: Give the TE back
  distrogate.ci.te_lock:
    lease_file: /var/lib/distrogate/leases/gate-nova-4711.json
    state: released
"""

RETURN = r"""
lease:
  description: The lease. In check mode, the one that would be granted now, without an id.
  returned: success, for O(state=locked)
  type: dict
  contains:
    id:
      description: The lease's id, which is no secret.
      type: str
      returned: always
    tes:
      description: The TEs, each with its C(name), C(pool), C(labels), C(hosts), C(fence), C(clean) and
        C(guards).
      type: list
      elements: dict
      returned: always
    owner:
      description: Who holds it.
      type: dict
      returned: always
    fence:
      description: The highest fence of its TEs.
      type: int
      returned: always
    expires:
      description: When it ends by itself, by the store's clock.
      type: str
      returned: always
    queue_seconds:
      description: How long its owner waited for it.
      type: float
      returned: always
connection:
  description: The connection variables of every host of the TEs, by host name. They hold paths of keys, no
    secrets.
  returned: success, for O(state=locked)
  type: dict
  sample:
    te1-controller:
      ansible_host: 192.0.2.11
      ansible_ssh_private_key_file: /var/lib/distrogate/keys/te1
hold:
  description: The hold, with C(reason), C(person), C(owner) and C(expires).
  returned: success, for O(state=held)
  type: dict
position:
  description: Our place in the queue when the time was over, from 1.
  returned: failure with the reason V(lease_timeout)
  type: int
obstacles:
  description: Who held each TE that would have done.
  returned: failure with the reason V(lease_timeout)
  type: list
  elements: str
reason:
  description: A word that says why it failed, such as V(lease_timeout), V(lease_lost), V(te_unknown) or
    V(store_unavailable).
  returned: failure
  type: str
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import controller_only
from ansible_collections.distrogate.ci.plugins.module_utils._leases._options import te_lock_options


def main() -> None:
    """Refuse to run on a host."""
    controller_only(te_lock_options())


if __name__ == "__main__":
    main()
