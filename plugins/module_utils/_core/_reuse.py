# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stage whose inputs are those of an earlier success is not run again: its result is taken.

Within a run the record is there. Between runs, ``shared`` (a folder on the builder) says which run gave
the result for a key: ``NAME-KEY.json`` names its run directory. Only what lies in the run directory can
be shared.
"""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _under_way
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    clone_file,
    read_json,
    sha256_file,
    write_json,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import SUCCESS, Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import Stage, short


def reused(stage: Stage, result: dict[str, t.Any], files: t.Sequence[str] = ()) -> dict[str, t.Any] | None:
    """The record of an earlier success with the same inputs, or None: then the stage must run.

    ``result`` gets ``stage``, ``reused`` and ``msg``. ``files`` are paths in the run directory
    without which it is not taken. Errors: those of ``Stage.look``.
    """
    if not stage.looked:
        stage.look()
    if not stage.key or stage.terms.force or _under_way.note(stage.run, stage.name) is not None:
        return None
    record = _of_this_run(stage, files) or _of_another(stage)
    if record is not None:
        result["stage"] = short(stage.run, record, record["reused"] or "this_run")
        result["msg"] = result["stage"]["msg"]
    return record


def remember(stage: Stage) -> None:
    """Let other runs find this success."""
    folder = stage.terms.shared
    if folder and stage.key:
        os.makedirs(folder, exist_ok=True)
        write_json(_entry(folder, stage), {"version": 1, "run": stage.run.path})


def _of_this_run(stage: Stage, files: t.Sequence[str]) -> dict[str, t.Any] | None:
    record = stage.run.stage(stage.name)
    if not _same(stage, record) or record is None or not _whole(stage.run, record):
        return None
    return record if all(os.path.exists(stage.run.file(*path.split("/"))) for path in files) else None


def _same(stage: Stage, record: dict[str, t.Any] | None) -> bool:
    return record is not None and record["verdict"] == SUCCESS and record.get("key") == stage.key


def _whole(run: Run, record: dict[str, t.Any]) -> bool:
    """Whether its files are what they were."""
    return all(
        sha256_file_or_none(run.file(*artifact["path"].split("/"))) == artifact["sha256"]
        for artifact in record["artifacts"]
        if "path" in artifact
    )


def sha256_file_or_none(path: str) -> str | None:
    """The digest of a plain file; None for anything else."""
    if os.path.islink(path) or not os.path.isfile(path):
        return None
    with contextlib.suppress(OSError):
        return sha256_file(path)
    return None


def _entry(folder: str, stage: Stage) -> str:
    return os.path.join(folder, f"{stage.name}-{stage.key.rpartition(':')[2][:40]}.json")


def _of_another(stage: Stage) -> dict[str, t.Any] | None:
    """The result of another run, brought into this one; None when there is none, or not all of it."""
    if not stage.terms.shared:
        return None
    entry = _entry(stage.terms.shared, stage)
    try:
        other = Run(str(read_json(entry)["run"]))
        record = other.stage(stage.name)
    except (DistrogateError, OSError, KeyError, TypeError):
        return None
    if (
        other.path == stage.run.path
        or record is None
        or not _same(stage, record)
        or not _whole(other, record)
    ):
        return None
    stage.begin(alone=True)
    try:
        _bring(other, stage, record)
    except OSError:  # it is being removed: then it is made anew
        _under_way.end(stage.run, stage.name)
        return None
    stage.reused = record.get("reused") or os.path.basename(other.path)
    stage.inputs, stage.artifacts, stage.facts = record["inputs"], record["artifacts"], record["facts"]
    stage.results = record.get("results", [])
    stage.write(SUCCESS)
    return stage.run.stage(stage.name)


def _bring(other: Run, stage: Stage, record: dict[str, t.Any]) -> None:
    paths = [artifact["path"] for artifact in record["artifacts"] if "path" in artifact]
    for path in [*paths, *record["logs"], *record.get("results", [])]:
        target = stage.run.file(*path.split("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(target)
        clone_file(other.file(*path.split("/")), target)
