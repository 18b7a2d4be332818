#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: repository_info
short_description: Say what repositories hold now
version_added: 0.1.0
description:
  - Returns one digest for each repository on this host. It covers the names and digests of the packages, so
    two repositories with the same packages have the same one, on whichever machine.
  - A run keeps the digests of the repositories that it is going to read, and a replay compares them.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
options:
  repositories:
    description: The repositories to look at.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Under which name it is returned.
        type: str
        required: true
      root:
        description: The folder of the repository.
        type: path
        required: true
      kind:
        description: Its format.
        type: str
        choices: [apt, rpm]
        required: true
"""

EXAMPLES = r"""
---
- name: Look at the release repositories
  distrogate.ci.repository_info:
    repositories:
      - {name: release/apt, root: /srv/repositories/release/apt, kind: apt}
      - {name: release/rpm, root: /srv/repositories/release/rpm, kind: rpm}
"""

RETURN = r"""
---
repositories:
  description: The repositories that are there, by name. One that is not there is left out.
  returned: success
  type: dict
  contains:
    state_digest:
      description: The digest of what it holds, in all suites.
      type: str
    serial:
      description: How often it was published to.
      type: int
    suites:
      description: The digest of each suite; an rpm repository has one without a name.
      type: dict
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._packages._look import present_states


def main() -> None:
    each = {
        "name": {"type": "str", "required": True},
        "root": {"type": "path", "required": True},
        "kind": {"type": "str", "choices": ["apt", "rpm"], "required": True},
    }
    spec = {"repositories": {"type": "list", "elements": "dict", "required": True, "options": each}}
    with module_call(spec) as call:
        call.result["repositories"] = present_states(call.params["repositories"])


if __name__ == "__main__":
    main()
