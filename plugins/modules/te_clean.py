#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the action plugin te_clean."""

from __future__ import annotations

DOCUMENTATION = r"""
module: te_clean
short_description: Find leases that ended by themselves, and clean the test environments that are dirty
version_added: 0.1.0
description:
  - Does for a pool, or for all, what those who wait in the line do otherwise - it ends leases whose owner
    died
    and holds that are over, cleans the TEs that are dirty as their C(clean) says, and hands on what is free.
  - A TE whose cleaning failed too often is broken, and is never offered until somebody repairs it, drains it
    and makes it present again.
  - Works on the controller. The janitor's role calls it.
options:
  pool:
    description: The pool to clean. If not set, all are.
    type: str
  timeout:
    description: Seconds after which no further cleaning is begun, and one under way is stopped.
    type: int
    default: 3600
extends_documentation_fragment:
  - distrogate.ci.store
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.attributes.actiongroup_ci
seealso:
  - module: distrogate.ci.te
  - module: distrogate.ci.te_lock
author:
  - distrogate.ci maintainers (@distrogate)
"""

EXAMPLES = r"""
- name: Make the TEs of a pool ready
  distrogate.ci.te_clean:
    store: sqlite:///var/lib/distrogate/store.db
    pool: system
"""

RETURN = r"""
ended:
  description: The TEs whose lease or hold had ended by itself, as C(pool/name). None in check mode.
  returned: success
  type: list
  elements: str
cleaned:
  description: The TEs that were cleaned; in check mode those that are dirty.
  returned: success
  type: list
  elements: str
broken:
  description: The TEs that are broken.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import controller_only
from ansible_collections.distrogate.ci.plugins.module_utils._leases._options import te_clean_options


def main() -> None:
    """Refuse to run on a host."""
    controller_only(te_clean_options())


if __name__ == "__main__":
    main()
