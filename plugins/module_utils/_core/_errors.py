# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one exception that reaches a user, with a reason that a machine can read."""

from __future__ import annotations

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
        return {**self.details, "msg": self.message, "reason": self.reason}
