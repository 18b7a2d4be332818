# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clean root filesystems to run strangers' code in: namespaces and subordinate users, no privileges.

A sandbox is an overlay over a shared, read-only root filesystem. The command
runs as root of a user namespace whose users are subordinate ids (subuid(5)) of
the caller, never the caller itself, in its own mount, process, IPC and host
name namespaces, and without a network unless asked for. Whatever happens to
the caller, the kernel takes the mounts and processes away with it.
"""

from __future__ import annotations

import fnmatch
import inspect
import json
import os
import pwd
import re
import shutil
import stat
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import (
    _command,
    _sandbox_init,
    _subordinate_ids,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

PYTHON = "/usr/bin/python3"  # the distribution's: readable by every user, unlike one in a home
_IDS = 65536
_BLOCK = 1 << 20
# What the kernel ends with the caller: unshare, and through --kill-child all that is inside.
WITH_CALLER = ["setpriv", "--pdeathsig", "KILL", "--"]
_ARTIFACT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_~^:%-]*")


def _first_id(database: str) -> int:
    try:  # never the environment, which may still name the user that called sudo
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = str(os.getuid())
    names = {user, str(os.getuid())}
    for name, first, count in _subordinate_ids.ranges(database):
        if name in names and count >= _IDS:
            return first
    raise DistrogateError(
        "no_subordinate_ids",
        f"The user {user} has no {_IDS} subordinate ids in {database}. Apply the role distrogate.ci.builder"
        f" to this host, or run: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}",
    )


def unshare(*flags: str) -> list[str]:
    """``unshare`` with the caller as root, its subordinate ids as 1 to 65536 (unshare(1), newuidmap(1))."""
    users, groups = _first_id("/etc/subuid"), _first_id("/etc/subgid")
    return [
        "unshare",
        "--map-root-user",
        f"--map-users={users},1,{_IDS}",
        f"--map-groups={groups},1,{_IDS}",
        *flags,
        "--",
    ]


def _with_groups(devices: t.Sequence[str]) -> list[str]:
    """Root has no group of its own to bring along: it takes those of the devices, and no more."""
    if not devices or os.geteuid() != 0:
        return []
    groups = sorted({os.stat(f"/dev/{name}").st_gid for name in devices})
    return ["setpriv", f"--groups={','.join(map(str, groups))}", "--"]


def init_program(module: t.Any = _sandbox_init) -> int:
    """A descriptor of the first process's program text (which lives in a zip file when a module runs)."""
    source = inspect.getsource(module)
    descriptor = os.memfd_create("sandbox-init", 0)
    os.write(descriptor, source.encode())
    return descriptor


def unpack(archive: str, target: str, log: str | None = None, timeout: float = 1800) -> None:
    """Unpack a root filesystem's tar file into the new folder ``target``, owned by subordinate ids."""
    os.mkdir(target, 0o755)
    _command.run([*unshare(), "chown", "1:1", "."], directory=target, timeout=60)
    users, groups = _first_id("/etc/subuid"), _first_id("/etc/subgid")
    mapped = [
        "unshare",
        f"--map-users={users},0,{_IDS}",
        f"--map-groups={groups},0,{_IDS}",
        "--setuid=0",
        "--setgid=0",
    ]
    options = ["--extract", "--numeric-owner", "--exclude=./dev/*", "--file=-"]
    with open(archive, "rb") as stream:
        # After the change of users, which makes the kernel forget whom to end with.
        argv = [*mapped, "--", *WITH_CALLER, "tar", *options]
        _command.run(argv, directory=target, timeout=timeout, log=log, stdin=stream)
    # An archive without devices may have no folder for them; whatever else is there is the sandbox's matter.
    _command.run([*mapped, "--", "mkdir", "-p", "dev"], directory=target, timeout=60, check=False)


def remove_folder(path: str) -> None:
    """Remove a folder and what sandboxes left in it, never following a link or a mount."""
    parent, name = os.path.split(os.path.abspath(path))
    parent = os.path.realpath(parent)
    whole = os.path.join(parent, name)
    if not os.path.lexists(whole):
        return
    for point in mount_points():
        if point == whole or point.startswith(whole + "/"):
            raise DistrogateError(
                "is_mounted", f"{point} is mounted; {path} was left alone. Unmount it first."
            )
    argv = [*unshare(), *WITH_CALLER, "rm", "-rf", "--one-file-system", "--", name]
    _command.run(argv, directory=parent, timeout=1800)


def move_folder(source: str, target: str) -> None:
    """Rename a folder that belongs to subordinate ids: into another one only its owner's root may."""
    try:
        os.rename(source, target)
    except PermissionError:
        _command.run([*unshare(), "mv", "--no-target-directory", "--", source, target], timeout=600)


def mount_points() -> list[str]:
    """Where something is mounted, for this process (proc(5), mountinfo)."""
    with open("/proc/self/mountinfo", "rb") as stream:
        fields = [line.split(b" ")[4] for line in stream]
    return [os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda m: bytes([int(m[1], 8)]), f)) for f in fields]


