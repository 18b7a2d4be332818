# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report says, as a page needs it: every value is of its type, whoever wrote the files."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import math
import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside, parse_json, read_json

Json = dict[str, t.Any]
_LIMIT = 32 << 20  # bytes of one JSON file
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")
BAD = ("failure", "killed")


@dataclasses.dataclass
class Stage:
    """One stage, whether it ran or not."""

    name: str
    verdict: str = ""
    seconds: float = 0.0
    started: float | None = None
    reused: str = ""
    cancelled_by: str = ""
    reason: str = ""
    message: str = ""
    log: str = ""
    counts: Json | None = None
    record: Json = dataclasses.field(default_factory=dict)
    beside: list[str] = dataclasses.field(default_factory=list)
    anchor: str = ""

    @property
    def end(self) -> float:
        return (self.started or 0.0) + self.seconds

    @property
    def drawn(self) -> bool:
        """It has a place on the time line."""
        return self.started is not None and not self.reused


@dataclasses.dataclass
class Report:
    """A whole run."""

    path: str
    index: Json
    frozen: Json
    bundle: Json
    stages: list[Stage]
    logs: list[Json]

    @property
    def run_id(self) -> str:
        return text(self.index.get("run_id")) or text(self.frozen.get("id")) or "a run"

    @property
    def culprit(self) -> Stage | None:
        """The stage that a reader looks at first: the first to fail, or to be killed, or to be cancelled."""
        ran = sorted(self.stages, key=lambda stage: stage.end if stage.started is not None else math.inf)
        for words in (("failure",), ("killed",), ("cancelled",)):
            for stage in ran:
                if stage.verdict in words:
                    return stage
        return None


def text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def mapping(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[t.Any]:
    return value if isinstance(value, list) else []


def number(value: object) -> float:
    """A figure that is none counts as nothing."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e19:
        return 0.0
    return float(value)


def moment(value: object) -> float | None:
    """Seconds since 1970 of a time in RFC 3339."""
    with contextlib.suppress(ValueError, OverflowError):
        found = datetime.datetime.fromisoformat(
            re.sub(r"(\.\d{3})\d*", r"\1", text(value)).replace("Z", "+00:00")
        )
        zoned = found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)
        return zoned.timestamp()
    return None


def open_plain(root: str, name: str) -> t.BinaryIO:
    """A file below the report, as bytes; a link, a pipe or a name that leaves it is refused."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return open(os.open(inside(root, name), flags), "rb")


def _optional(root: str, name: str) -> Json:
    """A JSON file that a report may lack; a broken one is no reason to show nothing."""
    with contextlib.suppress(OSError, DistrogateError), open_plain(root, name) as stream:
        return mapping(parse_json(stream.read(_LIMIT + 1), name, _LIMIT))
    return {}


def _under_way(report: str) -> dict[str, float]:
    """Stages that began and never said how they ended, and when they began: as the run knows it.

    The report may be made aside, in a folder of its own inside the run.
    """
    found: dict[str, float] = {}
    above = os.path.dirname(os.path.abspath(report))
    for folder in (os.path.dirname(above), above):
        if not os.path.exists(f"{folder}/run.json"):
            continue
        names: list[str] = []
        with contextlib.suppress(OSError):
            names = sorted(os.listdir(f"{folder}/under_way"))[:200]
        for name in names:
            if name.endswith(".json") and _NAME.fullmatch(name[:-5]):
                found[name[:-5]] = number(_optional(folder, f"under_way/{name}").get("started_ns")) / 1e9
    return found


def _stage(report: str, said: Json, position: int) -> Stage:
    name = text(said.get("name")) or f"stage {position + 1}"
    plain = _NAME.fullmatch(name)
    record = _optional(report, f"stages/{name}.json") if plain else {}
    both = {**record, **{key: value for key, value in said.items() if value not in (None, "")}}
    counts = both.get("results")
    verdict = text(both.get("verdict"))
    started = moment(both.get("started"))
    return Stage(
        name=name,
        verdict="killed" if verdict in ("under_way", "started", "running") else verdict,
        seconds=number(both.get("seconds")),
        started=started,
        reused=text(both.get("reused")),
        cancelled_by=text(both.get("cancelled_by")),
        reason=text(both.get("reason")),
        message=text(both.get("message")),
        log=text(said.get("log")),
        counts=counts if isinstance(counts, dict) else None,
        record=record,
        anchor=f"stage/{name if plain else position}",
    )


def _planned(frozen: Json) -> list[str]:
    """The names of the pipeline's stages; a group is a list in the list."""
    names: list[str] = []
    for one in items(frozen.get("stages")):
        names += [text(name) for name in (one if isinstance(one, list) else [one])]
    return names


def _beside(stages: list[Stage]) -> None:
    """Which stages were at work at the same time."""
    drawn = [stage for stage in stages if stage.drawn]
    for one in drawn:
        one.beside = [
            other.name
            for other in drawn
            if other is not one and min(one.end, other.end) - max(one.started or 0, other.started or 0) > 0.05
        ]


def _others(report: str, frozen: Json, known: list[Stage]) -> list[Stage]:
    """Stages that the index does not name: the killed ones, and those that the run did not come to."""
    killed = _under_way(report)
    names = [*killed, *_planned(frozen)]
    found: dict[str, Stage] = {stage.name: stage for stage in known}
    for name in names:
        stage = found.setdefault(name, _stage(report, {"name": name}, len(found)))
        if name in killed and not stage.verdict:
            stage.verdict = "killed"
        if stage.verdict == "killed" and killed.get(name):
            stage.started = killed[name]
    last = max((stage.end for stage in found.values()), default=0.0)
    for stage in found.values():
        if stage.verdict == "killed" and stage.started:
            stage.seconds = max(0.0, last - stage.started)
    return list(found.values())


def read_report(report: str) -> Report:
    """All of it but the logs and the results, which are read piece by piece."""
    index = mapping(read_json(os.path.join(report, "index.json"), _LIMIT))
    frozen = _optional(report, "run.json")
    said = [mapping(one) for one in items(index.get("stages"))]
    stages = [_stage(report, one, position) for position, one in enumerate(said)]
    stages = _others(report, frozen, stages)
    planned = {name: position for position, name in enumerate(_planned(frozen))}
    stages.sort(key=lambda stage: (planned.get(stage.name, -1), stage.started or 0.0))
    _beside(stages)
    logs = [mapping(one) for one in items(index.get("logs"))]
    return Report(os.path.abspath(report), index, frozen, _optional(report, "bundle.json"), stages, logs)
