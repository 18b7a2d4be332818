# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking files from an incoming folder: no link is followed, and what was checked is what is published."""

from __future__ import annotations

import hashlib
import os
import stat

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_set import File, below
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import copy_contents

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_BLOCK = 1 << 20
_READ_ONLY = 0o444


def open_incoming(incoming: str, file: File) -> int:
    """Open a plain file below ``incoming``, folder by folder, so that no link leads out of it."""
    *folders, base = below(incoming, file.path).split("/")
    path = f"{incoming.rstrip('/')}/{file.path}"
    opened: list[int] = []
    try:
        opened.append(os.open(incoming, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        for folder in folders:
            opened.append(os.open(folder, _FLAGS | os.O_DIRECTORY, dir_fd=opened[-1]))
        descriptor = os.open(base, _FLAGS, dir_fd=opened[-1])
    except OSError as error:
        raise DistrogateError(
            "artifact_missing",
            f"{file.name} (sha256 {file.sha256}) cannot be taken from {path}: {error.strerror}. It has to be"
            " a plain file there, and no part of the path may be a link. Transfer it again.",
            path=path,
        ) from error
    finally:
        for folder_descriptor in opened:
            os.close(folder_descriptor)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or (file.size is not None and status.st_size != file.size):
        os.close(descriptor)
        raise _mismatch(file, f"is no plain file of {file.size if file.size is not None else 'any'} bytes")
    return descriptor


def check(incoming: str, file: File) -> None:
    """Whether a file is there with the digest that it must have."""
    descriptor = open_incoming(incoming, file)
    try:
        _compare(descriptor, file)
    finally:
        os.close(descriptor)


def bring(incoming: str, file: File, staged: str) -> int:
    """Copy a file to ``staged``, and check the copy, which nobody else can change; returns its size."""
    source = open_incoming(incoming, file)
    try:
        target = os.open(staged, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            copy_contents(source, target, os.fstat(source).st_size)
            _compare(target, file)
            os.fchmod(target, _READ_ONLY)
            return os.fstat(target).st_size
        finally:
            os.close(target)
    finally:
        os.close(source)


def sha256_of(descriptor: int) -> str:
    """The digest of an open file, from its beginning."""
    digest, place = hashlib.sha256(), 0
    while block := os.pread(descriptor, _BLOCK, place):
        digest.update(block)
        place += len(block)
    return digest.hexdigest()


def _compare(descriptor: int, file: File) -> None:
    found = sha256_of(descriptor)
    if found != file.sha256:
        raise _mismatch(file, f"has the sha256 {found}")


def _mismatch(file: File, said: str) -> DistrogateError:
    return DistrogateError(
        "digest_mismatch",
        f"{file.name} in the incoming folder {said}, but the bundle says {file.sha256}. Nothing was"
        " published. Transfer it again.",
        path=file.path,
        sha256=file.sha256,
    )
