# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runs of a pipeline on this builder: which queue is the current one, and what failed of it."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import read_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._sources._freeze import cached
from ansible_collections.distrogate.ci.plugins.module_utils._sources._requeue import (
    Depends,
    Queue,
    plain,
    same,
)

Json = dict[str, t.Any]

_LIMIT = 16 << 20


def runs_of(folder: str, pipeline: str) -> list[Json]:
    """The pipeline's runs, oldest first; what is no run, or cannot be read, is left out."""
    found = []
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        path = os.path.join(folder, name, "run.json")
        if name.startswith(f"{pipeline}-") and os.path.isfile(path) and not os.path.islink(path):
            run = _run(os.path.dirname(path), path, pipeline)
            if run:
                found.append(run)
    return sorted(found, key=_age)


def _age(run: Json) -> tuple[str, int]:
    return (run["created"], run["written"])


def _run(folder: str, path: str, pipeline: str) -> Json | None:
    try:
        frozen = read_json(path, _LIMIT)
        if frozen.get("pipeline") != pipeline:
            return None
        queue = plain(frozen["queue"])
        stages = Run(folder).stages()
        return {
            "run_id": str(frozen["id"]),
            "queue_key": str(frozen["queue_key"]),
            "created": str(frozen.get("created", "")),
            "written": os.stat(path).st_mtime_ns,
            "queue": queue,
            "projects": frozen["projects"],
            "change_id": queue[-1]["change_id"],
            "failed": next((name for name, one in stages.items() if one.get("verdict") == "failure"), ""),
            "under_way": sorted(_under_way(folder)),
        }
    except (DistrogateError, KeyError, TypeError, AttributeError, ValueError):
        return None  # not ours to judge: the janitor names it


def _under_way(folder: str) -> list[str]:
    place = os.path.join(folder, "under_way")
    return [name[:-5] for name in os.listdir(place) if name.endswith(".json")] if os.path.isdir(place) else []


def newest_queue(runs: t.Sequence[Json], folder: str) -> Queue:
    """The queue of the newest run: the gate's last change has all others ahead of it."""
    if not runs:
        raise DistrogateError(
            "no_queue", f"There is no run of this pipeline in {folder}. Give the current queue (current)."
        )
    queue: Queue = runs[-1]["queue"]
    return queue


def failed_in(queue: Queue, runs: t.Sequence[Json], named: t.Collection[str]) -> dict[str, str]:
    """The first change of a queue whose newest run on exactly the changes ahead of it failed.

    Those behind one that failed, or was named, were tested on top of it: that says nothing of them.
    """
    for number, change in enumerate(queue):
        if change["change_id"] in named:
            return {}
        own = [run for run in runs if same(run["queue"], queue[: number + 1])]
        if own and own[-1]["failed"]:
            why = f"its run {own[-1]['run_id']} failed at {own[-1]['failed']}"
            return {change["change_id"]: why}
    return {}


def built_on(cache: str, runs: t.Sequence[Json]) -> Depends:
    """Whether a change's commit contains that of another, as far as the cache knows both."""
    urls = {name: project["url"] for run in runs for name, project in run["projects"].items()}

    def depends(change: t.Mapping[str, str], other: t.Mapping[str, str]) -> bool:
        url = urls.get(change["project"])
        if not url or change["project"] != other["project"] or not change["commit"] or not other["commit"]:
            return False
        return cached(cache, url).contains(change["commit"], other["commit"])

    return depends
