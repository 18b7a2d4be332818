# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a person boots the same image, and sits at its console."""

from __future__ import annotations

import shlex

from ansible_collections.distrogate.ci.plugins.module_utils._images._qemu import (
    PROGRAM,
    Machine,
    with_console,
)


def by_hand(machine: Machine) -> str:
    """A command for a shell. The image stays as it is; Ctrl-a x ends the machine."""
    disk = machine.disk.replace(",", ",,")
    argv = [PROGRAM, "-nographic", "-snapshot", "-m", f"{machine.memory >> 20}M", "-cpu", "max"]
    argv += ["-accel", machine.accelerator]
    argv += ["-drive", f"file={disk},format={machine.format},if=virtio"]
    if machine.kernel:
        argv += ["-kernel", machine.kernel, "-append", with_console(machine.append)]
        argv += ["-initrd", machine.initrd] if machine.initrd else []
    return shlex.join(argv)
