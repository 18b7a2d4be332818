# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a person asked for a stage to run again."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: forces
short_description: Whether a stage runs again although nothing changed
version_added: 0.1.0
description:
  - Reads what was given with C(-e force=...), whichever way it was written.
author:
  - distrogate.ci maintainers (@distrogate)
positional: stage
options:
  _input:
    description: >-
      V(true) for all stages, V(false) for none, or stages as a list or as text, separated by commas.
    type: raw
    required: true
  stage:
    description: The stage's name.
    type: str
    required: true
"""

EXAMPLES = r"""
---
- name: Build again
  ansible.builtin.debug:
    msg: "{{ 'build, lint' | distrogate.ci.forces('build') }}"
"""

RETURN = r"""
---
_value:
  description: Whether it is among them.
  type: bool
"""

import re
import typing as t


def forces(value: t.Any, stage: str) -> bool:
    """See the documentation."""
    if isinstance(value, bool):
        return value
    names = re.split(r"[\s,\[\]'\"]+", value) if isinstance(value, str) else [str(name) for name in value]
    return stage in names or any(name.lower() in ("true", "yes", "all") for name in names)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file."""
        return {"forces": forces}
