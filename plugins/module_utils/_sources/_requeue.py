# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new order of the queue: what is tested again, on top of what, and which runs count no more.

A plan is a dictionary that goes from step to step: ``queue`` (the new order), ``tests``
(a queue for each change that is still to be tested), ``passed``, ``dropped`` and ``void``.
"""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue import KEYS, normal_queue

Json = dict[str, t.Any]
Queue = list[dict[str, str]]
Depends = t.Callable[[t.Mapping[str, str], t.Mapping[str, str]], bool]


def plain(queue: t.Iterable[t.Mapping[str, t.Any]]) -> Queue:
    """A queue as run.json has it, without what freezing added."""
    return normal_queue([{key: change[key] for key in KEYS if key in change} for change in queue])


def same(one: t.Sequence[t.Mapping[str, str]], other: t.Sequence[t.Mapping[str, str]]) -> bool:
    """Whether two queues are the same changes in the same order; a commit counts where both have one."""
    return len(one) == len(other) and all(_same(*pair) for pair in zip(one, other))


def _same(one: t.Mapping[str, str], other: t.Mapping[str, str]) -> bool:
    names = ("project", "branch", "change_id", "patch_set")
    commits = {one.get("commit") or other.get("commit"), other.get("commit") or one.get("commit")}
    return all(one[name] == other[name] for name in names) and len(commits) == 1


def without(queue: Queue, failed: t.Mapping[str, str], depends: Depends) -> tuple[Queue, list[Json]]:
    """The queue without what failed and what is built on it; and what was dropped, with the reason."""
    known = {change["change_id"] for change in queue}
    strange = sorted(set(failed) - known)
    if strange:
        raise DistrogateError(
            "unknown_change",
            f"There is no change {', '.join(strange)} in the queue, which is {_names(queue)}. Give the"
            " current queue (current), or the right change (failed).",
        )
    kept: Queue = []
    dropped: list[Json] = []
    gone: Queue = []
    for change in queue:
        why = failed.get(change["change_id"], "")
        below = next((one for one in gone if depends(change, one)), None)
        if not why and below:
            why = f"its commit is built on that of {below['change_id']}, and would merge it, too"
        if why:
            gone.append(change)
            dropped.append({"change_id": change["change_id"], "reason": why})
        else:
            kept.append(change)
    return kept, dropped


def reordered(queue: Queue, order: t.Sequence[str]) -> Queue:
    """The changes named by ``order``, in that order; those left out are dropped."""
    known = {change["change_id"]: change for change in queue}
    strange = [name for name in order if name not in known]
    if strange:
        raise DistrogateError(
            "unknown_change",
            f"There is no change {', '.join(strange)} in the queue, which is {_names(queue)}. A change"
            " that is new to the queue is given with all its keys (queue_file).",
        )
    return normal_queue([known[name] for name in order])


def tests_of(queue: Queue, current: Queue) -> list[Queue]:
    """A queue for each change whose changes ahead are not what they were, in order."""
    prefixes = [queue[: number + 1] for number in range(len(queue))]
    return [prefix for prefix in prefixes if not same(prefix, current[: len(prefix)])]


def void_of(queue: Queue, current: Queue) -> list[Queue]:
    """The queues that nothing is going to be merged as."""
    prefixes = [current[: number + 1] for number in range(len(current))]
    return [prefix for prefix in prefixes if not same(prefix, queue[: len(prefix)])]


def void_runs(queues: t.Sequence[Queue], runs: t.Iterable[Json]) -> list[Json]:
    """The runs that tested one of ``queues``."""
    return [
        {key: run[key] for key in ("run_id", "queue_key", "change_id", "under_way")}
        for run in runs
        if any(same(run["queue"], queue) for queue in queues)
    ]


def after(plan: Json, verdict: str, depends: Depends, runs: t.Sequence[Json]) -> Json:
    """The plan once its first test has ended; after a failure, those behind are tested without it."""
    tested: Queue = plan["tests"][0]
    change = tested[-1]["change_id"]
    if verdict == "success":
        return {**plan, "tests": plan["tests"][1:], "passed": [*plan["passed"], change], "void": []}
    own = [run for run in runs if same(run["queue"], tested)]
    if not own or not own[-1]["failed"]:
        raise DistrogateError(
            "not_tested",
            f"Change {change} was not tested to an end: no stage of it failed. It stays in the queue. See"
            " what stopped the run, and call this again.",
        )
    why = {change: f"it failed at {own[-1]['failed']} in the new order (run {own[-1]['run_id']})"}
    queue, dropped = without(plan["queue"], why, depends)
    return {
        "queue": queue,
        "tests": tests_of(queue, tested[:-1]),
        "passed": plan["passed"],
        "dropped": [*plan["dropped"], *dropped],
        "void": void_runs([tested], runs),
    }


def _names(queue: Queue) -> str:
    return ", ".join(change["change_id"] for change in queue)
