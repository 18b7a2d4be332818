# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of a leased TE, as Ansible is to reach them."""

from __future__ import annotations

import typing as t

SANDBOX = "distrogate_sandbox_directory"


def host_variables(te: dict[str, t.Any], host: str) -> dict[str, t.Any]:
    """A host's connection variables under a lease.

    A sandbox gets a folder of its own for each lease, named by the fence, and so begins clean.
    """
    variables = dict(te["hosts"][host])
    if SANDBOX in variables:
        variables[SANDBOX] = f"{variables[SANDBOX]}/{te['fence']}"
    return {
        **variables,
        "distrogate_te": te["name"],
        "distrogate_pool": te["pool"],
        "distrogate_fence": te["fence"],
    }
