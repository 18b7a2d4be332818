#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds bundles."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bundle_info
short_description: Find bundles
version_added: 0.1.0
author:
  - distrogate.ci maintainers (@distrogate)
description:
  - Lists the bundles that the store knows. Every condition that is given must hold.
options:
  channel:
    description: The bundle that this channel, or this version, points to.
    type: str
  bundle:
    description: The bundle with this digest.
    type: str
  contains:
    description: Bundles with this package, written V(name) or V(name=version).
    type: str
  trees:
    description:
      - Bundles that were made of exactly these merged trees, by project. So a bundle of the gate is found
        that may be promoted after the merge, without building again.
    type: dict
  pipeline:
    description: Bundles of this pipeline.
    type: str
attributes:
  diff_mode:
    support: N/A
    description: It changes nothing.
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.attributes.actiongroup_ci
  - distrogate.ci.store
"""

EXAMPLES = r"""
- name: Which version do users of stable have?
  distrogate.ci.bundle_info:
    store: sqlite:///var/lib/distrogate/store.db
    channel: stable

- name: Did the gate test exactly what was merged?
  distrogate.ci.bundle_info:
    trees:
      nova: 4b825dc642cb6eb9a060e54bf8d69288fbee4904
    pipeline: gate
  register: gated
"""

RETURN = r"""
bundles:
  description: The bundles, the one that was sealed last comes first.
  type: list
  elements: dict
  returned: success
  contains:
    digest:
      description: Its digest.
      type: str
    pipeline:
      description: The pipeline that made it.
      type: str
    host:
      description: The inventory host with its run directory.
      type: str
    run_dir:
      description: Its run directory there.
      type: str
    sealed:
      description: When it was sealed.
      type: str
    channels:
      description: The channels and versions that point to it.
      type: list
      elements: str
    packages:
      description: Its packages, as name=version.
      type: list
      elements: str
"""

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._options import bundle_info_options
from ansible_collections.distrogate.ci.plugins.module_utils._core._action import controller_only


def main() -> None:
    """Say that the action plugin of the same name does the work."""
    controller_only(bundle_info_options())


if __name__ == "__main__":
    main()
