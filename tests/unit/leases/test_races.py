# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that race for TEs: no two ever hold one at the same time."""

from __future__ import annotations

import json
import multiprocessing
import pathlib
import time

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store, open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._acquire import acquire
from ansible_collections.distrogate.ci.plugins.module_utils._leases._client import Client
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holder import Holder, hashed
from ansible_collections.distrogate.ci.plugins.module_utils._leases._registry import Registry

PROCESSES = multiprocessing.get_context("spawn")
GRANTS = 100


def _race(url: str, job: str, log: str) -> None:
    lines = []
    with open_store(url) as store:
        client = Client(store, "p")
        for number in range(GRANTS):
            name = f"{job}-{number}"
            demand = Demand("p", count=1 + (number % 7 == 0))
            lease = {"id": name, "owner": {"job": name}, "secret_sha256": hashed("s")}
            granted = acquire(client, demand, lease, timeout=60)
            began = time.monotonic_ns()
            time.sleep(0.001)
            ended = time.monotonic_ns()
            lines += [(te["name"], te["fence"], began, ended) for te in granted["tes"]]
            Holder(store, "p", name, "s").release()
    pathlib.Path(log).write_text(json.dumps(lines), encoding="utf-8")


def overlaps(intervals: list[tuple[str, int, int, int]]) -> list[str]:
    """What is wrong with a list of (te, fence, began, ended)."""
    found = []
    for name in sorted({interval[0] for interval in intervals}):
        own = sorted(
            (interval[1:] for interval in intervals if interval[0] == name), key=lambda item: item[1]
        )
        for (fence, _began, ended), (next_fence, next_began, _ended) in zip(own, own[1:]):
            if next_began < ended:
                found.append(f"{name}: fence {next_fence} began before fence {fence} ended")
            if next_fence != fence + 1:
                found.append(f"{name}: fence {next_fence} follows {fence}")
    return found


def test_the_checker_sees_overlaps() -> None:
    assert overlaps([("a", 1, 0, 10), ("a", 2, 10, 20), ("b", 1, 5, 6)]) == []
    assert len(overlaps([("a", 1, 0, 10), ("a", 2, 9, 20)])) == 1
    assert len(overlaps([("a", 1, 0, 10), ("a", 1, 11, 20)])) == 1


def test_two_processes_never_hold_one_te_at_once(
    store: Store, store_url: str, tmp_path: pathlib.Path
) -> None:
    for name in ("a", "b"):
        Registry(store, "p").put(name, {})
    logs = [tmp_path / f"{job}.json" for job in ("x", "y")]
    workers = [PROCESSES.Process(target=_race, args=(store_url, log.stem, str(log))) for log in logs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    intervals = [tuple(line) for log in logs for line in json.loads(log.read_text(encoding="utf-8"))]
    assert len(intervals) >= 2 * GRANTS
    assert overlaps(intervals) == []
