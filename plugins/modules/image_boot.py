#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: image_boot
short_description: Boot an image in a virtual machine, and look whether it works
version_added: 0.1.0
description:
  - Boots a disk image in QEMU, follows its serial console until somebody could log in, and runs commands and
    tests in it over ssh when there are any.
  - QEMU runs in a sandbox that sees the programs of this host and the image, without privileges and without a
    network. The image is never changed. The machine ends with the module, whatever happens to it.
  - A disk without a boot loader is booted with the kernel that lies beside it.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.run.stage
options:
  run_dir:
    description:
      - The run directory, when it is on this host. Its artifacts of the type C(image) with the format
        V(qcow2) or V(raw) are booted, one after the other. The stage's file is written there.
    type: path
  stage:
    description: The stage's name.
    type: str
    default: image_boot_test
  images:
    description: The names of the artifacts to boot. Empty for all.
    type: list
    elements: str
    default: []
  path:
    description: An image file, instead of those of a run.
    type: path
  format:
    description: The format of O(path). It is never guessed.
    type: str
    choices: [qcow2, raw]
  kernel:
    description: A kernel for O(path), should it have no boot loader.
    type: path
  initrd:
    description: Its initial RAM disk.
    type: path
  append:
    description:
      - The kernel's command line; V(console=ttyS0) is added to it.
      - The default is V(root=/dev/vda ro).
    type: str
    default: root=/dev/vda ro
  wait_for:
    description:
      - A regular expression; the machine is up when a line of its console matches.
      - By default it is up when there is a login prompt that answers the Enter key.
    type: str
    default: ''
  fail_on:
    description:
      - Regular expressions; the machine has failed as soon as a line of its console matches one.
      - Kernel panics, oopses, emergency and rescue shells are always failures.
    type: list
    elements: str
    default: []
  commands:
    description:
      - Commands to run in the machine over ssh once it is up, each a list of arguments. Each must end with
        the status 0.
      - The image needs an ssh server, an address by DHCP, and cloud-init or systemd 252, through which it
        gets a key that was made for this boot.
    type: list
    elements: list
    default: []
  tests:
    description:
      - A file or folder with tests of testinfra, which pytest runs over ssh. A path that is not absolute lies
        below C(workspace) in the run directory.
      - They run in a sandbox over O(rootfs), so they may come from the change under test.
    type: str
    default: ''
  rootfs:
    description: A root filesystem that has C(python3-testinfra) and C(openssh-client), for O(tests).
    type: path
  user:
    description: The user that O(commands) and O(tests) log in as. For others than root it takes cloud-init.
    type: str
    default: root
  accelerator:
    description:
      - V(kvm), or V(tcg) for emulation. With V(auto) it is KVM when a tiny machine that is tried first really
        runs with it.
    type: str
    choices: [auto, kvm, tcg]
    default: auto
  memory:
    description: The machine's memory.
    type: str
    default: 1G
  writes:
    description: How much the machine may write to its disk. It is thrown away afterwards.
    type: str
    default: 8G
  scratch:
    description: A folder for what it writes. The default is C(scratch) in the run directory.
    type: path
  timeout:
    description: How long each image may take until it is up, and each check, in seconds.
    type: int
    default: 900
  progress_file:
    description:
      - The file in which the module says what it is doing, for the action plugin of the same name, which
        gives it and shows it.
    type: path
"""

EXAMPLES = r"""
---
- name: Boot the images of a run
  distrogate.ci.image_boot:
    run_dir: /srv/distrogate/runs/check-1234
    commands: [[systemctl, is-system-running, --wait], [test, -x, /usr/bin/appliance]]

- name: Boot any image
  distrogate.ci.image_boot:
    path: /srv/images/appliance.qcow2
    format: qcow2
    wait_for: ^appliance is ready$
    memory: 2G
    timeout: 300
"""

RETURN = r"""
---
boots:
  description: What was booted.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The image.
      type: str
    sha256:
      description: The digest of the file that was booted.
      type: str
    key:
      description: The key of the image; empty for a file that has none.
      type: str
    beside:
      description: The digests of the C(kernel) and C(initrd) beside it, where it has them.
      type: dict
    accelerator:
      description: V(kvm) or V(tcg).
      type: str
    seconds:
      description: How long it took until it was up.
      type: float
    checks:
      description: The commands and tests that it passed.
      type: list
      elements: str
console:
  description: The last lines of the console.
  returned: when a machine did not come up
  type: list
  elements: str
log:
  description: The console and the output of the checks, its beginning and its end; also after a failure.
  returned: when O(run_dir) is not given
  type: str
junit:
  description:
    - The checks as JUnit XML, also after a failure. With O(run_dir) it is C(results/STAGE.xml) there, and
      those of O(tests) are C(results/STAGE-IMAGE.xml).
  returned: when O(run_dir) is not given
  type: str
stage:
  description: What the stage's file says, in short.
  returned: when O(run_dir) is given
  type: dict
  contains:
    name:
      description: The stage.
      type: str
    verdict:
      description: V(success) or V(failure).
      type: str
    seconds:
      description: How long it took.
      type: float
    log:
      description: The path of its log on this host; empty when it has none.
      type: str
"""

import contextlib

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import Progress
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import STAGE_OPTIONS
from ansible_collections.distrogate.ci.plugins.module_utils._images._boot_stage import boot_file, boot_run


def main() -> None:
    spec = {
        "run_dir": {"type": "path"},
        "stage": {"type": "str", "default": "image_boot_test"},
        "images": {"type": "list", "elements": "str", "default": []},
        "path": {"type": "path"},
        "format": {"type": "str", "choices": ["qcow2", "raw"]},
        "kernel": {"type": "path"},
        "initrd": {"type": "path"},
        "append": {"type": "str", "default": "root=/dev/vda ro"},
        "wait_for": {"type": "str", "default": ""},
        "fail_on": {"type": "list", "elements": "str", "default": []},
        "commands": {"type": "list", "elements": "list", "default": []},
        "tests": {"type": "str", "default": ""},
        "rootfs": {"type": "path"},
        "user": {"type": "str", "default": "root"},
        "accelerator": {"type": "str", "choices": ["auto", "kvm", "tcg"], "default": "auto"},
        "memory": {"type": "str", "default": "1G"},
        "writes": {"type": "str", "default": "8G"},
        "scratch": {"type": "path"},
        "timeout": {"type": "int", "default": 900},
        "progress_file": {"type": "path"},
        **STAGE_OPTIONS,
    }
    rules = {
        "required_one_of": [("run_dir", "path")],
        "mutually_exclusive": [("run_dir", name) for name in ("path", "format", "kernel", "initrd")],
        "required_together": [("path", "format")],
    }
    with module_call(spec, **rules) as call, contextlib.ExitStack() as stack:
        progress = stack.enter_context(Progress(call.params["progress_file"]))
        (boot_run if call.params["run_dir"] else boot_file)(call, progress.say)


if __name__ == "__main__":
    main()
