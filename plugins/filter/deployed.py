# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A TE whose machines run an image."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.distrogate.ci.plugins.module_utils._leases._hosts import SANDBOX

DOCUMENTATION = r"""
---
name: deployed
short_description: A TE whose machines run an image
version_added: 0.1.0
description:
  - A sandbox over the image's root directory is a deployment of it.
  - Fails when there is no image, or when a machine of the TE is no sandbox.
author:
  - distrogate.ci maintainers (@distrogate)
positional: image
options:
  _input:
    description: The TE, an item of RV(distrogate.ci.te_lock#module:lease.tes).
    type: dict
    required: true
  image:
    description: The image's folder, RV(distrogate.ci.disk_image#module:image); empty when there is none.
    type: str
    required: true
"""

EXAMPLES = r"""
---
te: "{{ lock.lease.tes[0] | distrogate.ci.deployed(stages.image.facts.image) }}"
"""

RETURN = r"""
---
_value:
  description: The TE, as RV(distrogate.ci.te_lock#module:lease.tes) has it.
  type: dict
"""


def deployed(te: t.Any, image: str) -> dict[str, t.Any]:
    """See the documentation above."""
    if not isinstance(te, dict) or not isinstance(te.get("hosts"), dict):
        raise AnsibleFilterError("deployed takes a TE, as te_lock returns it in lease.tes.")
    if not image:
        raise AnsibleFilterError("The run has no image to deploy. Run the stage image first.")
    others = sorted(str(name) for name, variables in te["hosts"].items() if SANDBOX not in variables)
    if others:
        raise AnsibleFilterError(
            f"TE {te.get('name')} cannot run the image: {', '.join(others)} is no sandbox. Name TEs whose"
            " machines have the connection distrogate.ci.sandbox."
        )
    root = {"distrogate_sandbox_rootfs": f"{image}/root"}
    return {**te, "hosts": {name: {**variables, **root} for name, variables in te["hosts"].items()}}


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file, by name."""
        return {"deployed": deployed}
