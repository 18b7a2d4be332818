# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guards accepted: one lease at a time, and none that an other has passed."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.distrogate.ci.tests.faults.leases.history import Event


def accepted(history: t.Sequence[Event]) -> t.Iterator[str]:
    """Never two leases for one TE; only within the deadline; fences only rise, and each has one key."""
    of_te: dict[str, list[Event]] = collections.defaultdict(list)
    for event in history:
        if event["what"] == "guard_accepted":
            of_te[event["te"]].append(event)
        elif event["what"] == "guard_refused" and event["op"] == "raise":
            yield from _refused_raise(event, of_te[event["te"]])
    for te, events in of_te.items():
        yield from _replayed(te, events)


def _refused_raise(event: Event, before: t.Sequence[Event]) -> t.Iterator[str]:
    """Two leases with one fence: the guard refuses the second, but the store gave it."""
    for other in before:
        if other["fence"] == event["fence"] and other["key"] != event["key"]:
            yield f"{event['te']}: leases {other['key']} and {event['key']} have fence {event['fence']}"
            return


def _replayed(te: str, events: t.Iterable[Event]) -> t.Iterator[str]:
    """Beside its own decisions, what the guard must have been in."""
    fence, key, deadline = 0, "", 0.0
    for event in events:
        mine = (event["fence"], event["key"]) == (fence, key)
        if event["op"] == "raise":
            if event["fence"] < fence or (event["fence"] == fence and not mine):
                yield f"{te}: fence {event['fence']} ({event['key']}) was raised after {fence} ({key})"
            fence, key, deadline = event["fence"], event["key"], event["deadline"]
            continue
        if not mine:
            yield f"{te}: the guard heard {event['key']} ({event['fence']}) while it had {key} ({fence})"
        elif event["op"] != "end" and event["t"] > deadline:
            yield f"{te}: the guard heard {event['key']} {event['t'] - deadline:.2f} s after its deadline"
        if mine:
            deadline = event["deadline"]
