# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loop devices that killed builds left: found by their backing file, released with what uses them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import struct
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

# linux/loop.h
_LOOP_GET_STATUS64 = 0x4C05
_LOOP_CLR_FD = 0x4C01
_INFO = struct.Struct("=5Q4I64s64s32s2Q")
_DELETED = " (deleted)"


class Loop(t.NamedTuple):
    """A loop device in use: ``device`` and ``inode`` of its backing file, and the paths it was known by."""

    path: str
    device: int
    inode: int
    names: tuple[str, ...]


def attached() -> t.Iterator[Loop]:
    """Every loop device that this user may look at, and that has a backing file."""
    for name in sorted(os.listdir("/sys/block")) if os.path.isdir("/sys/block") else []:
        if not re.fullmatch("loop[0-9]+", name) or not os.path.isdir(f"/sys/block/{name}/loop"):
            continue
        with contextlib.suppress(OSError):
            with open(f"/sys/block/{name}/loop/backing_file", encoding="utf-8") as stream:
                shown = stream.read().rstrip("\n")
            device, inode, given = _status(f"/dev/{name}")
            yield Loop(f"/dev/{name}", device, inode, (shown.replace(_DELETED, ""), given))


def _status(path: str) -> tuple[int, int, str]:
    """Device, inode and name (its first 63 bytes) of the backing file."""
    buffer = bytearray(_INFO.size)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _LOOP_GET_STATUS64, buffer)
    finally:
        os.close(descriptor)
    fields = _INFO.unpack(buffer)
    return fields[0], fields[1], os.fsdecode(fields[9].split(b"\0")[0])


def _files(folder: str) -> set[tuple[int, int]]:
    """Device and inode of every large enough file in a folder."""
    found = set()
    for path, _folders, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                status = os.lstat(os.path.join(path, name))
                found.add((status.st_dev, status.st_ino))
    return found


def below(folder: str) -> list[Loop]:
    """Loop devices whose backing file is, or was, in a folder.

    The kernel shows the path only as long as the mount lives through which the
    file was opened; the file's number stays.
    """
    loops = list(attached())
    files = _files(folder) if loops else set()
    return [loop for loop in loops if (loop.device, loop.inode) in files or _named(loop, folder)]


def _named(loop: Loop, folder: str) -> bool:
    prefix = folder.rstrip("/") + "/"
    shown, given = loop.names
    whole = given if len(os.fsencode(given)) < 63 else ""  # cut off: it may be another one's
    return shown.startswith(prefix) or whole.startswith(prefix)


def detach(folder: str) -> list[str]:
    """Detach such loop devices, after the mapped devices (partitions) that lie over them."""
    done = []
    for loop in below(folder):
        name = os.path.basename(loop.path)
        holders = f"/sys/block/{name}/holders"
        for holder in sorted(os.listdir(holders)) if os.path.isdir(holders) else []:
            _remove_mapped(holder)
        descriptor = os.open(loop.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(descriptor, _LOOP_CLR_FD)
        except OSError as error:
            raise DistrogateError(
                "loop_in_use",
                f"The loop device {loop.path} of a killed build could not be released: {error.strerror}.",
            ) from error
        finally:
            os.close(descriptor)
        done.append(loop.path)
    return done


def _remove_mapped(holder: str) -> None:
    with contextlib.suppress(OSError):
        with open(f"/sys/block/{holder}/dm/name", encoding="utf-8") as stream:
            name = stream.read().strip()
        _command.run(["dmsetup", "remove", "--retry", "--", name], timeout=60)
