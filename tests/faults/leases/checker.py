# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a history keeps the promises: a pure function of its events, and what it says is wrong.

It only says so of what is certain. A client that was stopped may learn of its
grant late, and one that was killed tells nothing more; what it did is judged
by the revisions of the store, by the guard's own log, and by terms that it
began before it is known that they were given.
"""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.distrogate.ci.tests.faults.leases import checker_guard, checker_order
from ansible_collections.distrogate.ci.tests.faults.leases.history import Event

_EXCUSED = ("store_unavailable", "store_contended")


def check(history: t.Sequence[Event]) -> list[str]:
    """What is wrong with it, if anything; ``history`` is sorted by time."""
    return [
        *checker_guard.accepted(history),
        *fences(history),
        *terms(history),
        *ends(history),
        *waiters(history),
        *checker_order.order(history),
    ]


def grants(history: t.Iterable[Event]) -> list[Event]:
    """What clients tell of, and what an observer saw: of clients that did not live to tell as well.

    An id may be granted twice: who stood still comes back to the line with it, after its lease ended.
    """
    return [event for event in history if event["what"] in ("granted", "lease")]


def fences(history: t.Sequence[Event]) -> t.Iterator[str]:
    """The fences of a TE only rise, and none comes twice."""
    owners: dict[tuple[str, int], str] = {}
    of_te: dict[str, set[tuple[int, int]]] = collections.defaultdict(set)
    for grant in grants(history):
        for te in grant["tes"]:
            other = owners.setdefault((te["name"], te["fence"]), grant["ask"])
            if other != grant["ask"]:
                yield f"{te['name']}: fence {te['fence']} was given to {other} and to {grant['ask']}"
            if grant["at"]:
                of_te[te["name"]].add((grant["at"], te["fence"]))
    for name, given in of_te.items():
        ordered = sorted(given)
        for (_at, fence), (at, later) in zip(ordered, ordered[1:]):
            if later <= fence:
                yield f"{name}: fence {later}, of revision {at}, came after fence {fence}"


def _certain(history: t.Sequence[Event]) -> dict[str, tuple[float, float]]:
    """For each lease the time in which it surely lived: from its first renewal to the end of its last.

    A renewal that is known to have been written gives its term from when it was asked for, or later.
    Who stood still may tell of its renewal when the term is over: nothing is sure then.
    """
    times: dict[str, tuple[float, float]] = {}
    for event in history:
        ask = event.get("ask", "")
        if event["what"] == "renewed":
            begin = times.get(ask, (event["t"], 0.0))[0]
            times[ask] = (begin, event["asked"] + event["ttl"])
        elif event["what"] in ("releasing", "lost") and ask in times:
            times[ask] = (times[ask][0], min(times[ask][1], event.get("asked", event["t"])))
    return {ask: (begin, end) for ask, (begin, end) in times.items() if begin < end}


def terms(history: t.Sequence[Event]) -> t.Iterator[str]:
    """No two leases of one TE live at one time, and none ends before its term does."""
    given = {event["ask"]: event["tes"] for event in history if event["what"] == "granted"}
    of_te: dict[str, list[tuple[float, float, str]]] = collections.defaultdict(list)
    for ask, (begin, end) in _certain(history).items():
        for te in given.get(ask, []):
            of_te[te["name"]].append((begin, end, ask))
    for name, times in of_te.items():
        ordered = sorted(times)
        for (_begin, end, ask), (begin, _end, later) in zip(ordered, ordered[1:]):
            if begin < end:
                yield f"{name}: lease {later} lived while {ask} did"
    last: dict[str, Event] = {}
    for event in history:
        if event["what"] == "renewed":
            last[event["ask"]] = event
        elif event["what"] in ("releasing", "released"):
            last.pop(event["ask"], None)
        elif event["what"] == "lost" and event["ask"] in last:
            end = last[event["ask"]]["asked"] + last[event["ask"]]["ttl"]
            if event["t"] < end:
                yield f"lease {event['ask']} was lost {end - event['t']:.2f} s before its term was over"


def ends(history: t.Sequence[Event]) -> t.Iterator[str]:
    """After all is over every TE is free or broken, nobody waits, and no lease is left."""
    finals = [event for event in history if event["what"] == "final"]
    if not finals:
        yield "nobody looked at the TEs in the end"
        return
    final = finals[-1]
    for name, te in final["tes"].items():
        if te["phase"] not in ("free", "broken") or te["lease"]:
            yield f"{name} is {te['phase']} in the end, with lease {te['lease']}"
    for what in ("waiters", "leases"):
        if final[what]:
            yield f"{what} are left in the end: {final[what]}"
    for grant in grants(history):
        for te in grant["tes"]:
            if te["fence"] > final["tes"].get(te["name"], {"fence": 0})["fence"]:
                yield f"{te['name']}: fence {te['fence']} of {grant['ask']} is above its last fence"


def waiters(history: t.Sequence[Event]) -> t.Iterator[str]:
    """Who asked was granted it, timed out, or was killed; troubles of the store are an excuse, too."""
    open_asks: dict[str, Event] = {}
    troubles = _troubles(history)
    for event in history:
        if event["what"] == "asking":
            open_asks[event["ask"]] = event
        elif event["what"] == "granted":
            open_asks.pop(event["ask"], None)
        elif event["what"] == "refused":
            asked = open_asks.pop(event["ask"], event)
            if event["reason"] == "lease_timeout":
                if event["t"] - asked["t"] < asked["timeout"]:
                    yield f"{event['ask']} timed out too early"
            elif event["reason"] not in _EXCUSED or not _overlaps(troubles, asked["t"], event["t"]):
                yield f"{event['ask']} was refused: {event['reason']}: {event.get('msg', '')}"
        elif event["what"] == "killed":
            for ask in [ask for ask, asked in open_asks.items() if asked["who"] == event["victim"]]:
                del open_asks[ask]
    for ask, asked in open_asks.items():
        yield f"{ask} of {asked['who']} was neither granted, nor timed out, nor killed"


def _troubles(history: t.Sequence[Event]) -> list[tuple[float, float]]:
    """When the store was attacked: from ``trouble`` to ``trouble_over``."""
    found: list[tuple[float, float]] = []
    for event in history:
        if event["what"] == "trouble":
            found.append((event["t"], float("inf")))
        elif event["what"] == "trouble_over" and found:
            found[-1] = (found[-1][0], event["t"])
    return found


def _overlaps(troubles: list[tuple[float, float]], begin: float, end: float) -> bool:
    return any(one < end and begin < other for one, other in troubles)
