# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Booting an image as its user would, and looking at it: its console, then commands and tests over ssh."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import tempfile
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import TEMPORARY
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Suite
from ansible_collections.distrogate.ci.plugins.module_utils._images import _checks, _disk, _qemu
from ansible_collections.distrogate.ci.plugins.module_utils._images._accelerator import accelerator
from ansible_collections.distrogate.ci.plugins.module_utils._images._boot_by_hand import by_hand
from ansible_collections.distrogate.ci.plugins.module_utils._images._console import FAIL_ON, Console, Log
from ansible_collections.distrogate.ci.plugins.module_utils._images._qemu import Guest, Machine
from ansible_collections.distrogate.ci.plugins.module_utils._images._ssh import Access

_LOOK = 0.2  # seconds between two looks at a console that says nothing special
_QUIET = 0.5  # seconds without a word after a login prompt, until it is answered
_ANSWER = 10.0  # seconds that a prompt is given to come again
_SILENT = 15.0  # seconds without a word until that is said, too
_ENTER = b"\r"
_SPARE = 1 << 28  # bytes of free space that are left to others


@dataclasses.dataclass(frozen=True)
class Image:
    """What is booted. ``kernel``, ``initrd`` and ``append`` are for a disk without a boot loader.

    ``beside`` are the sha256 of kernel and initrd.
    """

    name: str
    path: str
    format: str
    sha256: str = ""
    key: str = ""
    kernel: str = ""
    initrd: str = ""
    append: str = ""
    beside: dict[str, str] = dataclasses.field(default_factory=dict)

    def said(self) -> dict[str, str]:
        """What it boots with: another kernel or command line is another boot."""
        return {**self.beside, "append": self.append} if self.beside else {}


