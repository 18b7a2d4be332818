# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the events of a run to seconds, CPU seconds and tasks a stage."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path

from ansible_collections.distrogate.ci.tests.benchmarks import publish_cgroup


@dataclasses.dataclass
class Cost:
    """What something took; ``cpu`` of a process and all those that it started and waited for."""

    seconds: float = 0.0
    cpu: float = 0.0
    tasks: int = 0


Costs = dict[str, Cost]


@contextlib.contextmanager
def counted() -> Iterator[None]:
    """While this lasts, ``now`` counts the CPU seconds of all that this process starts, also of what goes on
    by itself, as a module does that shows its progress. Callbacks find the counter in the environment."""
    place = publish_cgroup.find()
    if place is None:
        raise SystemExit("There is no cgroup in which CPU seconds can be counted; run this as root.")
    group = place.folder / f"distrogate-bench-{os.getpid()}"
    group.mkdir()
    (group / "cgroup.procs").write_text(str(os.getpid()))
    os.environ["DISTROGATE_TIMELINE_CPU"] = str(group / place.counter)
    try:
        yield
    finally:
        del os.environ["DISTROGATE_TIMELINE_CPU"]
        for process in (group / "cgroup.procs").read_text().split():  # gpg's agent stays
            (place.folder / "cgroup.procs").write_text(process)
        group.rmdir()


def used() -> float:
    """The counter's CPU seconds, of cgroups' version 1 or 2."""
    text = Path(os.environ["DISTROGATE_TIMELINE_CPU"]).read_text()
    if "usage_usec" in text:
        return int(dict(line.split() for line in text.splitlines())["usage_usec"]) / 1e6
    return int(text) / 1e9


def now() -> tuple[float, float]:
    """The clock, and the CPU seconds so far."""
    return os.times().elapsed, used()


def of_timeline(
    path: Path, stages: list[str], began: tuple[float, float], ended: tuple[float, float]
) -> Costs:
    """From the end of each stage's last task to that of the next: what Ansible does in between counts.

    ``start`` is what comes before the first stage (Ansible's start, preflight), ``end`` what comes after the
    last. ``began`` and ``ended`` are the time and the CPU seconds of the whole process.
    """
    events = [json.loads(line) for line in path.read_text().splitlines()]
    roles = [event["role"] for event in events]
    costs: Costs = {}
    at, cpu = began
    for stage in ["start", *stages]:
        if stage == "start":
            number = next(index for index, role in enumerate(roles) if role in stages) - 1
            own = [event for event in events if event["role"] not in stages]
        else:
            number = len(roles) - 1 - roles[::-1].index(stage)
            own = [event for event in events if event["role"] == stage]
        spent = events[number]["cpu"]
        tasks = sum(event["event"] == "start" for event in own)
        costs[stage] = Cost(events[number]["at"] - at, spent - cpu, tasks)
        at, cpu = events[number]["at"], spent
    costs["end"] = Cost(ended[0] - at, ended[1] - cpu)
    return costs


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
