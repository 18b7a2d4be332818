# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One stage of a run: what it read, whether it need run at all, and the record that it leaves."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
import time
import traceback
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _under_way
from ansible_collections.distrogate.ci.plugins.module_utils._core._descendants import ended_with_descendants
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json, write_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import forget_results, results_of
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import (
    FORMAT,
    SUCCESS,
    Run,
    checked_stage,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._told import stage_sentence

# Options that every module has which is a stage by itself (the fragment ``distrogate.ci.stage``).
STAGE_OPTIONS: dict[str, t.Any] = {
    "reads": {"type": "list", "elements": "str", "default": []},
    "adds": {"type": "list", "elements": "str"},
    "force": {"type": "bool", "default": False},
    "shared": {"type": "path"},
    "code": {"type": "str", "default": ""},
    "controller": {"type": "dict"},
}
# What does not decide what a stage gives.
_ASIDE = {"run_dir", "scratch", "timeout", "progress_file", "cache", "stage", "log", *STAGE_OPTIONS}


@dataclasses.dataclass(frozen=True)
class Terms:
    """What a stage is called with; see ``STAGE_OPTIONS`` for most of it.

    ``settings`` and ``inputs`` decide what it gives, together with the code and what the stages in
    ``reads`` gave: ``inputs`` is what it reads beside that, by name; under a stage's name, the part of what
    that one gave which matters.
    """

    settings: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    inputs: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    reads: tuple[str, ...] = ()
    adds: tuple[str, ...] | None = None
    force: bool = False
    shared: str | None = None
    code: str = ""
    controller: dict[str, t.Any] | None = None
    progress_file: str | None = None


def terms(params: dict[str, t.Any], **inputs: t.Any) -> Terms:
    """The terms that a module's options say; ``inputs`` as in ``Terms``."""
    return Terms(
        settings={name: value for name, value in params.items() if name not in _ASIDE},
        inputs=inputs,
        reads=tuple(params["reads"]),
        adds=None if params["adds"] is None else tuple(params["adds"]),
        force=params["force"],
        shared=params["shared"],
        code=params["code"],
        controller=params["controller"],
        progress_file=params.get("progress_file"),
    )


def given(run: Run, stage: str, reader: str) -> dict[str, t.Any]:
    """What ``stage`` gave to those that read it. Error ``stage_missing``: it has not succeeded."""
    record = run.stage(stage)
    if record is None or record["verdict"] != SUCCESS:
        state = "has not run" if record is None else f"ended in {record['verdict']}"
        raise DistrogateError(
            "stage_missing",
            f"Stage {reader} reads what stage {stage} gives, which {state} in {run.path}."
            f" Run the stage {stage} first.",
        )
    return {"artifacts": record["artifacts"], "facts": record["facts"]}


def _names(stages: t.Iterable[t.Any]) -> t.Iterator[str]:
    """Of records: a pipeline names a site's own stage by its role, and has groups."""
    for stage in stages:
        if isinstance(stage, str):
            yield stage.rpartition(".")[2]
        else:
            yield from _names(stage)


class Stage:
    """One stage's record while it is being made; see ``stage_record`` for its life."""

    def __init__(self, run: Run, name: str, agreed: Terms | None = None) -> None:
        self.run = run
        self.name = checked_stage(name)
        self.terms = agreed or Terms()
        self.started_ns = time.time_ns()
        self.log = run.log(name)
        self.inputs: dict[str, t.Any] = {}
        self.artifacts: list[dict[str, t.Any]] = []
        self.facts: dict[str, t.Any] = {}
        self.results: list[str] = []
        self.reads: dict[str, str] = {}
        self.adds: t.Sequence[str] | None = self.terms.adds
        self.key = ""
        self.looked = False
        self.reused = ""

    def look(self) -> None:
        """Digest what it reads; ``key`` says whether an earlier result is this one."""
        self.looked = True
        found = {stage: given(self.run, stage, self.name) for stage in self._read()}
        values = {**found, **self.terms.inputs}
        self.reads = {name: digest_json(value) for name, value in sorted(values.items())}
        if self.terms.code:
            what = [self.name, self.terms.code, self.terms.settings, self.reads]
            self.key = digest_json(what)

    def _read(self) -> t.Iterable[str]:
        """The stages in ``reads``; ``*`` stands for those of the pipeline before this one that succeeded."""
        if "*" not in self.terms.reads:
            return self.terms.reads
        order = ["freeze", *_names(self.run.frozen.get("stages", []))]
        before = order[: order.index(self.name)] if self.name in order else order
        known = self.run.stages()
        return [name for name in before if name in known and known[name]["verdict"] == SUCCESS]

    def begin(self, alone: bool) -> None:
        """Note that it is under way. What an earlier try wrote goes: a killed stage must not look like it."""
        for folder in ("stages", "logs"):
            os.makedirs(self.run.file(folder), exist_ok=True)
        kept = {"started_ns": self.started_ns, "key": self.key, "reads": self.reads, "adds": self.terms.adds}
        _under_way.begin(self.run, self.name, {"controller": self.terms.controller, **kept}, alone)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.run.file("stages", f"{self.name}.json"))
        forget_results(self.run.path, self.name)
        with contextlib.suppress(FileNotFoundError):
            os.replace(self.log, self.run.file("logs", f"{self.name}.before.log"))

    def resume(self) -> None:
        """Go on with a stage that another task began."""
        note = _under_way.note(self.run, self.name) or {}
        self.started_ns = note.get("started_ns", self.started_ns)
        self.key, self.reads = note.get("key", ""), note.get("reads", {})
        self.adds = note.get("adds")

    def write(
        self, verdict: str, explanation: str = "", reason: str = "", cancelled_by: str = ""
    ) -> dict[str, t.Any]:
        """Write stages/NAME.json; returns the short form that plugins return as ``stage``."""
        if verdict == SUCCESS and self.adds is not None:
            self._refuse_undeclared(self.adds)
        started = datetime.datetime.fromtimestamp(self.started_ns / 1e9, datetime.timezone.utc)
        record = {
            "version": FORMAT,
            "stage": self.name,
            "verdict": verdict,
            "started": started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "started_ns": self.started_ns,
            "seconds": round(max(0, time.time_ns() - self.started_ns) / 1e9, 3),
            "key": self.key,
            "reads": self.reads,
            "reused": self.reused,
            "inputs": self.inputs,
            "artifacts": self.artifacts,
            "facts": self.facts,
            "logs": [self.run.relative(self.log)] if os.path.exists(self.log) else [],
            "results": self.results or results_of(self.run.path, self.name),
            "message": explanation,
            "reason": reason,
            "cancelled_by": cancelled_by,
        }
        write_json(self.run.file("stages", f"{self.name}.json"), record)
        _under_way.end(self.run, self.name)
        return short(self.run, record)

    def _refuse_undeclared(self, adds: t.Sequence[str]) -> None:
        others = sorted({artifact["type"] for artifact in self.artifacts} - set(adds))
        if others:
            raise DistrogateError(
                "undeclared_artifact",
                f"Stage {self.name} made artifacts of the types {', '.join(others)}, and says that it adds"
                f" {', '.join(adds) or 'none'}. Add them to {self.name}_adds.",
            )