class Sandbox:
    """One overlay over ``rootfs`` in ``directory`` (made here; ``remove`` takes it away).

    With ``overlay=False`` commands change ``rootfs`` itself: for preparing one.
    """

    def __init__(self, directory: str, rootfs: str, overlay: bool = True) -> None:
        self.directory = os.path.abspath(directory)
        self.rootfs = os.path.realpath(rootfs)  # a link may move to a newer one meanwhile
        self.overlay = overlay
        if not os.path.isdir(rootfs):
            raise DistrogateError(
                "no_rootfs", f"There is no root filesystem at {rootfs}. Run the playbook prepare."
            )

    def __enter__(self) -> Sandbox:
        self.remove()  # what a killed caller left must not be in a fresh one
        self.create()
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()

    def create(self) -> None:
        """Make the folders; an existing sandbox is kept."""
        for name in ("root", "upper", "work"):
            os.makedirs(os.path.join(self.directory, name), exist_ok=True)

    def remove(self) -> None:
        remove_folder(self.directory)

    def command(
        self,
        argv: list[str],
        *,
        network: bool = False,
        binds: t.Mapping[str, str] | None = None,
        environment: dict[str, str] | None = None,
        directory: str = "/",
        user: int = 0,
        devices: t.Sequence[str] = (),
    ) -> tuple[list[str], int]:
        """The argument list that runs ``argv`` inside, and the descriptor that it inherits.

        ``binds`` maps a path inside to a path outside, read-only. ``devices`` are names
        in /dev that it may use as far as the caller's groups may (for root: the devices' own
        groups). The caller runs it with the sandbox's ``directory`` as working folder and
        closes the descriptor.
        """
        outside = {inside: os.path.abspath(path) for inside, path in (binds or {}).items()}
        if network and os.path.exists("/etc/resolv.conf"):
            outside["/etc/resolv.conf"] = os.path.realpath("/etc/resolv.conf")
        program = init_program()
        spec = {
            "overlay": self.overlay,
            "lower": self.rootfs,
            "binds": outside,
            "network": network,
            "hostname": "sandbox",
            "argv": argv,
            "environment": {
                "HOME": "/root" if not user else "/",
                **_command.base_environment(**(environment or {})),
            },
            "directory": directory,
            "user": user,
            "devices": list(devices),
        }
        flags = ["--mount", "--pid", "--fork", "--kill-child", "--ipc", "--uts", "--mount-proc"]
        mapping = unshare(*flags, *([] if network else ["--net"]))
        inside = [PYTHON, "-I", f"/proc/self/fd/{program}", json.dumps(spec)]
        return [*_with_groups(devices), *WITH_CALLER, *mapping, *inside], program

    def run(
        self,
        argv: list[str],
        *,
        timeout: float = 3600,
        log: str | None = None,
        stdin: bytes | t.BinaryIO = b"",
        check: bool = True,
        **options: t.Any,
    ) -> _command.Completed:
        """Run ``argv`` inside and wait; options as for ``command``. Errors as for ``_command.run``."""
        outer, program = self.command(argv, **options)
        if log is not None:
            with open(log, "ab") as stream:
                stream.write(("sandbox$ " + " ".join(argv) + "\n").encode("utf-8", "replace"))
        try:
            done = _command.run(
                outer,
                directory=self.directory,
                timeout=timeout,
                log=log,
                stdin=stdin,
                check=False,
                pass_fds=[program],
                announce=False,
                name=argv[0],
            )
        finally:
            os.close(program)
        if done.status == 125 and b"sandbox: " in done.stdout + done.stderr:
            raise DistrogateError("sandbox_failed", f"The sandbox could not be made: {done.tail(3)}", log=log)
        if check and done.status:
            raise _command.failed(argv, done, log)
        return _command.Completed(argv, done.status, done.stdout, done.stderr)

    def collect(
        self,
        folder: str,
        patterns: t.Sequence[str],
        target: str,
        *,
        without: t.Sequence[str] = (),
        limit: int = 4 << 30,
    ) -> list[str]:
        """Copy regular files of one folder inside out to ``target``; returns the new paths.

        Nothing inside is trusted: links are never followed, names are those of
        packages (else ``bad_name``), no file of ``target`` is replaced
        (``artifact_exists``), and more than ``limit`` bytes in all are refused
        (``too_large``). What is in ``without`` is left out.
        """
        current = os.open(os.path.join(self.directory, "upper"), os.O_PATH | os.O_DIRECTORY)
        try:
            for part in folder.strip("/").split("/"):
                following = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=current)
                os.close(current)
                current = following
            names = [n for n in os.listdir(current) if _matches(n, patterns) and not _matches(n, without)]
            paths = []
            for name in sorted(names):
                path, size = _copy_out(current, name, target, limit)
                limit -= size
                paths += [path] if path else []
            return paths
        except OSError as error:
            raise DistrogateError(
                "not_collected",
                f"{folder} of the sandbox cannot be read: {error.strerror} ({error.filename}).",
            ) from error
        finally:
            os.close(current)


def _matches(name: str, patterns: t.Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _copy_out(folder: int, name: str, target: str, limit: int) -> tuple[str, int]:
    """The new path and its bytes; an empty path for what is no regular file."""
    if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        return "", 0
    if not _ARTIFACT.fullmatch(name):
        raise DistrogateError("bad_name", f"The build made a file with the name {name!r}; it is not taken.")
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as source:
        size = os.fstat(source.fileno()).st_size
        if size > limit:
            raise DistrogateError("too_large", f"The build's {name} has {size} bytes; {limit} are allowed.")
        path = os.path.join(target, name)
        try:
            with open(path, "xb") as out:
                shutil.copyfileobj(source, out, _BLOCK)
        except FileExistsError as error:
            raise DistrogateError(
                "artifact_exists", f"Two builds of this stage make a file {name}; only one was taken."
            ) from error
    return path, size
