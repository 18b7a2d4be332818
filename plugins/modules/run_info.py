#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: run_info
short_description: Read what a run knows so far
version_added: 0.1.0
description:
  - Returns the frozen inputs of a run, and what each of its stages wrote.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.run
"""

EXAMPLES = r"""
---
- name: Read a run
  distrogate.ci.run_info:
    run_dir: /srv/distrogate/runs/check-1234
  register: known
"""

RETURN = r"""
---
run:
  description: The contents of C(run.json).
  returned: success
  type: dict
stages:
  description: What each stage wrote, by name, in the order in which they began.
  returned: success
  type: dict
artifacts:
  description: The artifacts of all successful stages.
  returned: success
  type: list
  elements: dict
under_way:
  description: The stages that somebody works on, or that were killed.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._runs._run_info import read_run, run_info_options


def main() -> None:
    with module_call(**run_info_options()) as call:
        read_run(call)


if __name__ == "__main__":
    main()
