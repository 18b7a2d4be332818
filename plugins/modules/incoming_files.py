#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes files into a repository host's incoming folder."""

from __future__ import annotations

DOCUMENTATION = r"""
module: incoming_files
short_description: Take artifacts into a repository host's incoming folder
version_added: 0.1.0
author:
  - distrogate.ci maintainers (@distrogate)
description:
  - What M(distrogate.ci.bundle_promote) does on a repository host. It is internal; its options may
    change in any release.
  - A file is there under its digest, with these contents, or not at all.
options:
  incoming:
    description: The folder, which is made when it is missing.
    type: path
    required: true
  transaction:
    description: The promotion's transaction, the name of a folder of its own.
    type: str
    required: true
  files:
    description: The files to take in.
    type: list
    elements: dict
    default: []
    suboptions:
      sha256:
        description: The digest that its contents must have.
        type: str
        required: true
      name:
        description: Its name.
        type: str
        required: true
      source:
        description: Where it lies now.
        type: path
        required: true
  state:
    description: C(present) takes the files in, C(absent) removes everything of the transaction.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - distrogate.ci.attributes
"""

EXAMPLES = r"""
- name: Remove what came in for a promotion
  distrogate.ci.incoming_files:
    incoming: /srv/incoming
    transaction: 4f1c0a3a9e0b4d0c9a35a5c1b2d3e4f5
    state: absent
"""

RETURN = r"""
paths:
  description: Where each file lies, by its sha256.
  type: dict
  returned: with O(state=present), not in check mode
"""

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._run_files import clear_out, take_in
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call


def main() -> None:
    """Run the module."""
    argument_spec = {
        "incoming": {"type": "path", "required": True},
        "transaction": {"type": "str", "required": True},
        "files": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "sha256": {"type": "str", "required": True},
                "name": {"type": "str", "required": True},
                "source": {"type": "path", "required": True},
            },
        },
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    with module_call(argument_spec) as call:
        incoming, transaction = call.params["incoming"], call.params["transaction"]
        if call.params["state"] == "absent":
            if clear_out(incoming, transaction, call.check_mode):
                call.difference.add("transaction", transaction, None)
        elif not call.check_mode:
            call.result["paths"], new = take_in(incoming, transaction, call.params["files"])
            call.difference.add("files", [], sorted(new))


if __name__ == "__main__":
    main()
