# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lease as an inventory: the hosts of its TEs, and the file that names it to ``ansible-playbook -i``."""

from __future__ import annotations

import dataclasses
import json
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import write_atomic
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holder import Holder
from ansible_collections.distrogate.ci.plugins.module_utils._leases._trusted_file import read_trusted

PLUGIN = "distrogate.ci.te"
SANDBOX = "distrogate_sandbox_directory"


@dataclasses.dataclass(frozen=True)
class LeasedHost:
    """One machine of a leased TE."""

    name: str
    groups: list[str]
    variables: dict[str, t.Any]


def write_inventory(path: str, lease_file: str, store: str | None = None) -> None:
    """Write the inventory source ``path`` (its name is ``te.yml``, or ends so). It holds no secret.

    Without ``store`` the lease file tells where the store is; so it does when an address holds a password.
    """
    options = {"plugin": PLUGIN, "lease_file": os.path.abspath(os.path.expanduser(lease_file))}
    if store and "@" not in store:
        options["store"] = store
    # Each value as JSON: that is YAML, whatever is in a file's name.
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in options.items()]
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    write_atomic(path, "---\n" + "".join(lines))


def leased_hosts(lease_file: str, store: str | None = None) -> list[LeasedHost]:
    """The hosts of the living lease. Errors: ``no_lease_file``, ``bad_lease_file``, ``lease_lost``."""
    known = read_trusted(lease_file)
    if known is None:
        raise DistrogateError(
            "no_lease_file",
            f"There is no lease file {lease_file}: the lease was released, or never taken. Take one with"
            " distrogate.ci.te_lock first.",
        )
    with open_store(store or known.store, create=False) as opened:
        lease = Holder(opened, known.pool, known.lease, known.secret).lease()
    return [host for te in lease["tes"] for host in _hosts(te, known.pool)]


def _hosts(te: dict[str, t.Any], pool: str) -> list[LeasedHost]:
    groups = ["te", f"te_{te['name']}"]
    groups += [f"label_{key}_{value}" for key, value in sorted(te["labels"].items())]
    own = {"distrogate_te": te["name"], "distrogate_fence": te["fence"], "distrogate_pool": pool}
    found = []
    for name, given in te["hosts"].items():
        variables = {**(given or {}), **own}
        if SANDBOX in variables:
            # Each lease has a sandbox of its own: what the last one left is not there.
            variables[SANDBOX] = f"{variables[SANDBOX]}/{te['fence']}"
        found.append(LeasedHost(name, groups, variables))
    return found
