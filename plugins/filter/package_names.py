# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From artifacts to what a package manager is asked to install."""

from __future__ import annotations

import re
import typing as t

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
---
name: package_names
short_description: What to install, from a run's artifacts
version_added: 0.1.0
description:
  - Picks the packages of one kind out of a run's artifacts, as C(NAME=VERSION) for
    M(distrogate.ci.package_test).
  - Detached debug symbols are left out.
author:
  - distrogate.ci maintainers (@distrogate)
positional: kind
options:
  _input:
    description: The artifacts, as M(distrogate.ci.stage) returns them.
    type: list
    elements: dict
    required: true
  kind:
    description: V(deb) or V(rpm).
    type: str
    required: true
"""

EXAMPLES = r"""
---
packages: "{{ begun.artifacts | distrogate.ci.package_names('deb') }}"
"""

RETURN = r"""
---
_value:
  description: The packages.
  type: list
  elements: str
"""

_DEBUG = re.compile(r"-(dbgsym|dbg|debuginfo|debugsource)$")


def package_names(artifacts: t.Any, kind: str) -> list[str]:
    """See the documentation above."""
    if kind not in ("deb", "rpm"):
        raise AnsibleFilterError("package_names takes the kind deb or rpm.")
    found = [artifact for artifact in artifacts if artifact["type"] == kind]
    return [f"{a['package']}={a['package_version']}" for a in found if not _DEBUG.search(a["package"])]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """By name."""
        return {"package_names": package_names}
