# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the changes ahead to the layers of a test repository."""

from __future__ import annotations

import re
import typing as t

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
---
name: layers
short_description: The layers of a test repository, from the changes ahead
version_added: 0.1.0
description:
  - Turns the keys of the changes ahead, as C(run.json) holds them in C(ahead), into the option C(layers) of
    M(distrogate.ci.apt_publish) and M(distrogate.ci.rpm_publish).
author:
  - distrogate.ci maintainers (@distrogate)
positional: root, kind
options:
  _input:
    description: >-
      The keys, oldest first. C(KEY/RUN) is the repository of that very run, C(KEY) that of the newest one.
    type: list
    elements: str
    required: true
  root:
    description: The folder of all test repositories.
    type: path
    required: true
  kind:
    description: V(apt) or V(rpm).
    type: str
    required: true
"""

EXAMPLES = r"""
---
layers: "{{ run.ahead | distrogate.ci.layers('/srv/repositories/test', 'apt') }}"
"""

RETURN = r"""
---
_value:
  description: C(name) and C(root) of each layer, in the same order.
  type: list
  elements: dict
"""

_KEY = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:/([A-Za-z0-9][A-Za-z0-9._-]*))?")


def layers(ahead: t.Any, root: str, kind: str) -> list[dict[str, str]]:
    """See the documentation above."""
    if kind not in ("apt", "rpm") or not isinstance(ahead, (list, tuple)):
        raise AnsibleFilterError("layers takes a list of keys, a folder, and the kind apt or rpm.")
    found = []
    for one in ahead:
        parts = _KEY.fullmatch(str(one))
        if not parts or ".." in str(one):
            raise AnsibleFilterError(f"{one!r} is not the key of a queue.")
        key, run = parts.groups()
        found.append({"name": key, "root": f"{root}/{key}/{run or 'latest'}/{kind}"})
    return found


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """By name."""
        return {"layers": layers}
