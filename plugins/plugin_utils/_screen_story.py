# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happened, as events: one flat dictionary each, made of what Ansible tells a callback.

Nothing is formatted here. The keys are those of docs/schemas/event.schema.json.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._told import stage_sentence
from ansible_collections.distrogate.ci.plugins.plugin_utils._screen_values import (
    cut,
    is_group,
    is_number,
    is_stage,
    shortened,
    why,
)

Event = dict[str, t.Any]
VERSION = 1
_BEGIN = re.compile(r"(?:.{0,200}: )?Begin ([a-z][a-z0-9_.]{0,200})")
_TOOK = re.compile(r".{0,300}\btook ([0-9]{1,9}(?:\.[0-9]{1,9})?) s\b")
# The same facts as plain output for other callbacks; here they would be said twice.
_SAID_HERE = re.compile(r"(?:.{0,200}: )?Say what the stages did")
_DEBUG = ("debug", "ansible.builtin.debug", "ansible.legacy.debug")
_SHORT = ("name", "verdict", "seconds", "message", "reason", "log", "run_dir", "reused", "cancelled_by")


class Story:
    """One run, as far as it has been told."""

    def __init__(self) -> None:
        self.stages: dict[str, Event] = {}
        self.expected: dict[str, float] = {}
        self.report: dict[str, str] = {}
        self.stage = ""  # under way
        self.tasks = 0
        self.failed = False
        self.relayed: set[str] = set()  # stages that a process beside told of itself
        self._said = ""
        self._more: list[str] = []
        self._waits: Event | None = (
            None  # a stage that failed, until its wrapper adds what matters in its log
        )

    def result(self, values: t.Mapping[str, t.Any], action: str, task: str, host: str) -> t.Iterator[Event]:
        """What a task that ended well has to say."""
        self._note(values)
        yield from self._warnings(values, host)
        says = action in _DEBUG and "msg" in values and "results" not in values
        if says and not _SAID_HERE.fullmatch(task):
            yield self._debug(task, values["msg"])
        yield from self._stages(values)

    def failure(
        self, values: t.Mapping[str, t.Any], task: str, host: str, ignored: bool
    ) -> t.Iterator[Event]:
        """What a task that failed has to say: what failed, why, and what matters in its log."""
        self._note(values)
        self.failed = self.failed or not ignored
        yield from self._warnings(values, host)
        message = why(values)
        given = values.get("lines")
        lines = [str(line) for line in given] if isinstance(given, list) else []
        if is_group(values.get("stages")):
            message = "; ".join(stage_sentence(member) for member in values["stages"])
        elif is_stage(values.get("stage")) or isinstance(values.get("log"), str):
            message, more = cut(message)
            lines = lines or more
            if not self.stage:  # nobody is going to end a stage, and to show them
                message = "\n".join([message, *lines])
        # The end of a stage says again what its task said.
        head = message.partition("\n")[0].rstrip(":").strip()
        if not (self._said and self._said in head):
            yield {
                "event": "failure",
                "stage": self.stage,
                "host": host,
                "task": task,
                "reason": str(values.get("reason") or ""),
                "message": shortened(message),
                "ignored": bool(ignored),
            }
            self._said = head
            self._more = lines
        yield from self._stages(values, lines, final=given is not None)

    def unreachable(self, message: str, task: str, host: str) -> Event:
        """A host that did not answer."""
        self.failed = True
        return {"event": "unreachable", "stage": self.stage, "host": host, "task": task, "message": message}

    def end(self) -> Event:
        """The sum of it all."""
        stages = list(self.stages.values())
        return {
            "event": "run_ends",
            "failed": self.failed,
            "tasks": self.tasks,
            "stage_seconds": round(sum(stage["seconds"] for stage in stages), 3),
            "stages": stages,
            "run_dir": next((stage["run_dir"] for stage in reversed(stages) if stage["run_dir"]), ""),
            "page": self.report.get("page", ""),
            "archive": self.report.get("archive", ""),
        }

    def ended(self, short: t.Mapping[str, t.Any]) -> Event:
        """Keep the short form of a stage; the later one of two counts."""
        name = short["name"]
        expected = self.expected.get(name)
        kept = {key: short[key] if key in ("seconds",) else str(short.get(key) or "") for key in _SHORT}
        self.stages.pop(name, None)
        self.stages[name] = {**kept, "expected_seconds": expected}
        self.failed = self.failed or kept["verdict"] != "success"
        return self.stages[name]

    def _note(self, values: t.Mapping[str, t.Any]) -> None:
        expected = values.get("expected_seconds")
        if isinstance(expected, dict):
            self.expected.update({str(name): sec for name, sec in expected.items() if is_number(sec)})
        report, archive = values.get("report"), values.get("archive")
        if isinstance(report, str) and isinstance(archive, str):
            report = {"page": f"{report}/index.html", "archive": archive}
        if isinstance(report, dict):
            self.report = {
                key: str(report[key]) for key in ("page", "archive") if isinstance(report.get(key), str)
            }

    def waiting(self) -> t.Iterator[Event]:
        """The end of a stage that failed, should it not have been told."""
        if self._waits is not None:
            yield self._waits
            self._waits = None

    def _stages(
        self, values: t.Mapping[str, t.Any], lines: t.Sequence[str] = (), final: bool = True
    ) -> t.Iterator[Event]:
        stage: t.Any = values.get("stage")
        if is_stage(stage):
            before = self.stages.get(stage["name"])
            told = self.ended(stage)
            # A wrapper that writes the record of a failure repeats what the module said.
            repeats = before is not None and before["verdict"] == told["verdict"] != "success"
            shown = list(lines or self._more) if told["verdict"] == "failure" else []
            event = {"event": "stage_ends", **_named(told), "lines": shown, "group": False}
            waited, self._waits = self._waits, None
            if waited is not None and waited["stage"] != told["name"]:
                yield waited
                waited = None
            if told["verdict"] == "failure" and not final and self.stage:
                self._waits = event
                return
            if waited is not None or not repeats:
                yield event
            self.stage = ""
        group: t.Any = values.get("stages")
        for member in group if is_group(group) else ():
            told = self.ended(member)
            if told["name"] not in self.relayed:
                yield {"event": "stage_ends", **_named(told), "lines": [], "group": True}

    def _debug(self, task: str, message: t.Any) -> Event:
        found = _BEGIN.fullmatch(task)
        if found is None or not str(message).startswith(f"{found.group(1)} begins"):
            return {"event": "message", "stage": self.stage, "message": str(message)}
        self.stage = found.group(1)
        self._said, self._more = "", []
        took = _TOOK.match(str(message))
        if took and self.stage not in self.expected:
            self.expected[self.stage] = float(took.group(1))
        return {
            "event": "stage_begins",
            "stage": self.stage,
            "expected_seconds": self.expected.get(self.stage),
        }

    def _warnings(self, values: t.Mapping[str, t.Any], host: str) -> t.Iterator[Event]:
        for warning in values.get("warnings") or ():
            yield {"event": "warning", "stage": self.stage, "host": host, "message": str(warning)}


def _named(stage: Event) -> Event:
    return {"stage": stage["name"], **{key: value for key, value in stage.items() if key != "name"}}
