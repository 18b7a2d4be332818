# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Doing one thing to many mirrors at once."""

from __future__ import annotations

import concurrent.futures
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import (
    DistrogateError,
    from_os_error,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._work import Work

_AT_ONCE = 16


def each(works: t.Iterable[Work], step: t.Callable[[Work], object]) -> dict[str, str]:
    """Do ``step`` for all mirrors at once; returns why it failed, by address.

    An error that is not about the mirror is raised when all have ended.
    """
    failures: dict[str, str] = {}
    ours: list[DistrogateError] = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        steps = {pool.submit(step, work): work for work in works}
        for future, work in steps.items():
            try:
                future.result()
            except DistrogateError as error:
                if "why" not in error.details:
                    ours.append(error)
                failures[work.address] = str(error.details.get("why") or error.message)
            except OSError as error:
                ours.append(from_os_error(error))
    if ours:
        raise ours[0]
    return failures