def short(run: Run, record: dict[str, t.Any], reused: str = "") -> dict[str, t.Any]:
    """A record as plugins return it, with ``msg`` for those who read any callback."""
    name = record["stage"]
    found = {
        "name": name,
        "verdict": record["verdict"],
        "seconds": record.get("seconds", 0.0),
        "message": record.get("message", ""),
        "reason": record.get("reason", ""),
        "log": run.log(name) if record.get("logs") else "",
        "run_dir": run.path,
        "reused": reused or record.get("reused", ""),
        "cancelled_by": record.get("cancelled_by", ""),
    }
    return {**found, "msg": stage_sentence(found)}


@contextlib.contextmanager
def stage_record(stage: Stage, result: dict[str, t.Any]) -> t.Iterator[Stage]:
    """Run a stage's body; its file is written whether it succeeds or fails.

    ``result`` (a module's result) gets ``stage``. On an error the file says ``failure`` and the error
    goes on, with the stage and its log named. The process ends with its controller.
    """
    stage.begin(alone=True)
    try:
        with (
            ended_with_descendants(),
            _under_way.ended_with(stage.terms.controller, stage.terms.progress_file),
        ):
            yield stage
        result["stage"] = stage.write(SUCCESS)
    except DistrogateError as error:
        result["stage"] = stage.write("failure", error.message, error.reason)
        where = f"\nThe log is {stage.log}" if os.path.exists(stage.log) else ""
        details = {k: v for k, v in error.details.items() if k not in ("msg", "reason")}
        raise DistrogateError(
            error.reason, f"Stage {stage.name} failed: {error.message}{where}", **details
        ) from error
    except Exception as error:
        with open(stage.log, "a", encoding="utf-8") as log:
            log.write(traceback.format_exc())
        result["stage"] = stage.write("failure", str(error), "internal_error")
        raise
    result["msg"] = result["stage"]["msg"]
