# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lease's test environments as hosts and groups."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: te
short_description: The test environments of a lease as an inventory
version_added: 0.1.0
description:
  - Reads the lease file that M(distrogate.ci.te_lock) wrote, and makes hosts of the machines of the leased
    test environments (TEs), with the connection variables that they were registered with.
  - The source is a YAML file whose name is C(te.yml) or ends in C(.te.yml). It holds no secret. It names the
    lease file, which only its owner can read.
  - The group C(te) holds all hosts. Each TE is a group C(te_NAME), and each of its labels is a group
    C(label_KEY_VALUE). Characters that a group's name may not have become underscores.
  - Each host has the variables C(distrogate_te), C(distrogate_fence) and C(distrogate_pool). The folder of a
    sandbox, C(distrogate_sandbox_directory), is that of this lease, the one that the fence names.
  - Without a lease there is no inventory. When the lease file is missing, is not private to this user, or
    names a lease that ended, C(ansible-playbook) fails, rather than run on no hosts with success.
  - Values of connection variables are not templates. They are taken as they were registered.
author:
  - distrogate.ci maintainers (@distrogate)
options:
  plugin:
    description: Says that this file is a source of this plugin.
    type: str
    required: true
    choices: [distrogate.ci.te]
  lease_file:
    description: The lease file. A relative path begins at the folder of the source.
    type: str
    required: true
    env:
      - name: DISTROGATE_LEASE_FILE
  store:
    description:
      - Where the leases are kept, as the option O(distrogate.ci.te_lock#module:store).
      - If not set, the lease file says it.
    type: str
extends_documentation_fragment:
  - ansible.builtin.constructed
seealso:
  - module: distrogate.ci.te_lock
  - module: distrogate.ci.te_info
"""

EXAMPLES = r"""
# run/lease/te.yml, for: ansible-playbook -i run/lease/te.yml systest.yml
plugin: distrogate.ci.te
lease_file: /var/lib/jenkins/leases/job-17.json

# With groups and variables of your own
# plugin: distrogate.ci.te
# lease_file: ../../private/lease.json
# compose:
#   ansible_user: "'root'"
# groups:
#   controllers: "'ctrl' in inventory_hostname"
# keyed_groups:
#   - prefix: fence
#     key: distrogate_fence | string
"""

import os
import typing as t

from ansible import constants
from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases._inventory_file import (
    LeasedHost,
    leased_hosts,
)

_NAMES = ("te.yml", "te.yaml")


class InventoryModule(BaseInventoryPlugin, Constructable):
    """The inventory plugin distrogate.ci.te."""

    NAME = "distrogate.ci.te"

    def verify_file(self, path: str) -> bool:
        """Whether the source's name is one of ours."""
        name = os.path.basename(path)
        ours = name in _NAMES or name.endswith(tuple(f".{ending}" for ending in _NAMES))
        return ours and bool(t.cast("t.Any", super()).verify_file(path))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Add the lease's hosts and groups."""
        super().parse(inventory, loader, path, cache)
        try:
            self._read_config_data(path)
            folder = os.path.dirname(os.path.abspath(path))
            lease_file = os.path.join(folder, os.path.expanduser(self.get_option("lease_file")))
            hosts = leased_hosts(lease_file, self.get_option("store"))
        except DistrogateError as error:
            # Else a source that fails is a warning, and a play without hosts succeeds.
            t.cast("t.Any", constants).INVENTORY_ANY_UNPARSED_IS_FAILED = True
            raise AnsibleParserError(f"{error.message} (reason: {error.reason})") from None
        for host in hosts:
            self._add(inventory, host)

    def _add(self, inventory: t.Any, host: LeasedHost) -> None:
        inventory.add_host(host.name)
        for group in host.groups:
            name = inventory.add_group(self._sanitize_group_name(group))
            inventory.add_child(name, host.name)
        for name, value in host.variables.items():
            inventory.set_variable(host.name, name, value)
        strict = self.get_option("strict")
        variables = inventory.get_host(host.name).get_vars()
        self._set_composite_vars(self.get_option("compose"), variables, host.name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), {}, host.name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), {}, host.name, strict=strict)
