# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether KVM works here is found out by using it: a device that can be opened may still boot nothing."""

from __future__ import annotations

import base64
import os
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images._console import Console
from ansible_collections.distrogate.ci.plugins.module_utils._images._qemu import Guest, Machine, sandbox

_SECONDS = 5.0
# A boot sector that does what kernels do, with a letter on the serial line for each: real mode (r), page
# tables and long mode (l), a vector instruction (s), an interrupt of the timer (t). Its source is
# tests/unit/images/probe.s; a test compares them.
PROBE = (
    base64.b64decode(
        "+jHAjtiOwI7QvAB8uvgDsHLu/Ga/ABAAAA8i32YxwLkADGbzq2bHBgAQAyAAAGbHBgAgAzAAAGbHBgAwgwAAAA8g4GYNIAYAAA8i"
        "4Ga5gAAAwA8yZg0AAQAADzAPARbjfA8gwGaD4PtmDQMAAIAPIsDqdnwIAGa6+AOwbO5mD+/AsHPuSMfHAEAAALjWfAAAZokEJQBC"
        "AABmxwQlAkIAAAgAZscEJQRCAAAAjg8BHCX5fAAAsBHmILAg5iGwBOYhsAHmIbD+5iGwNOZDMcDmQOZA+/Tr/Wa6+AOwdO6wIOYg"
        "SM8PAOl8AAAAAAAAAAAAAAAAAAAAmiAADwIAQA=="
    ).ljust(510, b"\0")
    + b"\x55\xaa"
)


class _Silent:
    """A log that nobody keeps."""

    def write(self, _line: str) -> None:
        return


def accelerator(scratch: str, wanted: str, device: str = "/dev/kvm") -> tuple[str, str]:
    """``kvm`` or ``tcg`` (emulation), and why. ``wanted``: one of them, or ``auto``.

    Error ``no_kvm``: it is wanted, and does not work.
    """
    if wanted == "tcg":
        return "tcg", "asked for"
    why = _why_not(scratch, device)
    if not why:
        return "kvm", "KVM works here"
    if wanted == "kvm":
        raise DistrogateError("no_kvm", f"KVM does not work here: {why}. Let accelerator be auto or tcg.")
    return "tcg", f"KVM does not work here: {why}"


def _why_not(scratch: str, device: str) -> str:
    """Boot the probe; empty when all of it worked."""
    if not os.path.exists(device):
        return f"there is no {device}"
    path = os.path.join(scratch, "probe")
    os.makedirs(scratch, exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(PROBE)
        stream.truncate(1 << 20)  # a virtual BIOS reads no smaller disk
    os.chmod(path, 0o644)
    console = Console(t.cast(t.Any, _Silent()), wait_for="rlstt", fail_on=("KVM internal error", "failed to"))
    machine = Machine(path, "raw", memory=32 << 20, accelerator="kvm")
    try:
        with sandbox(scratch) as box, Guest(box, machine, console):
            return _watch(console)
    finally:
        os.unlink(path)


def _watch(console: Console) -> str:
    deadline = time.monotonic() + _SECONDS
    with console.changed:
        console.changed.wait_for(
            lambda: console.found or console.bad or console.ended, max(0.0, deadline - time.monotonic())
        )
    if console.found:
        return ""
    said = " / ".join(console.last(2))
    return f"a tiny machine did not start with it ({said or 'it said nothing'})"
