# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happened, one JSON line an event: each writer has a file of its own, and all have one clock.

The clock is CLOCK_BOOTTIME, which nobody sets and all processes of a machine share.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import time
import typing as t

Event = dict[str, t.Any]


def clock() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Log:
    """Appends events of ``who``; a line is one write(2), so a process that is killed leaves no half one."""

    def __init__(self, path: pathlib.Path, who: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._who = who

    def note(self, what: str, **more: t.Any) -> float:
        """Returns the time that was noted."""
        at = more.pop("t", None) or clock()
        line = json.dumps({"t": at, "who": self._who, "what": what, **more})
        os.write(self._file, line.encode() + b"\n")
        return at

    def close(self) -> None:
        os.close(self._file)


def merged(folder: pathlib.Path) -> list[Event]:
    """All events of all files, in order; those of one file stay in theirs when their times are equal."""
    events: list[Event] = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):  # The disk was full, or the machine stopped.
                events.append(_asked(json.loads(line)))
    return sorted(events, key=lambda event: float(event["t"]))


def _asked(event: Event) -> Event:
    """One who stood still asks again with a number after its id; to the checker it is the same one."""
    if isinstance(event.get("ask"), str):
        event["ask"] = event["ask"].partition(".")[0]
    return event
