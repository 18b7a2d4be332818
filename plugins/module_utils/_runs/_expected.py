# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long each stage is going to take, as the newest runs of the same kind tell."""

from __future__ import annotations

import contextlib
import os
import statistics
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import read_json

NEWEST = 20  # run directories that are looked into
_MOST = 10000  # names in a folder of runs
_RUN_JSON = 1 << 20
_STAGE_JSON = 4 << 20

Json = dict[str, t.Any]


def _newest(runs: str, pipeline: str, but: str) -> list[str]:
    """The newest run directories of a pipeline."""
    found: list[tuple[float, str]] = []
    with contextlib.suppress(OSError), os.scandir(runs) as entries:
        for number, entry in enumerate(entries):
            if number >= _MOST:
                break
            if entry.name.startswith(f"{pipeline}-") and entry.path != but:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        found.append((entry.stat(follow_symlinks=False).st_mtime, entry.path))
    return [path for _time, path in sorted(found, reverse=True)[:NEWEST]]


def _read(path: str, limit: int) -> Json:
    """A JSON object; an empty one when there is none that can be read."""
    with contextlib.suppress(DistrogateError, OSError):
        value = read_json(path, limit)
        if isinstance(value, dict):
            return value
    return {}


def _project(frozen: Json) -> str:
    queue = frozen.get("queue")
    last = queue[-1] if isinstance(queue, list) and queue else None
    return str(last.get("project", "")) if isinstance(last, dict) else ""


def _names(folder: str) -> list[str]:
    with contextlib.suppress(OSError):
        return [
            name for name in sorted(os.listdir(folder))[:200] if name.endswith(".json") and name[0] != "."
        ]
    return []


def expected_seconds(runs: str, frozen: Json, own: str) -> dict[str, float]:
    """The median of what each stage took when it last succeeded, in runs of the pipeline and project.

    A result that was taken over from an earlier run took no time, and does not count. Files that
    cannot be read are passed over: this is a guess, and never a reason to fail.
    """
    took: dict[str, list[float]] = {}
    for run in _newest(runs, str(frozen.get("pipeline", "")), own):
        if _project(_read(os.path.join(run, "run.json"), _RUN_JSON)) != _project(frozen):
            continue
        for name in _names(os.path.join(run, "stages")):
            record = _read(os.path.join(run, "stages", name), _STAGE_JSON)
            seconds = record.get("seconds")
            if record.get("verdict") == "success" and not record.get("reused") and _is_number(seconds):
                took.setdefault(name[: -len(".json")], []).append(float(t.cast(float, seconds)))
    return {name: round(statistics.median(values), 1) for name, values in sorted(took.items())}


def _is_number(value: t.Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e9
