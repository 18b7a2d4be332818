# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many processes contend for one lock, each as fast as it can; who got it when."""

from __future__ import annotations

import dataclasses
import multiprocessing
import multiprocessing.connection
import statistics
import time
import traceback
import typing as t

from ansible_collections.distrogate.ci.tests.benchmarks.leases_guarded import Guarded
from ansible_collections.distrogate.ci.tests.benchmarks.leases_lockers import LOCKERS, Locker

# Forked from a process that has no threads and has imported everything: 64 are there at once.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__, "kazoo.client", "kazoo.recipe.lock"])
_FOREVER = 600.0
_LOCKERS: dict[str, t.Callable[[str, int], Locker]] = {**LOCKERS, "guarded": Guarded}


class Grant(t.NamedTuple):
    """When a client had the lock, and when it began to release it: nanoseconds of CLOCK_MONOTONIC."""

    got: int
    released: int
    client: int


@dataclasses.dataclass(frozen=True)
class Result:
    """Of one contest, within the time that was measured."""

    seconds: float
    counts: list[int]  # of each client
    gaps: list[float]  # seconds from the beginning of a release to the next holder having the lock

    @property
    def rate(self) -> float:
        return sum(self.counts) / self.seconds

    @property
    def evenness(self) -> float:
        return min(self.counts) / max(self.counts) if any(self.counts) else 0.0

    def gap(self, percent: int) -> float:
        return percentile(self.gaps, percent)


def percentile(values: t.Sequence[float], percent: int) -> float:
    """Interpolated; of one value it is that one."""
    if len(values) < 2:
        return values[0] if values else float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def evaluate(grants: t.Iterable[Grant], begin: float, end: float, clients: int) -> Result:
    """The figures of what was granted between ``begin`` and ``end`` (seconds of CLOCK_MONOTONIC)."""
    ordered = sorted(grant for grant in grants if begin <= grant.got / 1e9 < end)
    counts = [0] * clients
    for grant in ordered:
        counts[grant.client] += 1
    gaps = [(after.got - before.released) / 1e9 for before, after in zip(ordered, ordered[1:])]
    if gaps and min(gaps) < 0:
        raise RuntimeError("two clients had the lock at one time")
    return Result(end - begin, counts, gaps)


def contest(who: str, address: str, clients: int, seconds: float, warm: float) -> Result:
    """``clients`` processes of locker ``who`` contend; ``warm`` seconds go before those that are measured."""
    barrier = _PROCESSES.Barrier(clients + 1)
    end = _PROCESSES.Value("d", 0.0)
    pipes: list[multiprocessing.connection.Connection] = []
    processes = []
    try:
        for number in range(clients):
            ours, theirs = _PROCESSES.Pipe(duplex=False)
            arguments = (who, address, number, barrier, end, theirs)
            process = _PROCESSES.Process(target=_work, args=arguments, daemon=True)
            process.start()
            theirs.close()
            processes.append(process)
            pipes.append(ours)
        begin = time.monotonic() + warm
        end.value = begin + seconds + _FOREVER  # until all are connected
        barrier.wait(_FOREVER)
        begin = time.monotonic() + warm
        end.value = begin + seconds
        grants = [Grant(*grant) for pipe in pipes for grant in _received(pipe)]
        for process in processes:
            process.join(_FOREVER)
    finally:
        for process in processes:
            process.kill()
            process.join()
    return evaluate(grants, begin, begin + seconds, clients)


def _received(pipe: multiprocessing.connection.Connection) -> list[tuple[int, int, int]]:
    if not pipe.poll(_FOREVER):
        raise RuntimeError("a client of the contest does not end")
    answer = pipe.recv()
    if isinstance(answer, str):
        raise RuntimeError(f"a client of the contest failed: {answer}")
    return t.cast("list[tuple[int, int, int]]", answer)


def _work(who: str, address: str, number: int, barrier: t.Any, end: t.Any, pipe: t.Any) -> None:
    grants = []
    try:
        locker = _LOCKERS[who](address, number)
        barrier.wait(_FOREVER)
        while time.monotonic() < end.value:
            locker.acquire()
            got = time.monotonic_ns()
            released = time.monotonic_ns()  # it is held for no time
            locker.release()
            grants.append((got, released, number))
        locker.close()
    except Exception:  # noqa: BLE001 - told to the process that measures
        barrier.abort()
        pipe.send(traceback.format_exc())
        return
    pipe.send(grants)
