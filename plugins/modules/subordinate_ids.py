#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: subordinate_ids
short_description: Give a user subordinate ids
version_added: 0.1.0
description:
  - Gives a user a range of 65536 subordinate users and groups that nobody else has, unless it has one, so
    that it can make sandboxes.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
options:
  user:
    description: The user.
    type: str
    required: true
"""

EXAMPLES = r"""
---
- name: Let jenkins make sandboxes
  distrogate.ci.subordinate_ids:
    user: jenkins
  become: true
"""

RETURN = r"""
---
range:
  description: The range that was added.
  returned: when it was added
  type: str
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._subordinate_ids import (
    free_range,
    has_range,
)

FILES = {"--add-subuids": "/etc/subuid", "--add-subgids": "/etc/subgid"}


def main() -> None:
    with module_call({"user": {"type": "str", "required": True}}) as call:
        user = call.params["user"]
        missing = [option for option, path in FILES.items() if not has_range(path, user)]
        if not missing:
            return
        wanted = free_range(*FILES.values())
        call.difference.add("range", None, wanted)
        call.result["range"] = wanted
        if not call.check_mode:
            _command.run(["usermod", *[word for option in missing for word in (option, wanted)], "--", user])


if __name__ == "__main__":
    main()
