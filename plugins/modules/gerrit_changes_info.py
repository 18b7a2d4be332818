#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: gerrit_changes_info
short_description: List the open changes of a branch in Gerrit
version_added: 0.1.0
description:
  - Asks Gerrit's REST interface for the open changes of a branch, page by page, and returns each with its
    current
    patch set in the form that M(distrogate.ci.freeze) takes.
  - Works on the controller. Answers are bounded in size and time, and no redirection is followed.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.server
attributes:
  check_mode:
    description: It never changes anything.
  diff_mode:
    support: N/A
    description: It never changes anything.
options:
  url:
    description: Gerrit's address.
    required: true
  project:
    description: The project, by Gerrit's name.
    type: str
    required: true
  branch:
    description: The branch.
    type: str
    required: true
  query:
    description: More of Gerrit's search operators.
    type: str
    default: -is:wip
  timeout:
    description: How long all of it may take, in seconds.
    type: int
    default: 60
"""

EXAMPLES = r"""
---
- name: See what is open
  distrogate.ci.gerrit_changes_info:
    url: https://review.example.org/
    user: ci
    password_file: /etc/distrogate/gerrit-password
    project: example-agent
    branch: main
  register: open
"""

RETURN = r"""
---
changes:
  description: The changes by number, each with its current patch set.
  returned: success
  type: list
  elements: dict
refused:
  description: Changes with names that are not used, each with C(change_id), C(reason) and C(msg).
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import controller_only
from ansible_collections.distrogate.ci.plugins.module_utils._sources._retest import changes_options


def main() -> None:
    """Refuse to run on a host."""
    controller_only(changes_options())


if __name__ == "__main__":
    main()
