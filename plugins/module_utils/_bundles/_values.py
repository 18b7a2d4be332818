# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values from strangers: how deep, how large, and with which characters they may be."""

from __future__ import annotations

import math
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

DEPTH = 64
LENGTH = 4096
_LARGEST = 1 << 64
# Control characters, those that end a line somewhere, and those that turn the direction of what follows: a
# name with one of them is not what a person reads.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def fault_of(value: t.Any, depth: int = DEPTH) -> str:
    """Why a JSON value has no canonical form that every reader reads alike; empty when it has one."""
    if depth == 0:
        return f"it is nested deeper than {DEPTH}"
    if isinstance(value, dict):
        items: t.Iterable[t.Any] = value.values()
        if not all(isinstance(key, str) for key in value):
            return "it has a key that is not text"
    elif isinstance(value, list):
        items = value
    else:
        return _number_fault(value)
    for item in items:
        # Most values are text: no call for these.
        fault = "" if isinstance(item, str) else fault_of(item, depth - 1)
        if fault:
            return fault
    return ""


def _number_fault(value: t.Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "it has a number that JSON cannot spell (NaN or infinity)"
    if isinstance(value, int) and abs(value) >= _LARGEST:
        return "it has a number of more than 64 bits"
    return ""


def text_fault(value: t.Any) -> str:
    """Why a text in ``value`` (of bounded depth) cannot be shown as it is; empty when all can."""
    if isinstance(value, str):
        if len(value) > LENGTH:
            return f"it has a text of more than {LENGTH} characters"
        return f"it has a control character ({value[:80]!r})" if _CONTROL.search(value) else ""
    if isinstance(value, dict):
        faults = (text_fault(key) or text_fault(item) for key, item in value.items())
    elif isinstance(value, list):
        faults = (text_fault(item) for item in value)
    else:
        return ""
    return next(filter(None, faults), "")


def check_value(value: t.Any, reason: str, name: str) -> None:
    """Refuse what ``fault_of`` finds."""
    fault = fault_of(value)
    if fault:
        raise DistrogateError(reason, f"{name} cannot be taken: {fault}.")
