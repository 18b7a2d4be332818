# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Freezing a run again: it goes on as it was frozen, and nothing else may be meant by it."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue import normal_queue

Json = dict[str, t.Any]


def _other_queue(frozen: Json, queue: t.Sequence[Json]) -> bool:
    """Whether another queue is asked for. What a branch or ref means now does not matter: it was frozen."""
    changes = normal_queue(queue)
    kept = [
        {key: value for key, value in old.items() if key in new and (key != "commit" or new["commit"])}
        for old, new in zip(frozen["queue"], changes)
    ]
    asked = [{key: value for key, value in new.items() if key != "commit" or value} for new in changes]
    return kept != asked or len(frozen["queue"]) != len(changes)


def _other_project(old: Json, new: t.Any, fetched_from: str | None) -> bool:
    if not isinstance(new, dict):
        return True
    address = new.get("url") in (old["url"], fetched_from)
    return not address or old["packages"] != (new.get("packages") or {})


def refuse_others(
    frozen: Json, queue: t.Sequence[Json], projects: t.Mapping[str, t.Any], settings: t.Mapping[str, t.Any]
) -> None:
    """Refuse a run that was frozen with other inputs (``run_frozen``); no queue means the frozen one."""
    differing = [name for name, value in settings.items() if frozen.get(name) != value]
    if queue and _other_queue(frozen, queue):
        differing.append("queue")
    fetched = frozen.get("fetched_from") or {}
    for name, old in frozen["projects"].items():
        if _other_project(old, projects.get(name), fetched.get(name)):
            differing.append(f"projects.{name}")
    if differing:
        raise DistrogateError(
            "run_frozen",
            f"The run {frozen.get('id')} is frozen with other inputs ({', '.join(differing)})."
            " Give the new run its own run_dir.",
            differing=differing,
        )
