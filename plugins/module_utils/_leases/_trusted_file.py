# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lease file as the keeper and the inventory read it: only what its owner alone could have written."""

from __future__ import annotations

import dataclasses
import os
import stat
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import parse_json

_LIMIT = 1 << 16
_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Known:
    """What a lease file says."""

    store: str
    pool: str
    lease: str
    secret: str = dataclasses.field(repr=False)


def read_trusted(path: str) -> Known | None:
    """The lease that the file ``path`` names; None when there is no such file.

    Error ``bad_lease_file`` when it is not a private regular file of this user, or holds something else.
    """
    try:
        data = _contents(path)
        value = parse_json(data, path, _LIMIT)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _bad(path, error.strerror or str(error)) from error
    except DistrogateError as error:
        raise _bad(path, error.message) from error
    texts = ("store", "pool", "lease", "secret")
    if not isinstance(value, dict) or value.get("version") != _VERSION:
        raise _bad(path, f"it is not a lease file of version {_VERSION}")
    if not all(isinstance(value.get(name), str) and "\0" not in value[name] for name in texts):
        raise _bad(path, f"it does not hold the texts {', '.join(texts)}")
    return Known(*(value[name] for name in texts))


def _contents(path: str) -> bytes:
    # O_NONBLOCK: a pipe in its place must not stop us.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise _bad(path, "it is not a regular file")
        if about.st_uid != os.geteuid():
            raise _bad(path, f"it belongs to user {about.st_uid}, not to {os.geteuid()}")
        if about.st_mode & 0o077:
            raise _bad(path, f"others may use it (its mode is {stat.S_IMODE(about.st_mode):04o}, not 0600)")
        return stream.read(_LIMIT + 1)


def _bad(path: str, why: str) -> DistrogateError:
    return DistrogateError(
        "bad_lease_file", f"{path} cannot be trusted as a lease file: {why}. It was left alone, and not used."
    )


Mark = t.Optional[tuple[t.Any, ...]]


def changed_since(path: str, mark: Mark) -> tuple[bool, Mark]:
    """Whether the file is another one than when ``mark`` was returned, and its mark now (None: no file)."""
    now: Mark
    try:
        about = os.lstat(path)
    except FileNotFoundError:
        now = None
    except OSError as error:
        now = (error.errno,)
    else:
        # With the mode and owner: a file that others may write now is another one.
        now = (about.st_ino, about.st_dev, about.st_mode, about.st_uid, about.st_size, about.st_ctime_ns)
    return now != mark, now
