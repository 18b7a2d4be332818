# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a file enters the pool, where it never changes."""

from __future__ import annotations

import errno
import os

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import copy_contents, sha256_file
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Origin
from ansible_collections.distrogate.ci.plugins.module_utils._packages._package_file import mark_of

_READ_ONLY = 0o444


def bring(origin: Origin, staged: str, sha256: str, hard_link: bool) -> None:
    """A file enters the pool: it is linked where it is the publisher's alone, else cloned or copied."""
    if hard_link and _link(origin, staged):
        return
    source = os.open(origin.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        target = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            copy_contents(source, target, os.fstat(source).st_size)
            os.fchmod(target, _READ_ONLY)
        finally:
            os.close(target)
    finally:
        os.close(source)
    if sha256_file(staged) != sha256:
        raise _changed(origin.path)


def _link(origin: Origin, staged: str) -> bool:
    """Whether the file could be linked: it is ours, has no other name, and is as it was read."""
    status = os.lstat(origin.path)
    if mark_of(status) != origin.mark:
        raise _changed(origin.path)
    if status.st_uid != os.geteuid() or status.st_nlink != 1 or status.st_mode & 0o022:
        return False
    try:
        os.link(origin.path, staged, follow_symlinks=False)
    except OSError as error:
        if error.errno in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP):
            return False
        raise
    if status.st_mode & 0o777 != _READ_ONLY:
        os.chmod(staged, _READ_ONLY)
    return True


def _changed(path: str) -> DistrogateError:
    return DistrogateError(
        "package_changed",
        f"{path} changed while it was published; nothing was published. Try again.",
        path=path,
    )
