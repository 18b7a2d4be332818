# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writing an image to a lease's own disk: whole, or not at all where the disk is a file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import stat
import typing as t

from ._files import sync_folder
from ._wire import RefusedError

_BLOCK = 1 << 20
_LOOK = 2.0  # seconds between looks at the lease while no bytes come
_MARK = ".te_guard."
_QCOW2, _EXTERNAL_DATA = b"QFI\xfb", 4


class Stdin:
    """The client's bytes. The lease is looked at before each block, and while none comes."""

    def __init__(self, descriptor: int, alive: t.Callable[[], object]) -> None:
        self._descriptor, self._alive = descriptor, alive

    def read(self, size: int) -> bytes:
        """As many bytes as asked for, unless the client's end before that."""
        block = bytearray()
        while len(block) < size:
            while not select.select([self._descriptor], [], [], _LOOK)[0]:
                self._alive()
            part = os.read(self._descriptor, size - len(block))
            if not part:
                break
            block += part
        self._alive()
        return bytes(block)


class Target:
    """Where the image goes: a new file beside the disk's, or the block device itself."""

    def __init__(self, path: str, fence: int) -> None:
        self.path = _resolved(path)
        self.temporary = ""
        if self.path.startswith("/dev/"):
            self.descriptor = os.open(self.path, os.O_WRONLY | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC)
            if not stat.S_ISBLK(os.fstat(self.descriptor).st_mode):
                os.close(self.descriptor)
                raise RefusedError("bad_disk", f"{path} is no block device.")
            return
        folder, name = os.path.split(self.path)
        temporary = f"{folder}/.{name}{_MARK}{fence}.{os.urandom(8).hex()}"
        self.descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self.temporary = temporary

    def write(self, block: bytes) -> None:
        if self.temporary and block.count(0) == len(block):
            os.lseek(self.descriptor, len(block), os.SEEK_CUR)  # a hole, which reads as zeros
            return
        view = memoryview(block)
        while view:
            view = view[os.write(self.descriptor, view) :]

    def finish(self, size: int) -> None:
        """Make it durable; after this only ``put`` is missing."""
        if self.temporary:
            os.ftruncate(self.descriptor, size)
            self._as_before()
        os.fsync(self.descriptor)

    def _as_before(self) -> None:
        """Give the new file the old one's mode and group, so that the hypervisor can use it."""
        with contextlib.suppress(OSError):
            before = os.lstat(self.path)
            os.fchmod(self.descriptor, stat.S_IMODE(before.st_mode) & 0o777)
            os.fchown(self.descriptor, -1, before.st_gid)

    def put(self) -> None:
        if self.temporary:
            os.rename(self.temporary, self.path)
            self.temporary = ""
            sync_folder(os.path.dirname(self.path))

    def close(self) -> None:
        os.close(self.descriptor)
        if self.temporary:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.temporary)


def _resolved(path: str) -> str:
    """The path itself. Only below /dev a link is followed: volume managers make them, and only root can."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        mode = 0 if path.startswith("/dev/") else stat.S_IFREG  # a file may be new, a device may not
    if stat.S_ISLNK(mode) and path.startswith("/dev/"):
        path = os.path.realpath(path)
        mode = os.lstat(path).st_mode if path.startswith("/dev/") else 0
    allowed = stat.S_ISBLK(mode) if path.startswith("/dev/") else stat.S_ISREG(mode)
    if not allowed:
        raise RefusedError("bad_disk", f"{path} is neither a regular file nor a block device below /dev.")
    return path


def _refuse_references(block: bytes) -> None:
    """A qcow2 image may name any file of this host as its backing or data file; such are refused."""
    if block.startswith(_QCOW2):
        version, backing = int.from_bytes(block[4:8], "big"), int.from_bytes(block[8:16], "big")
        features = int.from_bytes(block[72:80], "big") if version >= 3 else 0
        if backing or features & _EXTERNAL_DATA:
            raise RefusedError(
                "bad_image", "The image refers to another file. Convert it to one that does not."
            )


def _copy(stdin: Stdin, target: Target, size: int) -> str:
    digest, left = hashlib.sha256(), size
    while left:
        block = stdin.read(min(_BLOCK, left))
        if not block:
            raise RefusedError(
                "image_incomplete", f"{size} bytes were announced, and {size - left} came. Send it again."
            )
        if left == size:
            _refuse_references(block)
        target.write(block)
        digest.update(block)
        left -= len(block)
    if stdin.read(1):
        raise RefusedError("image_too_large", f"More than the {size} bytes came that were announced.")
    return digest.hexdigest()


def write_image(
    target: Target, size: int, wanted: str, stdin: Stdin, current: t.Callable[[], t.ContextManager[None]]
) -> str:
    """Write ``size`` bytes of ``stdin``; the sha256 of what was written.

    ``current`` is entered for the last step: while it lasts, the lease cannot end.
    """
    try:
        found = _copy(stdin, target, size)
        if wanted and found != wanted:
            raise RefusedError(
                "digest_mismatch", f"The image has the sha256 {found}, not {wanted}.", sha256=found
            )
        target.finish(size)
        with current():
            target.put()
        return found
    finally:
        target.close()


def sweep(path: str, fence: int) -> None:
    """Remove what writers of this fence and older ones left beside a disk when they were killed."""
    folder, name = os.path.split(path)
    begin = f".{name}{_MARK}"
    with contextlib.suppress(OSError):
        for found in os.listdir(folder):
            number = found[len(begin) :].split(".")[0]
            if found.startswith(begin) and number.isdecimal() and int(number) <= fence:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(f"{folder}/{found}")
