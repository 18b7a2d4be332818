#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: root_filesystem
short_description: Make a clean root filesystem to build or test in
version_added: 0.1.0
description:
  - Makes a Debian-family root filesystem with mmdebstrap, named by the digest of what it is made from, and
    reuses it when it is there.
  - It belongs to the subordinate ids of the calling user, so that a sandbox can use it without privileges.
  - What apt knows of the distribution is kept, and descriptions are not translated, so that C(apt-get update)
    in a build or test fetches only what is new since.
  - The minimal system that those of one suite have in common is made once for all that are made within a
    quarter of an hour, and kept for these as an archive in C(.minimal) of O(path).
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
options:
  path:
    description: The folder that holds all root filesystems of this host.
    type: path
    required: true
  name:
    description: What it is for.
    type: str
    required: true
  suite:
    description: The distribution's code name. The default is this machine's own.
    type: str
  packages:
    description: Packages beyond the minimal system.
    type: list
    elements: str
    default: []
  sources:
    description: Where packages come from, as deb822 text. The default is what this machine's apt itself uses.
    type: str
  rpm_provides:
    description: >-
      Whether rpm in it shall know which libraries the other packages brought, so that rpm packages can be
      installed.
    type: bool
    default: false
  timeout:
    description: How long making it may take, in seconds.
    type: int
    default: 1800
"""

EXAMPLES = r"""
---
- name: Have a root filesystem for install tests
  distrogate.ci.root_filesystem:
    path: /srv/distrogate/rootfs
    name: install-deb
    packages: [python3-minimal]
"""

RETURN = r"""
---
rootfs:
  description: The path of the tree.
  returned: success
  type: str
key:
  description: The digest of what it is made from, shortened.
  returned: success
  type: str
reused:
  description: Whether it was there already.
  returned: success
  type: bool
"""

import os

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._images import _rootfs
from ansible_collections.distrogate.ci.plugins.module_utils._images._apt_sources import (
    codename,
    machine_sources,
)


def main() -> None:
    spec = {
        "path": {"type": "path", "required": True},
        "name": {"type": "str", "required": True},
        "suite": {"type": "str"},
        "packages": {"type": "list", "elements": "str", "default": []},
        "sources": {"type": "str"},
        "rpm_provides": {"type": "bool", "default": False},
        "timeout": {"type": "int", "default": 1800},
    }
    with module_call(spec) as call:
        suite = call.params["suite"] or codename()
        wanted = _rootfs.RootFilesystem(
            name=call.params["name"],
            suite=suite,
            packages=tuple(call.params["packages"]),
            sources=call.params["sources"] or machine_sources(suite),
            rpm_provides=call.params["rpm_provides"],
        )
        folder = call.params["path"]
        if call.check_mode:
            key, path, reused = _rootfs.find(folder, wanted)
        else:
            os.makedirs(folder, exist_ok=True)
            log = os.path.join(folder, f"{wanted.name}.log")
            key, path, reused = _rootfs.make(folder, wanted, log, call.params["timeout"])
        call.difference.add("rootfs", path if reused else None, path)
        call.result.update(rootfs=path, key=key, reused=reused)


if __name__ == "__main__":
    main()
