#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: artifact_transfer
short_description: Bring artifacts of a run to another host
version_added: 0.1.0
description:
  - Brings artifacts from the run's builder, the host of the task, to another host of the inventory,
    into a folder named by their digests. They are checked on arrival.
  - Where both are one machine, nothing is copied.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
options:
  run_dir:
    description: The run directory, on the task's host.
    type: path
    required: true
  artifacts:
    description: The artifacts, as stages record them.
    type: list
    elements: dict
    required: true
  host:
    description: The inventory name of the host that needs them.
    type: str
    required: true
  incoming:
    description: The folder on that host.
    type: path
    required: true
  transaction:
    description: A name for this arrival, under which the janitor finds it.
    type: str
    required: true
"""

EXAMPLES = r"""
---
- name: Bring the packages to the repository host
  distrogate.ci.artifact_transfer:
    run_dir: /srv/distrogate/runs/check-1234
    artifacts: "{{ begun.artifacts }}"
    host: repository.example
    incoming: /srv/repositories/incoming
    transaction: check-1234
"""

RETURN = r"""
---
paths:
  description: Where the artifacts lie on that host, by type, in the order given.
  returned: success
  type: dict
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import controller_only

OPTIONS = {
    "argument_spec": {
        "run_dir": {"type": "path", "required": True},
        "artifacts": {"type": "list", "elements": "dict", "required": True},
        "host": {"type": "str", "required": True},
        "incoming": {"type": "path", "required": True},
        "transaction": {"type": "str", "required": True},
    }
}


def main() -> None:
    controller_only(OPTIONS)


if __name__ == "__main__":
    main()
