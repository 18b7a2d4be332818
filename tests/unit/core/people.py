# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small root filesystem made of busybox, and code that runs as an ordinary user."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import pathlib
import pickle
import pwd
import shutil
import subprocess
import tarfile
import tempfile
import time
import traceback
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _sandbox
from ansible_collections.distrogate.ci.plugins.module_utils._core._subordinate_ids import (
    free_range,
    has_range,
)

BUSYBOX = shutil.which("busybox", path="/usr/bin:/bin") or "/bin/busybox"
FOLDERS = ("bin", "proc", "dev", "etc", "root", "tmp", "build", "usr", "usr/bin")
_NUMBERS = itertools.count()
_T = t.TypeVar("_T")


def archive(
    path: pathlib.Path, links: t.Mapping[str, str] | None = None, files: t.Mapping[str, bytes] | None = None
) -> pathlib.Path:
    """A tar file of a root filesystem: busybox under the names of its programs, and what is planted."""
    with tarfile.open(path, "w") as out:
        for name in [name for name in FOLDERS if name not in (links or {})]:
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o777 if name in ("tmp", "build") else 0o755
            out.addfile(info)
        programs = {"bin/busybox": pathlib.Path(BUSYBOX).read_bytes()}
        for name, data in {**programs, **(files or {})}.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o755
            out.addfile(info, io.BytesIO(data))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            out.addfile(info)
        for name in subprocess.run([BUSYBOX, "--list"], capture_output=True, check=True).stdout.split():
            if name != b"busybox":
                info = tarfile.TarInfo(f"bin/{name.decode()}")
                info.type, info.linkname = tarfile.SYMTYPE, "busybox"
                out.addfile(info)
    return path


class Person:
    """A user, and a folder of its own that nobody else can enter."""

    def __init__(self, user: str, folder: pathlib.Path) -> None:
        self.user = pwd.getpwnam(user)
        self.folder = folder
        os.chown(folder, self.user.pw_uid, self.user.pw_gid)
        self.rootfs = self.make_rootfs("rootfs")

    def make_rootfs(self, name: str, **planted: t.Any) -> str:
        """A root filesystem of this user; options as for ``archive``."""
        tar, target = archive(self.folder / f"{name}.tar", **planted), str(self.folder / name)
        os.chmod(tar, 0o644)
        self.do(lambda: _sandbox.unpack(str(tar), target))
        return target

    def do(self, function: t.Callable[[], _T]) -> _T:
        """Call ``function`` as this user, in a process of its own."""
        return pickle.loads(self.start(function)())  # what this process wrote

    def start(self, function: t.Callable[[], object]) -> t.Callable[[], bytes]:
        """Start ``function`` as this user, as process ``pid``; what is returned waits for its result."""
        read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.close(read)
                if self.user.pw_uid != os.getuid():
                    os.initgroups(self.user.pw_name, self.user.pw_gid)
                    os.setgid(self.user.pw_gid)
                    os.setuid(self.user.pw_uid)
                result = function()
                with os.fdopen(write, "wb") as stream:
                    pickle.dump(result, stream)
                status = 0
            except BaseException:  # noqa: BLE001  # the other process tells what went wrong
                traceback.print_exc()
            finally:
                os._exit(status)
        os.close(write)
        pid = self.pid

        def wait() -> bytes:
            with os.fdopen(read, "rb") as stream:
                data = stream.read()
            assert os.waitpid(pid, 0)[1] == 0, "see the traceback above"
            return data

        return wait


@contextlib.contextmanager
def ordinary_user() -> t.Iterator[str]:
    """A user that exists for a moment, with subordinate ids."""
    name = f"dgtest{os.getpid()}n{next(_NUMBERS)}"  # one for all tests may be there already
    subprocess.run(["useradd", "--no-create-home", "--no-log-init", name], check=True)
    try:
        for option, path in (("--add-subuids", "/etc/subuid"), ("--add-subgids", "/etc/subgid")):
            if not has_range(path, name):
                subprocess.run(
                    ["usermod", option, free_range("/etc/subuid", "/etc/subgid"), name], check=True
                )
        yield name
    finally:
        # Whatever was killed just now may not be gone, for which it would refuse.
        subprocess.run(["userdel", "--force", name], check=True)


@contextlib.contextmanager
def place() -> t.Iterator[pathlib.Path]:
    """A folder that a user may own; files of subordinate ids in it are removed as well."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dg-"))
    try:
        yield folder
    finally:
        if os.getuid() == 0:
            shutil.rmtree(folder)
        else:
            _sandbox.remove_folder(str(folder))


def gone(pid: int, seconds: float = 60) -> bool:
    """Whether a process ends within this time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False
