#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Installs the guard of a TE host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: te_guard
short_description: Install and configure the guard of a TE host
version_added: 0.1.0
description:
  - Installs the guard, a program that sshd runs instead of what a client asks for, and says which TEs it
    guards.
  - A lease's key is accepted on the TE host only while the lease is the newest of its TE, and not over; it
    opens nothing but the listed operations.
  - Run it as root, or as the guard's user. The keys of leases that live stay; a TE that is not listed any
    more loses its keys, and what runs for them ends.
author:
  - distrogate.ci maintainers (@distrogate)
options:
  user:
    description: The user that clients log in as. It must exist; P(distrogate.ci.te_host#role) makes it.
    type: str
    default: te-guard
  directory:
    description: Where the guard keeps its state; it belongs to O(user).
    type: path
    default: /var/lib/distrogate/guard
  authorized_keys:
    description: The file that sshd reads for O(user). It is all the guard's.
    type: path
    default: /var/lib/distrogate/guard/.ssh/authorized_keys
  program:
    description: Where the program is installed.
    type: path
    default: /usr/local/lib/distrogate/te_guard.pyz
  configuration:
    description: Where its configuration is written.
    type: path
    default: /etc/distrogate/guard.json
  python:
    description: The Python that runs it, 3.9 or newer. It needs the standard library only.
    type: path
    default: /usr/bin/python3
  log:
    description: A file for the log, which O(user) may write. If not set, the log goes to syslog.
    type: path
  power_timeout:
    description:
      - How long a power command may take, in seconds, at most 60.
      - A new lease waits for one that is under way, because what it asked for cannot be called back.
    type: float
    default: 30
  pools:
    description: For each pool the public keys, as in C(id_ed25519.pub), that may raise and end leases.
    type: dict
    default: {}
  tes:
    description:
      - The TEs of this host, by name. C(pool) names a pool of O(pools).
      - C(disks) are named; each has C(path) and C(size), the bytes of the largest image.
      - A disk is a file, which a new image replaces, or a block device.
      - C(power) has an argument list for each of C(on), C(off), C(reset) and C(status). No shell reads them.
      - C(console) is the path of the console's log.
    type: dict
    default: {}
  state:
    description: V(absent) removes the guard, all its keys, and what it knows of fences.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - distrogate.ci.attributes
seealso:
  - module: distrogate.ci.te
  - module: distrogate.ci.te_lock
"""

EXAMPLES = r"""
- name: Guard a TE that is a domain of libvirt
  distrogate.ci.te_guard:
    pools:
      system:
        - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHb5kQYVwrO6VZ0zpSSHqL7SkF9AVsI4KfRyTKTCYIYB pool system
    tes:
      te1:
        pool: system
        disks:
          root:
            path: /srv/te/te1/root.qcow2
            size: 21474836480
        power:
          "on": [sudo, -n, virsh, start, te1]
          "off": [sudo, -n, virsh, destroy, te1]
          reset: [sudo, -n, virsh, reset, te1]
          status: [sudo, -n, virsh, domstate, te1]
        console: /var/log/libvirt/qemu/te1-console.log
"""

RETURN = r"""
user:
  description: The user that clients log in as.
  returned: O(state=present)
  type: str
tes:
  description: For each TE its C(te), C(pool) and C(user), which C(guards) of M(distrogate.ci.te) need.
  returned: O(state=present)
  type: dict
host_keys:
  description: The public keys of the host's sshd, for a file of known hosts.
  returned: O(state=present)
  type: list
  elements: str
reason:
  description: A word that says why it failed, such as V(no_user), V(bad_guard) or V(foreign_keys).
  returned: failure
  type: str
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard_host import GuardHost


def main() -> None:
    """Run the module."""
    home = "/var/lib/distrogate/guard"
    spec = {
        "user": {"type": "str", "default": "te-guard"},
        "directory": {"type": "path", "default": home},
        "authorized_keys": {"type": "path", "default": f"{home}/.ssh/authorized_keys", "no_log": False},
        "program": {"type": "path", "default": "/usr/local/lib/distrogate/te_guard.pyz"},
        "configuration": {"type": "path", "default": "/etc/distrogate/guard.json"},
        "python": {"type": "path", "default": "/usr/bin/python3"},
        "log": {"type": "path"},
        "power_timeout": {"type": "float", "default": 30},
        "pools": {"type": "dict", "default": {}},
        "tes": {"type": "dict", "default": {}},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    with module_call(spec) as call:
        host = GuardHost(call.params, not call.check_mode)
        if call.params["state"] == "absent":
            host.absent(call.difference)
        else:
            host.present(call.difference)
            call.result.update(host.facts())


if __name__ == "__main__":
    main()
