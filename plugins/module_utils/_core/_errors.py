# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one exception that reaches a user, with a reason that a machine can read."""

from __future__ import annotations

import errno
import os
import typing as t


class DistrogateError(Exception):
    """What went wrong, for the person who reads it.

    ``reason`` is a short stable word (``lock_timeout``, ``bad_package``);
    ``message`` says what happened, to what, and what to do; ``details`` become
    further keys of the failed task's result.
    """

    def __init__(self, reason: str, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.details = details

    def as_result(self) -> dict[str, t.Any]:
        """The keyword arguments for ``fail_json`` (or a failed action's result)."""
        words = {"msg": self.message, "reason": self.reason}
        return {name: _encodable(value) for name, value in {**self.details, **words}.items()}


class Interrupted(BaseException):
    """The playbook was stopped; whoever holds something gives it back on the way out.

    Like ``KeyboardInterrupt`` it is no ``Exception``, so nobody takes it for an error to be tried again.
    """


def _encodable(value: t.Any) -> t.Any:
    """A stranger's name may hold half a surrogate pair, which has no UTF-8."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def from_os_error(error: OSError, place: str = "") -> DistrogateError:
    """What the system refused, as an error for a person: ``no_space``, ``no_permission`` or ``io_error``.

    ``place`` is the folder that was worked on, for an error that names no file.
    """
    path = str(error.filename or place)
    said = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DistrogateError(
            "no_space", f"{path}: {said}{_free(place or path)}. Make room, and try again.", path=path
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return DistrogateError(
            "no_permission", f"{path}: {said}. Run it as a user who may write there.", path=path
        )
    return DistrogateError("io_error", f"{path}: {said}.", path=path)


def _free(path: str) -> str:
    while path and not os.path.isdir(path):
        path = os.path.dirname(path)
    try:
        status = os.statvfs(path or "/")
    except OSError:
        return ""
    return f" ({status.f_bavail * status.f_frsize} bytes and {status.f_favail} files free below {path})"