@dataclasses.dataclass(frozen=True)
class Terms:
    """What a boot must show, and what it may take; see the module image_boot."""

    wait_for: str = ""
    fail_on: tuple[str, ...] = ()
    checks: _checks.Checks = dataclasses.field(default_factory=_checks.Checks)
    accelerator: str = "auto"
    memory: int = 1 << 30
    writes: int = 8 << 30
    timeout: float = 900


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a boot test works, and to whom it speaks."""

    scratch: str
    log: str
    suite: Suite
    say: t.Callable[[str], None]
    results: str = ""  # a file for the results of testinfra


def boot(image: Image, terms: Terms, place: Place) -> dict[str, t.Any]:
    """Boot one image and run its checks; returns ``accelerator``, ``seconds`` (to the login), ``checks``.

    Errors: those of ``_disk.look``, ``not_bootable``, ``boot_failed`` (with ``console``), ``boot_timeout``,
    ``no_ssh``, ``check_failed``.
    """
    with contextlib.ExitStack() as stack:
        log = Log(place.log)
        stack.callback(log.close)
        with place.suite.case("boots", image.name):
            machine, why = _machine(image, terms, place)
            console = Console(log, terms.wait_for, (*FAIL_ON, *terms.fail_on))
            log.write(f"--- {image.name}: boots with {machine.accelerator} ({why})")
            log.write(f"--- by hand: {by_hand(machine)}")
            if terms.checks.wanted:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=TEMPORARY))
                access = Access(folder, terms.checks.user)
                machine = dataclasses.replace(machine, ssh=True, seed=access.seed, strings=access.strings)
            box = stack.enter_context(_qemu.sandbox(place.scratch))
            guest = stack.enter_context(Guest(box, machine, console))
            watch = Watch(image.name, guest, console, terms, place)
            seconds = watch.until_up()
        done: list[str] = []
        if terms.checks.wanted:
            stack.enter_context(access.open(guest.pid, _qemu.PORT))
            done = _checks.run(terms.checks, access, watch, place.scratch, place.results)
        log.write(f"--- {image.name}: booted in {seconds:.1f} s; {len(done)} checks")
        return {"accelerator": machine.accelerator, "seconds": round(seconds, 1), "checks": done}


def _machine(image: Image, terms: Terms, place: Place) -> tuple[Machine, str]:
    disk = _disk.look(image.path, image.format)
    os.makedirs(place.scratch, exist_ok=True)
    direct = not _qemu.boots_itself(place.scratch, disk)
    if direct and not image.kernel:
        raise DistrogateError(
            "not_bootable",
            f"{image.name} has no boot loader in its first sector, and no kernel lies beside it."
            " Put a kernel or a boot loader into the image, or leave it out of the boot test.",
        )
    chosen, why = accelerator(place.scratch, terms.accelerator)
    machine = Machine(
        disk=os.path.abspath(image.path),
        format=image.format,
        kernel=os.path.abspath(image.kernel) if direct else "",
        initrd=os.path.abspath(image.initrd) if direct and image.initrd else "",
        append=image.append,
        memory=_memory(terms.memory),
        writes=_writes(place.scratch, terms.writes),
        accelerator=chosen,
    )
    return machine, why


def _memory(wanted: int) -> int:
    """Refused when the host has not got it: else the kernel would end somebody, some time."""
    with open("/proc/meminfo", encoding="ascii") as stream:
        found = re.search(r"^MemAvailable: +(\d+) kB", stream.read(), re.MULTILINE)
    free = int(found[1]) << 10 if found else wanted
    if wanted < 16 << 20 or wanted > free:
        raise DistrogateError(
            "no_memory",
            f"The machine is to have {wanted >> 20} MiB of memory; this host has {free >> 20} MiB free."
            " Set memory to what an instance of this image has, and run fewer at once.",
        )
    return wanted


def _writes(scratch: str, wanted: int) -> int:
    """What the machine may write: never so much that the host's disk gets full."""
    status = os.statvfs(scratch)
    room = status.f_bavail * status.f_frsize - _SPARE
    if room < min(wanted, _SPARE):
        raise DistrogateError(
            "no_space", f"{scratch} has no room for what a machine writes. Make room, and try again."
        )
    return min(wanted, room // 2)


class Watch:
    """Follows one machine until it is up, and as long as it is looked at."""

    def __init__(self, name: str, guest: Guest, console: Console, terms: Terms, place: Place) -> None:
        self.name = name
        self.console = console
        self.suite = place.suite
        self._guest = guest
        self._terms = terms
        self._place = place
        self._begun = time.monotonic()
        self.deadline = self._begun + terms.timeout

    def say(self, text: str) -> None:
        self._place.say(f"{self.name}, {time.monotonic() - self._begun:.0f} s: {text}")

    def gone(self) -> bool:
        """Whether it says that something is wrong, or has ended."""
        return bool(self.console.bad) or self.console.ended

    def until_up(self) -> float:
        """Wait for the line, or for a login prompt that answers; returns the seconds it took."""
        console, enter, asked = self.console, -1, 0.0
        while True:
            with console.changed:
                console.changed.wait(min(_LOOK, max(0.0, self.deadline - time.monotonic())))
                now = time.monotonic()
                self.check()
                if console.found or (enter >= 0 and console.prompt(after=enter)):
                    return now - self._begun
                silent = now - console.heard
                ready = console.prompted and silent >= _QUIET and now - asked >= _ANSWER
                if ready := ready and not self._terms.wait_for:
                    enter, asked = console.received, now
            if ready:  # whoever prints "login:" does not always read a name; a login prompts again
                self._guest.type(_ENTER)
            if now >= self.deadline:
                raise self._late(enter >= 0)
            line = "".join(console.last(1, whole=True))
            since = f"silent for {silent:.0f} s, since: " if silent >= _SILENT else ""
            self.say(since + line if line else "no word on the console yet")

    def _late(self, asked: bool) -> DistrogateError:
        what = repr(self._terms.wait_for) if self._terms.wait_for else "a login prompt"
        why = f"its console did not show {what}"
        if asked:
            why = "its console showed a login prompt, but nobody answered there"
        elif self._terms.wait_for and self.console.prompted:
            why = f"it booted to a login prompt, but did not show {what}: look what is to say that"
        return self.failure(
            "boot_timeout", f"{self.name} was not up within {self._terms.timeout:g} s: {why}."
        )

    def check(self) -> None:
        """Error ``boot_failed`` when the machine failed."""
        if self.console.bad:
            raise self.failure("boot_failed", f"{self.name} failed: its console says {self.console.bad!r}.")
        if self.console.ended:
            status = self._guest.status
            said = "\n".join(self.console.last())
            if status == 125 and "sandbox: " in said:
                raise DistrogateError("sandbox_failed", f"The sandbox could not be made: {said}")
            if status:
                raise self.failure("qemu_failed", f"QEMU ended with status {status} instead of {self.name}.")
            raise self.failure("boot_failed", f"{self.name} did not stay up: it switched off or restarted.")

    def failure(self, reason: str, sentence: str) -> DistrogateError:
        """An error with the console's last lines."""
        last = self.console.last()
        text = "\n".join(last) or "(nothing)"
        return DistrogateError(
            reason, f"{sentence}\nThe console's last lines:\n{text}", console=last, log=self._place.log
        )
