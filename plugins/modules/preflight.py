#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: preflight
short_description: Check that a host has what a pipeline is going to need
version_added: 0.1.0
description:
  - Looks for programs, Python modules, keys and folders on this host before the first stage runs, and names
    everything that is missing at once, each with what to do.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
options:
  programs:
    description: Programs that must be installed, each with the package that brings it.
    type: dict
    default: {}
  python_modules:
    description: >-
      Python modules that must be importable by this interpreter, each with the package that brings it.
    type: dict
    default: {}
  keys:
    description: OpenPGP secret keys that must be there.
    type: list
    elements: dict
    default: []
    suboptions:
      fingerprint:
        description: The key.
        type: str
        required: true
      gnupg_home:
        description: The GnuPG home folder.
        type: path
  folders:
    description: Folders that must exist, each with what to do when it does not.
    type: dict
    default: {}
  files:
    description: Files that this user must be able to read, each with what to do when it is not there.
    type: dict
    default: {}
  free_space:
    description: Folders, which need not be there yet, each with how much must be free for it, such as V(2G).
    type: dict
    default: {}
  roles:
    description: >-
      The roles of this collection that install the programs and modules, for what is said of a missing one.
    type: list
    elements: str
    default: []
  sandbox:
    description: >-
      Whether this user must be able to make sandboxes, which takes subordinate ids.
    type: bool
    default: false
"""

EXAMPLES = r"""
---
- name: Look before the first stage
  distrogate.ci.preflight:
    programs: {git: git, mmdebstrap: mmdebstrap}
    sandbox: true
"""

RETURN = r"""
---
missing:
  description: What is missing, one sentence each.
  returned: always
  type: list
  elements: str
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._preflight import missing


def main() -> None:
    key = {"fingerprint": {"type": "str", "required": True}, "gnupg_home": {"type": "path"}}
    spec = {
        "programs": {"type": "dict", "default": {}},
        "python_modules": {"type": "dict", "default": {}},
        "keys": {"type": "list", "elements": "dict", "default": [], "options": key, "no_log": False},
        "folders": {"type": "dict", "default": {}},
        "files": {"type": "dict", "default": {}},
        "free_space": {"type": "dict", "default": {}},
        "roles": {"type": "list", "elements": "str", "default": []},
        "sandbox": {"type": "bool", "default": False},
    }
    with module_call(spec) as call:
        found = missing(call.params)
        call.result["missing"] = found
        if found:
            raise DistrogateError("preflight", "This host is not ready:\n- " + "\n- ".join(found))


if __name__ == "__main__":
    main()
