# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a person gets into the machines of a TE."""

from __future__ import annotations

import shlex
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.distrogate.ci.plugins.module_utils._leases._hosts import SANDBOX, host_variables

DOCUMENTATION = r"""
---
name: ways_in
short_description: How a person gets into the machines of a TE
version_added: 0.1.0
description:
  - For each machine of a leased or held TE, says in one line who logs in where, with which key, and in the
    next one the command. Machines that are sandboxes are entered on the controller.
  - Holds paths of keys, no secrets.
author:
  - distrogate.ci maintainers (@distrogate)
positional: own_key
options:
  _input:
    description: The TE, an item of RV(distrogate.ci.te_lock#module:lease.tes).
    type: dict
    required: true
  own_key:
    description: Whether the TE's guards, if it has any, let a person's own key in.
    type: bool
    default: false
"""

EXAMPLES = r"""
---
lines: "{{ lock.lease.tes[0] | distrogate.ci.ways_in }}"
"""

RETURN = r"""
---
_value:
  description: The lines.
  type: list
  elements: str
"""


def ways_in(te: t.Any, own_key: bool = False) -> list[str]:
    """See the documentation above."""
    if not isinstance(te, dict) or not {"name", "pool", "hosts", "fence"} <= set(te):
        raise AnsibleFilterError("ways_in takes a TE, as te_lock returns it in lease.tes.")
    guarded = bool(te.get("guards"))
    return [line for host in te["hosts"] for line in _way(te, str(host), guarded, own_key)]


def _way(te: dict[str, t.Any], host: str, guarded: bool, own_key: bool) -> list[str]:
    variables = host_variables(te, host)
    if SANDBOX in variables:
        return [f"{host}: a sandbox on the controller", f"    {_console(host, variables)}"]
    connection = str(variables.get("ansible_connection", "ssh")).rpartition(".")[2]
    if connection != "ssh":
        return [f"{host}: by the connection {connection}, as it is registered"]
    if guarded and not own_key:
        return [f"{host}: its guard lets nobody in: set distrogate_hold_person with a public_key before"]
    address = str(variables.get("ansible_host") or variables.get("ansible_ssh_host") or host)
    user = variables.get("ansible_user") or variables.get("ansible_ssh_user")
    port = variables.get("ansible_port") or variables.get("ansible_ssh_port") or 22
    key = None if guarded else variables.get("ansible_ssh_private_key_file")
    argv = ["ssh", *(["-i", str(key)] if key else []), *(["-p", str(port)] if int(port) != 22 else [])]
    shown = f"{host}: {f'user {user} at ' if user else ''}{address}, port {port}"
    with_key = f", key {key}" if key else ", with your own key" if guarded else ""
    return [shown + with_key, f"    {shlex.join([*argv, '--', f'{user}@{address}' if user else address])}"]


def _console(host: str, variables: dict[str, t.Any]) -> str:
    given = []
    for name in ("distrogate_sandbox_rootfs", SANDBOX):
        given += ["-e", f"{name}={variables[name]}"]
    return shlex.join(["ansible-console", "-i", f"{host},", "-c", "distrogate.ci.sandbox", *given, host])


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file, by name."""
        return {"ways_in": ways_in}
