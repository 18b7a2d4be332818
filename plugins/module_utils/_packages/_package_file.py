# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file that a stranger made, opened without following a link and read in bounded pieces."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_HEAD = 1 << 20  # bytes that are read at once: most packages' lists of files, and small packages as a whole


def bad_package(path: str, why: str) -> DistrogateError:
    """The error for a file that is not a package we would publish."""
    return DistrogateError("bad_package", f"{path} is not a package that can be published: {why}.", path=path)


def mark_of(status: os.stat_result) -> str:
    """What changes when a file is replaced or written to."""
    times = f"{status.st_mtime_ns} {status.st_ctime_ns}"
    return f"{status.st_dev} {status.st_ino} {status.st_size} {times}"


def _open(path: str) -> tuple[int, os.stat_result]:
    try:
        # A pipe or a device would block or never end; a link may lead to what the stranger cannot read.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except ValueError as error:  # NUL, or half a surrogate pair
        raise bad_package(path, "its path is not the name of a file") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise bad_package(path, "it is a symbolic link") from error
        raise DistrogateError(
            "not_found", f"The package {path} cannot be read: {error.strerror}.", path=path
        ) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise bad_package(path, "it is not a regular file")
    return descriptor, status


def open_package(path: str) -> t.BinaryIO:
    """Open a regular file as a stream; a link, a pipe or a device is refused."""
    return os.fdopen(_open(path)[0], "rb")


class PackageFile:
    """A regular file, open for reading at any place; a link, a pipe or a device is refused."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor, status = _open(path)
        self.size = status.st_size
        self.mark = mark_of(status)
        try:
            self._head = os.read(self._descriptor, min(self.size, _HEAD))
        except OSError as error:
            os.close(self._descriptor)
            raise bad_package(path, f"it cannot be read ({error.strerror})") from error

    def __enter__(self) -> PackageFile:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        os.close(self._descriptor)
        if isinstance(error, OSError):  # such as of a file that the kernel makes
            raise bad_package(self.path, f"it cannot be read ({error.strerror})") from error

    def at(self, begin: int, size: int) -> bytes:
        """Up to ``size`` bytes from the byte ``begin``."""
        if begin + size <= len(self._head):
            return self._head[begin : begin + size]
        return os.pread(self._descriptor, size, begin)

    def sha256(self) -> str:
        """Of the whole, in hexadecimal digits."""
        digest = hashlib.sha256(self._head)
        begin = len(self._head)
        while block := os.pread(self._descriptor, _HEAD, begin) if begin < self.size else b"":
            digest.update(block)
            begin += len(block)
        return digest.hexdigest()
