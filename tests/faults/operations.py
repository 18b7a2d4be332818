# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done to a repository under attack: from which saved tree, with which options, to what end."""

from __future__ import annotations

import dataclasses
import typing as t

NAMES = ("first", "second", "third")
SNAPSHOT = "later"
_FIRST, _BOTH, _ALL = ({f"{name}=1" for name in NAMES[:count]} for count in (1, 2, 3))
_AT_ONCE = {"keep": 0, "keep_seconds": 0}
_RELEASE = {"transaction": "release"}


@dataclasses.dataclass(frozen=True)
class Operation:
    """``packages`` are added, with further ``options``; ``before`` and ``after`` are what is seen."""

    saved: str
    before: set[str]
    after: set[str]
    packages: tuple[str, ...] = ()
    options: dict[str, t.Any] = dataclasses.field(default_factory=dict)


OPERATIONS = {
    "new": Operation("nothing", set(), _FIRST, ("first",)),
    "add": Operation("whole", _BOTH, _ALL, ("third",)),
    "remove": Operation("whole", _BOTH, _FIRST, options={"packages": ["second"], "state": "absent"}),
    # What was replaced goes at once, so that its removal is attacked too.
    "collect": Operation(
        "whole", _BOTH, _FIRST, options={"packages": ["second"], "state": "absent", **_AT_ONCE}
    ),
    "snapshot": Operation("whole", _BOTH, _ALL, ("third",), {"snapshot": SNAPSHOT}),
    "restore": Operation("kept", _BOTH, _FIRST, options={"restore": SNAPSHOT}),
    "prepare": Operation("whole", _BOTH, _BOTH, ("third",), {"state": "prepared", **_RELEASE}),
    "commit": Operation("prepared", _BOTH, _ALL, options={"state": "committed", **_RELEASE}),
    "undo": Operation("released", _ALL, _BOTH, options={"state": "undone", **_RELEASE}),
}
