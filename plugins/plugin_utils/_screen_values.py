# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a result of Ansible holds that is worth telling."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._runs._matters import matters

_LONGEST = 25  # lines of a message
_FEW = 3


def is_stage(value: t.Any) -> bool:
    """Whether a value is the short form of a stage."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("name"), str)
        and isinstance(value.get("verdict"), str)
        and is_number(value.get("seconds"))
        and isinstance(value.get("run_dir"), str)
    )


def is_group(value: t.Any) -> bool:
    """Whether a value is what stages that ran side by side have to say."""
    return isinstance(value, list) and bool(value) and all(is_stage(member) for member in value)


def is_number(value: t.Any) -> bool:
    """Whether a value can be a number of seconds."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e12


def why(values: t.Mapping[str, t.Any]) -> str:
    """Why a task failed; of a loop, why its items did."""
    items = [item for item in values.get("results") or [] if isinstance(item, dict) and item.get("failed")]
    if items:
        return "\n".join(why(item) for item in items)
    for key in ("msg", "censored", "exception"):
        if values.get(key):
            return str(values[key])
    return "no message"


def cut(message: str) -> tuple[str, list[str]]:
    """The message of a stage without the end of its log, and what matters in that."""
    first, *rest = message.rstrip("\n").split("\n")
    if rest and rest[-1].startswith("The log is "):
        del rest[-1]
    if len(rest) <= _FEW:
        return "\n".join([first, *rest]), []
    return first, matters(rest)


def shortened(message: str) -> str:
    """A message with not too many lines."""
    first, *rest = message.rstrip("\n").split("\n")
    if len(rest) >= _LONGEST:
        rest = matters(rest)
    if not rest:
        first = first.removesuffix(":")  # of what was printed, there is nothing
    return "\n".join([first, *rest])
