# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first process inside a build place: makes a root of read-only parts of the host, runs one command.

Runs as its own program (``python3 -I``, standard library only) after
``unshare`` gave it new namespaces. ``argv`` is the place's folder, and the
number of a file that holds the JSON which ``_place.BuildPlace`` writes.

The command runs in a second user namespace below the first, in which only the
caller's subordinate ids exist: it has no rights over the mounts made here, nor
over anything of the host.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import sys
import threading
import typing as t

# linux/mount.h, linux/prctl.h, linux/sched.h
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME, MS_NODIRATIME = 1, 2, 4, 8, 1024, 2048
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE, MS_RELATIME = 32, 4096, 16384, 1 << 18, 1 << 21
FLAGS = {
    "nosuid": MS_NOSUID,
    "nodev": MS_NODEV,
    "noexec": MS_NOEXEC,
    "noatime": MS_NOATIME,
    "nodiratime": MS_NODIRATIME,
    "relatime": MS_RELATIME,
}
PR_SET_PDEATHSIG = 1
MNT_DETACH = 2
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID = 0x10000000, 0x20000000
IDS = 65536
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
# What a build sees of the host, never to write; all else does not exist for it.
HOST = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "opt", "var/lib/dpkg")

libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str, path: str = "") -> None:
    """Raise OSError when a call of the C library failed."""
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}", path)


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2)."""
    arguments = [os.fsencode(value) or None for value in (source, target, kind)]
    result = libc.mount(*arguments, ctypes.c_ulong(flags), data.encode() or None)
    checked(result, f"mount {kind or source}", target)


def mounts_at(path: str) -> list[tuple[str, int]]:
    """Where something is mounted at or below a path, and its flags (proc(5), mountinfo)."""
    found = []
    with open("/proc/self/mountinfo", "rb") as stream:
        for line in stream:
            fields = line.split(b" ")
            raw = re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), fields[4])
            point = os.fsdecode(raw)
            if point == path or point.startswith(path + "/"):
                names = fields[5].decode().split(",")
                found.append((point, sum(FLAGS.get(name, 0) for name in names)))
    return found


def bind(source: str, target: str, writable: bool = False) -> None:
    """Bind a folder with what is mounted below it, or a file."""
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    mount(source, target, flags=MS_BIND | MS_REC)
    if not writable:
        for point, flags in mounts_at(target):
            mount("none", point, flags=MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV | flags)


def make_dev(root: str) -> None:
    """A /dev of the build's own, without disks."""
    dev = f"{root}/dev"
    os.mkdir(dev, 0o755)
    mount("tmpfs", dev, "tmpfs", MS_NOSUID, "mode=755,size=64k")
    for name in DEVICES:
        os.close(os.open(f"{dev}/{name}", os.O_CREAT | os.O_WRONLY, 0o666))
        mount(f"/dev/{name}", f"{dev}/{name}", flags=MS_BIND)
    for name in ("pts", "shm"):
        os.mkdir(f"{dev}/{name}")
    mount("devpts", f"{dev}/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    mount("tmpfs", f"{dev}/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=256m,nr_inodes=64k")
    links = {"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
    for name, target in links.items():
        os.symlink(target, f"{dev}/{name}")


def make_root(spec: dict[str, t.Any]) -> None:
    """Assemble ``root/`` from parts of the host, and what was given."""
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    root = os.path.join(spec["place"], "root")
    mount("tmpfs", root, "tmpfs", MS_NOSUID, "mode=755,size=64m")
    for name in HOST:
        if os.path.islink(f"/{name}"):
            os.symlink(os.readlink(f"/{name}"), f"{root}/{name}")
        elif os.path.isdir(f"/{name}"):
            bind(f"/{name}", f"{root}/{name}")
    os.mkdir(f"{root}/proc")
    mount("proc", f"{root}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    bind("/sys", f"{root}/sys")
    make_dev(root)
    os.makedirs(f"{root}/run/lock")
    for name in ("var/tmp", "tmp"):
        bind(os.path.join(spec["place"], "tmp"), f"{root}/{name}", writable=True)
    names = os.path.realpath("/etc/resolv.conf")
    if names.startswith("/run/") and os.path.isfile(names):
        os.makedirs(root + os.path.dirname(names), exist_ok=True)
        shutil.copyfile(names, root + names)
    for binds, writable in ((spec["binds"], False), (spec["writable"], True)):
        for target, source in sorted(binds.items()):
            bind(source, root + target, writable)
    os.chdir(root)


def enter_root() -> None:
    """Make the current folder the root and forget the old one."""
    checked(libc.pivot_root(b".", b"."), "pivot_root")
    checked(libc.umount2(b".", MNT_DETACH), "umount")
    os.chdir("/")


def reap(child: int) -> int:
    """Wait for a child, and for orphans meanwhile; its status as a shell tells it."""
    while True:
        process, status = os.wait()
        if process == child:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def execute(spec: dict[str, t.Any]) -> t.NoReturn:
    """In the child: become the command."""
    try:
        os.chdir(spec["directory"])
        os.closerange(3, 256)
        os.execvpe(spec["argv"][0], spec["argv"], spec["environment"])
    except OSError as error:
        os.write(2, f"{spec['argv'][0]}: {error.strerror}\n".encode())
    os._exit(127)


def run_below(spec: dict[str, t.Any], ready: int, mapped: int) -> t.NoReturn:
    """In the child: leave the caller's user behind, then run the command as root of subordinate ids."""
    status = 125
    try:
        flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS
        checked(libc.unshare(flags), "unshare")
        os.close(ready)
        os.read(mapped, 1)
        os.setresgid(0, 0, 0)
        os.setgroups([])
        os.setresuid(0, 0, 0)
        first = os.fork()
        if first == 0:
            mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
            child = os.fork()
            if child == 0:
                execute(spec)
            os._exit(reap(child))
        status = reap(first)
    except OSError as error:
        os.write(2, f"place: {error.strerror}: {error.filename}\n".encode())
    os._exit(status)


def start(spec: dict[str, t.Any]) -> int:
    """Start the command; returns the process to wait for."""
    ready_read, ready_write = os.pipe()
    mapped_read, mapped_write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ready_read)
        os.close(mapped_write)
        run_below(spec, ready_write, mapped_read)
    os.close(ready_write)
    os.read(ready_read, 1)
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{child}/{name}", "w", encoding="ascii") as stream:
            stream.write(f"0 1 {IDS}")
    os.close(mapped_write)
    return child


def follow(lifeline: int) -> None:
    """End with the caller, however that ends: the kernel takes all that is in here away with this process."""

    def wait() -> None:
        os.read(lifeline, 1)
        os._exit(124)

    threading.Thread(target=wait, daemon=True).start()


def main() -> int:
    """Set up, enter, run; status 125 means that the place itself could not be made."""
    with open(f"/proc/self/fd/{sys.argv[2]}", encoding="utf-8") as stream:
        spec = json.load(stream)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    try:
        os.umask(0o022)
        make_root(spec)
        socket.sethostname(spec["hostname"])
        enter_root()
        child = start(spec)
        follow(spec["lifeline"])
        return reap(child)
    except OSError as error:
        os.write(2, f"place: {error.strerror}: {error.filename}\n".encode())
    return 125


if __name__ == "__main__":
    os._exit(main())
