# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an image is, read before any program opens it: its form, its size, whether it can boot by itself."""

from __future__ import annotations

import dataclasses
import os
import stat
import struct

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

SECTOR = 512
_LARGEST = 2 << 40  # bytes that a disk may claim to have
_QCOW2 = b"QFI\xfb"
# magic, version, backing file's place and length, cluster bits, size, encryption, …, incompatible features
_HEADER = struct.Struct(">4sIQIIQI36xQ")
_DIRTY, _CORRUPT, _EXTERNAL = 1, 2, 4
_CODE = 440  # bytes of a boot sector before the disk's own signature


@dataclasses.dataclass(frozen=True)
class Disk:
    """An image that may be given to QEMU: ``size`` is that of the disk, ``boots`` is None when unknown."""

    path: str
    format: str
    size: int
    boots: bool | None


def look(path: str, kind: str) -> Disk:
    """Read the head of an image of the format ``raw`` or ``qcow2``.

    Errors: ``bad_image`` when it is none, ``unsafe_image`` when opening it would open other files of
    this host, ``too_large``.
    """
    head, size = _head(path)
    if kind == "qcow2":
        size = _qcow2(path, head)
    elif kind != "raw":
        raise DistrogateError(
            "bad_image", f"{path} has the format {kind}. Only qcow2 and raw images can be booted."
        )
    elif size < SECTOR or size % SECTOR:
        raise DistrogateError("bad_image", f"{path} is no disk: it has {size} bytes, not whole sectors.")
    if size > _LARGEST:
        raise DistrogateError(
            "too_large", f"{path} claims to be a disk of {size} bytes; {_LARGEST} are allowed."
        )
    return Disk(path, kind, size, boots(head) if kind == "raw" else None)


def _head(path: str) -> tuple[bytes, int]:
    """The first sector and the size of a plain file that QEMU, as another user, can read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        raise DistrogateError("bad_image", f"{path} cannot be read: {error.strerror}.") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise DistrogateError("bad_image", f"{path} is not a plain file.")
        if not status.st_mode & stat.S_IROTH:
            raise DistrogateError(
                "not_readable",
                f"{path} can be read by its owner alone. QEMU runs as another user: let everybody read it.",
            )
        return os.read(descriptor, SECTOR), status.st_size
    finally:
        os.close(descriptor)


def _qcow2(path: str, head: bytes) -> int:
    """The size of its disk; see the format's description, docs/interop/qcow2.txt of QEMU."""
    if len(head) < _HEADER.size or head[:4] != _QCOW2:
        raise DistrogateError("bad_image", f"{path} is no qcow2 image, though its record says so.")
    _magic, version, backing, length, _bits, size, encryption, features = _HEADER.unpack_from(head)
    if version not in (2, 3):
        raise DistrogateError("bad_image", f"{path} is a qcow2 image of the unknown version {version}.")
    features = features if version == 3 else 0
    if backing or length:
        raise _unsafe(path, "has a backing file")
    if features & _EXTERNAL:
        raise _unsafe(path, "keeps its data in another file")
    if encryption:
        raise DistrogateError("bad_image", f"{path} is encrypted; it cannot be booted.")
    if features & (_DIRTY | _CORRUPT):
        raise DistrogateError("bad_image", f"{path} was not closed, or is marked as corrupt. Build it again.")
    return int(size)


def _unsafe(path: str, why: str) -> DistrogateError:
    return DistrogateError(
        "unsafe_image",
        f"{path} {why}: it would make QEMU open other files of this host. Make an image that stands alone:"
        " qemu-img convert -O qcow2.",
    )


def boots(sector: bytes) -> bool:
    """Whether a disk's first sector holds a boot loader, not only a partition table."""
    return len(sector) == SECTOR and sector[510:] == b"\x55\xaa" and any(sector[:_CODE])
