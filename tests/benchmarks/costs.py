# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the events of a run to seconds, CPU seconds and tasks a stage."""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import typing as t
from collections.abc import Iterable
from pathlib import Path


@dataclasses.dataclass
class Cost:
    """What something took; ``cpu`` of a process and all those that it started and waited for."""

    seconds: float = 0.0
    cpu: float = 0.0
    tasks: int = 0


Costs = dict[str, Cost]


def now() -> tuple[float, float]:
    """The clock, and the CPU seconds that this process and its children used."""
    used = os.times()
    return used.elapsed, used.user + used.system + used.children_user + used.children_system


def of_timeline(path: Path, stages: list[str], began: float, ended: tuple[float, float]) -> Costs:
    """From the end of each stage's last task to that of the next: what Ansible does in between counts.

    ``start`` is what comes before the first stage (Ansible's start, preflight), ``end`` what comes after the
    last. ``ended`` is the time and the CPU seconds of the whole process.
    """
    events = [json.loads(line) for line in path.read_text().splitlines()]
    roles = [event["role"] for event in events]
    costs: Costs = {}
    at, cpu = began, 0.0
    for stage in ["start", *stages]:
        if stage == "start":
            number = next(index for index, role in enumerate(roles) if role in stages) - 1
            own = [event for event in events if event["role"] not in stages]
        else:
            number = len(roles) - 1 - roles[::-1].index(stage)
            own = [event for event in events if event["role"] == stage]
        used = _cpu_after(events, number, ended[1])
        tasks = sum(event["event"] == "start" for event in own)
        costs[stage] = Cost(events[number]["at"] - at, used - cpu, tasks)
        at, cpu = events[number]["at"], used
    costs["end"] = Cost(ended[0] - at, ended[1] - cpu)
    return costs


def _cpu_after(events: list[dict[str, t.Any]], number: int, whole: float) -> float:
    """The CPU seconds used up to event ``number``, read one task later.

    Ansible looks after a worker that ended, which is when its CPU time becomes known, as it starts the next.
    """
    later = (event["cpu"] for event in events[number + 1 :] if event["event"] != "start")
    return float(next(later, whole))


def medians(rounds: Iterable[Costs]) -> Costs:
    """Stage by stage."""
    found = list(rounds)
    return {
        stage: Cost(
            statistics.median(costs[stage].seconds for costs in found),
            statistics.median(costs[stage].cpu for costs in found),
            round(statistics.median(costs[stage].tasks for costs in found)),
        )
        for stage in found[0]
    }
