# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The TEs of a siege and what its clients ask for; who could use what, without the code under test."""

from __future__ import annotations

import random
import typing as t

POOL = "siege"
Labels = dict[str, str]

TES: dict[str, Labels] = {
    f"te{number:02d}": {"size": ("small", "large")[number % 2], "net": ("a", "b", "c")[number % 3]}
    for number in range(12)
}
CLEANED = [name for number, name in enumerate(TES) if number % 4 == 0]  # those that a run leaves dirty
# An expression, and the same as what a label may be.
WISHES: list[tuple[str, dict[str, list[str]]]] = [
    ("", {}),
    ("size == large", {"size": ["large"]}),
    ("size == small and net == a", {"size": ["small"], "net": ["a"]}),
    ("net in (a, b)", {"net": ["a", "b"]}),
    ("not net == c and size == large", {"net": ["a", "b"], "size": ["large"]}),
    ("net == c", {"net": ["c"]}),
]


def demand(dice: random.Random) -> dict[str, t.Any]:
    """What a client asks for."""
    priority = dice.choice([0, 0, 10])
    if dice.random() < 0.15:
        return {"count": 1, "name": dice.choice(list(TES)), "where": "", "wish": {}, "priority": priority}
    where, wish = dice.choice(WISHES)
    count = dice.choices([1, 2, 3], [8, 2, 1])[0]
    most = sum(1 for labels in TES.values() if _has(wish, labels))
    return {"count": min(count, most), "name": None, "where": where, "wish": wish, "priority": priority}


def matches(asked: t.Mapping[str, t.Any], name: str, labels: Labels) -> bool:
    return asked["name"] in (None, name) and _has(asked["wish"], labels)


def fillable(asked: t.Mapping[str, t.Any], tes: t.Mapping[str, Labels]) -> bool:
    return sum(1 for name, labels in tes.items() if matches(asked, name, labels)) >= asked["count"]


def _has(wish: t.Mapping[str, list[str]], labels: Labels) -> bool:
    return all(labels.get(name) in values for name, values in wish.items())
