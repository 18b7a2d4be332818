#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: sandbox
short_description: Remove a sandbox
version_added: 0.1.0
description:
  - Removes the folder of a sandbox that the connection plugin P(distrogate.ci.sandbox#connection) made,
    with everything that was changed in it.
  - Its files belong to subordinate ids, which an ordinary user cannot remove otherwise.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
options:
  directory:
    description: The sandbox's folder.
    type: path
    required: true
  state:
    description: Sandboxes are made by those who use them, so they are only ever removed here.
    type: str
    choices: [absent]
    default: absent
"""

EXAMPLES = r"""
---
- name: Throw a test environment's changes away
  distrogate.ci.sandbox:
    directory: /srv/distrogate/te/te1/17
    state: absent
"""

RETURN = r"""
---
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox_away import (
    sandbox_options,
    throw_away,
)


def main() -> None:
    with module_call(**sandbox_options()) as call:
        throw_away(call)


if __name__ == "__main__":
    main()
