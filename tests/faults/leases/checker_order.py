# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DESIGN.md, 6: nobody is granted a TE that an older waiter of the same priority could use.

Older is who came at a smaller revision of the store. Somebody surely waited
from the revision at which it came until its grant, or, when there was none,
until the last revision at which an observer saw its place.
"""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ansible_collections.distrogate.ci.tests.faults.leases import demands
from ansible_collections.distrogate.ci.tests.faults.leases.history import Event


@dataclasses.dataclass(frozen=True)
class Waited:
    """``ask`` stood in the line from revision ``came`` up to, and without, ``until``."""

    ask: str
    came: int
    until: int


def waited(history: t.Iterable[Event]) -> list[Waited]:
    found: dict[tuple[str, int], int] = collections.defaultdict(int)
    for event in history:
        if event["what"] in ("granted", "lease") and event["came"] and event["at"]:
            found[event["ask"], event["came"]] = event["at"]
        elif event["what"] == "place":
            place = event["ask"], event["came"]
            found[place] = max(found[place], event["until"])
    return [Waited(ask, came, until) for (ask, came), until in found.items()]


def order(history: t.Sequence[Event]) -> t.Iterator[str]:
    asked = {event["ask"]: event for event in history if event["what"] == "asking"}
    labels = _labels(history)
    line: dict[int, list[Waited]] = collections.defaultdict(list)
    for place in waited(history):
        if place.ask in asked and demands.fillable(asked[place.ask], labels):
            line[asked[place.ask]["priority"]].append(place)
    seen = set()
    for event in history:
        if event["what"] not in ("granted", "lease") or (event["ask"], event["at"]) in seen:
            continue
        seen.add((event["ask"], event["at"]))
        if event["at"] and event["ask"] in asked:
            yield from _passed_over(event, line[asked[event["ask"]]["priority"]], asked)


def _passed_over(grant: Event, line: t.Iterable[Waited], asked: t.Mapping[str, Event]) -> t.Iterator[str]:
    came = grant["came"] or grant["at"]  # one that never stood in the line came as it was served
    for older in line:
        if older.ask == grant["ask"] or not (older.came < came and older.came < grant["at"] < older.until):
            continue
        for te in grant["tes"]:
            if demands.matches(asked[older.ask], te["name"], te["labels"]):
                yield (
                    f"{te['name']} was granted to {grant['ask']} (came {came}, granted {grant['at']}), though"
                    f" {older.ask} (came {older.came}, waited until {older.until}) could use it"
                )


def _labels(history: t.Iterable[Event]) -> dict[str, dict[str, str]]:
    """Of the TEs that never broke: a set that cannot be filled reserves nothing."""
    found: dict[str, dict[str, str]] = {}
    for event in history:
        if event["what"] == "pool":
            found.update(event["tes"])
        elif event["what"] == "final":
            for name, te in event["tes"].items():
                if te["phase"] == "broken":
                    found.pop(name, None)
    return found
