# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What builds of images leave when they are killed: processes, mounts, loop devices, folders."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _sandbox
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._images import _loops

WORK = ".work"
_MNT_DETACH = 2
_PATIENCE = 10.0  # seconds for killed processes to be gone


def clean_places(output: str) -> list[str]:
    """Release what killed builds left below ``OUTPUT/.work``; says what that was, in a few words each."""
    work = os.path.join(os.path.realpath(output), WORK)
    if not os.path.isdir(work):
        return []
    said: list[str] = []
    with file_lock(os.path.join(work, "lock")):
        for path in dead_places(output):
            said += release(path)
    return said


def dead_places(output: str) -> list[str]:
    """Build places whose builder is gone (the kernel dropped its lock)."""
    work = os.path.join(os.path.realpath(output), WORK)
    if not os.path.isdir(work):
        return []
    found = sorted(entry.path for entry in os.scandir(work) if entry.is_dir(follow_symlinks=False))
    return [path for path in found if not _held(path)]


def _held(path: str) -> bool:
    try:
        descriptor = os.open(os.path.join(path, "held"), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False  # killed while it was being made
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)


def release(path: str) -> list[str]:
    """End what runs in a place, release its mounts and loop devices, remove it."""
    said = [f"process {number}" for number in _end_processes(path)]
    said += [f"mount {point}" for point in _unmount(path)]
    said += [f"loop device {device}" for device in _loops.detach(path)]
    if os.path.lexists(path):
        _remove(path)
        said.append(f"folder {path}")
    return said


def _remove(path: str) -> None:
    try:
        shutil.rmtree(path)
    except PermissionError:  # files of subordinate ids
        _sandbox.remove_folder(path)


def _processes(path: str) -> t.Iterator[int]:
    """First processes of namespaces of a place, and who made them: their arguments name it."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{name}/cmdline", "rb") as stream:
                words = stream.read(1 << 20).split(b"\0")
            mine = os.stat(f"/proc/{name}").st_uid in (os.geteuid(), 0)
            if mine and b"-I" in words and words[words.index(b"-I") + 2] == os.fsencode(path):
                yield int(name)


def _end_processes(path: str) -> list[int]:
    ended: list[int] = []
    deadline = time.monotonic() + _PATIENCE
    while numbers := list(_processes(path)):
        for number in numbers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        ended += [number for number in numbers if number not in ended]
        if time.monotonic() > deadline:
            raise DistrogateError(
                "not_ended",
                f"Processes {', '.join(map(str, numbers))} of a killed build in {path} do not end.",
            )
        time.sleep(0.02)
    return ended


def _unmount(path: str) -> list[str]:
    """Deepest first; mounts of builds live in their own namespaces, so there is seldom one."""
    points = [p for p in _sandbox.mount_points() if p == path or p.startswith(path + "/")]
    libc = ctypes.CDLL(None, use_errno=True)
    for point in sorted(points, key=len, reverse=True):
        if libc.umount2(os.fsencode(point), 0) and libc.umount2(os.fsencode(point), _MNT_DETACH):
            number = ctypes.get_errno()
            raise DistrogateError(
                "is_mounted", f"{point} could not be unmounted: {os.strerror(number)}. Unmount it."
            )
    return points
