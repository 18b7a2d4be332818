# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""QEMU in a sandbox of its own: the host's programs, one image, and nothing else; no network, no privileges.

The kernel ends it with its caller (``_sandbox``). What the machine writes goes into a file without a name
in the sandbox, never into the image.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import subprocess
import threading
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import Sandbox
from ansible_collections.distrogate.ci.plugins.module_utils._images import _disk
from ansible_collections.distrogate.ci.plugins.module_utils._images._console import Console

PROGRAM = "qemu-system-x86_64"
PORT = 2222  # of the sandbox's own 127.0.0.1, which nobody outside reaches
_USER = 1000
_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_BINDS = ("/usr", "/etc/alternatives", "/etc/ld.so.cache")
_BLOCK = 1 << 16
_PAUSE = 0.01  # seconds
_SECURE = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"


@dataclasses.dataclass(frozen=True)
class Machine:
    """What is booted, and on what. ``kernel`` is empty when the disk has a boot loader.

    ``memory`` and ``writes`` (what the machine may write to its disk) are in bytes. ``strings`` are
    SMBIOS strings, ``seed`` is a folder that it sees as a disk with the label cidata.
    """

    disk: str
    format: str
    kernel: str = ""
    initrd: str = ""
    append: str = ""
    memory: int = 1 << 30
    writes: int = 8 << 30
    accelerator: str = "tcg"
    ssh: bool = False
    strings: tuple[str, ...] = ()
    seed: str = ""

    def binds(self) -> dict[str, str]:
        """Path inside: path outside."""
        found = {"/image/disk": self.disk, "/image/kernel": self.kernel, "/image/initrd": self.initrd}
        return {inside: path for inside, path in {**found, "/image/seed": self.seed}.items() if path}

    def argv(self) -> list[str]:
        drive = f"if=none,id=disk,file=/image/disk,format={self.format},snapshot=on"
        # A file that grows above the limit is an error on the machine's disk, not a signal to QEMU.
        argv = ["prlimit", f"--fsize={self.writes}", "--core=0", "--", "env", "--ignore-signal=XFSZ", PROGRAM]
        argv += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-sandbox", _SECURE]
        argv += ["-accel", "kvm" if self.accelerator == "kvm" else "tcg,tb-size=256", "-cpu", "max"]
        argv += ["-m", f"{self.memory >> 20}M", "-device", "virtio-rng-pci", "-drive", drive]
        argv += ["-device", "virtio-blk-pci,drive=disk,bootindex=1"]  # before all others: /dev/vda
        argv += ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
        if self.kernel:
            argv += ["-kernel", "/image/kernel", "-append", with_console(self.append)]
            argv += ["-initrd", "/image/initrd"] if self.initrd else []
        if self.ssh:
            forward = f"hostfwd=tcp:127.0.0.1:{PORT}-:22"
            argv += ["-netdev", f"user,id=net,restrict=on,ipv6=off,{forward}"]
            argv += ["-device", "virtio-net-pci,netdev=net"]
        if self.seed:
            argv += ["-blockdev", "vvfat,node-name=seed,dir=/image/seed,label=cidata,read-only=on"]
            argv += ["-device", "virtio-blk-pci,drive=seed"]
        for text in self.strings:
            argv += ["-smbios", f"type=11,value={text.replace(',', ',,')}"]
        return argv


def with_console(append: str) -> str:
    """A kernel says nothing on a serial line unless told to; the last console named is the main one."""
    words = append.split()
    return " ".join([*words, *([] if "console=ttyS0" in append else ["console=ttyS0,115200"])])


@contextlib.contextmanager
def sandbox(scratch: str) -> t.Iterator[Sandbox]:
    """A sandbox over an empty tree, for the host's own programs. Error ``missing_tool``."""
    if shutil.which(PROGRAM, path=_command.base_environment()["PATH"]) is None:
        raise DistrogateError(
            "missing_tool",
            f"The program {PROGRAM} is not installed on this machine. Install the packages"
            " qemu-system-x86 and qemu-utils.",
            tool=PROGRAM,
        )
    root = os.path.join(scratch, "root")
    for name in ("usr", "etc", "image", "proc", "dev", "var/tmp"):
        os.makedirs(os.path.join(root, name), exist_ok=True)
    os.chmod(os.path.join(root, "var/tmp"), 0o1777)
    for name in _LINKS:
        if os.path.islink(f"/{name}") and not os.path.lexists(os.path.join(root, name)):
            os.symlink(os.readlink(f"/{name}"), os.path.join(root, name))
    try:
        with Sandbox(os.path.join(scratch, "box"), root) as box:
            yield box
    finally:
        shutil.rmtree(root, ignore_errors=True)


def programs() -> dict[str, str]:
    """What a sandbox sees of the host, as binds."""
    paths = [*_BINDS, *(f"/{name}" for name in _LINKS if not os.path.islink(f"/{name}"))]
    return {path: path for path in paths if os.path.exists(path)}


def boots_itself(scratch: str, disk: _disk.Disk) -> bool:
    """Whether a disk has a boot loader; of a qcow2 image QEMU's own tool reads the first sector."""
    if disk.boots is not None:
        return disk.boots
    with sandbox(scratch) as box:
        argv = ["qemu-img", "dd", "-f", disk.format, "-O", "raw", f"bs={_disk.SECTOR}", "count=1"]
        limits = ["prlimit", "--as=4294967296", "--fsize=1048576", "--"]
        done = box.run(
            [*limits, *argv, "if=/image/disk", "of=/var/tmp/sector"],
            binds={**programs(), "/image/disk": disk.path},
            user=_USER,
            timeout=60,
            check=False,
        )
        if done.status:
            raise DistrogateError("bad_image", f"qemu-img cannot read {disk.path}: {done.tail(3)}")
        path = os.path.join(box.directory, "upper/var/tmp/sector")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as stream:
            return _disk.boots(stream.read(_disk.SECTOR))


class Guest:
    """A machine that runs; its console is read by a thread of its own, since it stands still otherwise."""

    def __init__(self, box: Sandbox, machine: Machine, console: Console) -> None:
        self._console = console
        argv, program = box.command(
            machine.argv(),
            binds={**programs(), **machine.binds()},
            user=_USER,
            devices=("kvm",) if machine.accelerator == "kvm" else (),
        )
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=box.directory,
                env=_command.base_environment(),
                start_new_session=True,
                pass_fds=[program],
            )
        finally:
            os.close(program)
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Guest:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.end()
        self._thread.join()  # until nobody holds the console any more: all of it has ended
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    @property
    def pid(self) -> int:
        """A process in the machine's network namespace."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """What it ended with; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(timeout=5 if self._console.ended else 0)
        return None

    def end(self) -> None:
        _command.end_group(self._process)

    def type(self, data: bytes) -> None:
        """Type on the console; a machine that has ended does not mind."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.write(data)
                self._process.stdin.flush()

    def _read(self) -> None:
        stream = self._process.stdout
        while stream is not None:
            data = os.read(stream.fileno(), _BLOCK)
            if not data:
                break
            self._console.feed(data)
            time.sleep(_PAUSE)  # a serial line comes byte by byte
        self._console.end()
