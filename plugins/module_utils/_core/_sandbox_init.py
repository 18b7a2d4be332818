# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first process inside a sandbox: makes the root, enters it, runs one command.

Runs as its own program (``python3 -I``, standard library only) after
``unshare`` gave it new namespaces. ``argv[1]`` is the JSON that
``_sandbox.Sandbox`` writes. The working folder holds ``upper/``, ``work/`` and
``root/``.

Two user namespaces, one in the other: the outer one, in which the caller is
root and its subordinate ids are 1 to 65536, makes the mounts, because only the
caller can reach its own folders. The command runs in the inner one, in which
the subordinate ids are 0 to 65535 and the caller does not exist, and it has no
rights over the mounts.

From ``enter_root`` on, nothing may be imported, no codec looked up and no
traceback printed: Python would load these from the sandbox's own files.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import signal
import socket
import struct
import sys
import typing as t

# linux/mount.h, linux/prctl.h, linux/if.h, linux/sockios.h
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG = 1
MNT_DETACH = 2
CLONE_NEWUSER = 0x10000000  # linux/sched.h
IDS = 65536
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2), raising OSError with the target's name."""
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = [value.encode() or None for value in (source, target, kind)]
    if libc.mount(*arguments, ctypes.c_ulong(flags), data.encode() or None):
        number = ctypes.get_errno()
        raise OSError(number, f"mount {kind or source}: {os.strerror(number)}", target)


def complain(text: str) -> None:
    """One line on standard error."""
    os.write(2, text.encode("utf-8", "replace") + b"\n")


def enter_root() -> None:
    """Make the current folder the root and forget the old one; a mere chroot forbids user namespaces."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.pivot_root(b".", b".") or libc.umount2(b".", MNT_DETACH):
        number = ctypes.get_errno()
        raise OSError(number, f"pivot_root: {os.strerror(number)}")
    os.chdir("/")


def bind_read_only(source: str, target: str) -> None:
    """Bind one folder or file, without what is mounted below it."""
    mount(source, target, flags=MS_BIND)
    mount("none", target, flags=MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def touch(path: str) -> None:
    """An empty file to mount over; never through a link that the root holds, nor waiting for a pipe."""
    os.close(os.open(path, os.O_CREAT | os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644))


def make_folders(path: str) -> None:
    """Folders to mount over, owned by the sandbox's root; a link on the way is refused."""
    current = ""
    for part in filter(None, path.split("/")):
        current = os.path.join(current, part)
        if not os.path.lexists(current):
            os.mkdir(current, 0o755)
            os.chown(current, 1, 1)
        elif os.path.islink(current):
            raise OSError(errno.ELOOP, f"{current} is a link", current)


def escaped(path: str) -> str:
    """A path as overlayfs takes it among its options."""
    for character in "\\:,":
        path = path.replace(character, "\\" + character)
    return path


def make_root(spec: dict[str, t.Any]) -> None:
    """Assemble ``root/``: the overlay (or the tree itself), /proc, /dev, the bound folders."""
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    if spec["overlay"]:
        os.chown("upper", 1, 1)
        mount(
            "overlay",
            "root",
            "overlay",
            MS_NODEV,
            f"lowerdir={escaped(spec['lower'])},upperdir=upper,workdir=work,userxattr",
        )
    else:
        mount(spec["lower"], "root", flags=MS_BIND)
    os.chdir("root")
    for name in ("proc", "dev"):
        make_folders(name)  # refuses a link, through which the mount would go astray
    mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755,size=64k")
    for name in (*DEVICES, *spec["devices"]):
        touch(f"dev/{name}")
        mount(f"/dev/{name}", f"dev/{name}", flags=MS_BIND)
    for name in ("shm", "pts"):
        os.mkdir(f"dev/{name}")
    mount("tmpfs", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(target, f"dev/{name}")
    for target, source in spec["binds"].items():
        path = target.lstrip("/")
        if os.path.isdir(source):
            make_folders(path)
        else:
            make_folders(os.path.dirname(path))
            if spec["overlay"] and os.path.islink(path):
                os.unlink(path)  # such as a resolv.conf that leads to a daemon's folder
            touch(path)
        bind_read_only(source, path)


def loopback_up() -> None:
    """Without a network the tests still have 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def enter_user_namespace(ready: int, mapped: int) -> None:
    """Leave the caller's user behind; ``run_command`` writes the maps meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER):
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)}")
    os.close(ready)
    os.read(mapped, 1)


def execute(argv: list[str], environment: dict[str, str]) -> t.NoReturn:
    """execvpe(3); that of the module os imports while it runs."""
    folders = [""] if "/" in argv[0] else environment["PATH"].split(":")
    for folder in folders:
        try:
            os.execve(f"{folder}/{argv[0]}" if folder else argv[0], argv, environment)
        except (FileNotFoundError, NotADirectoryError):
            continue
    raise FileNotFoundError(2, "No such file or directory")


def start_command(spec: dict[str, t.Any], ready: int, mapped: int) -> t.NoReturn:
    """In the child: become the sandbox's user and execute the command."""
    try:
        enter_user_namespace(ready, mapped)
        os.setresgid(spec["user"], spec["user"], spec["user"])
        if not spec["devices"]:
            os.setgroups([])
        os.setresuid(spec["user"], spec["user"], spec["user"])
        os.chdir(spec["directory"])
        os.closerange(3, 256)
        execute(spec["argv"], spec["environment"])
    except OSError as error:
        complain(f"{spec['argv'][0]}: {error.strerror}")
    except Exception as error:  # noqa: BLE001  # a traceback would be made with the sandbox's files
        complain(f"{spec['argv'][0]}: {error}")
    os._exit(127)


def run_command(spec: dict[str, t.Any]) -> int:
    """Run the command as a child, so that it is not process 1; reap orphans until it ends."""
    ready_read, ready_write = os.pipe()
    mapped_read, mapped_write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ready_read)
        os.close(mapped_write)
        start_command(spec, ready_write, mapped_read)
    os.close(ready_write)
    os.read(ready_read, 1)
    for name in ("uid_map", "gid_map"):
        descriptor = os.open(f"/proc/{child}/{name}", os.O_WRONLY)
        os.write(descriptor, b"0 1 %d" % IDS)
        os.close(descriptor)
    os.close(mapped_write)
    while True:
        process, status = os.wait()
        if process == child:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def main() -> int:
    """Set up, enter, run; status 125 means that the sandbox itself could not be made."""
    spec = json.loads(sys.argv[1])
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    try:
        os.umask(0o022)
        make_root(spec)
        socket.sethostname(spec["hostname"])
        if not spec["network"]:
            loopback_up()
        enter_root()
        return run_command(spec)
    except OSError as error:
        complain(f"sandbox: {error.strerror}: {error.filename}")
    except Exception as error:  # noqa: BLE001  # a traceback would be made with the sandbox's files
        complain(f"sandbox: {error}")
    return 125


if __name__ == "__main__":
    os._exit(main())
