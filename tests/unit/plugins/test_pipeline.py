# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person reads: lines as stages begin and end, failures, the table; and the same as JSON."""

from __future__ import annotations

import json
import os
import pathlib
import types
import typing as t

import jsonschema
import pytest

from ansible_collections.distrogate.ci.plugins.callback.pipeline import CallbackModule

SCHEMA = pathlib.Path(__file__).parents[3] / "docs/schemas/event.schema.json"
STAGE = {
    "name": "build",
    "verdict": "success",
    "seconds": 1.24,
    "message": "",
    "reason": "",
    "log": "/r/logs/build.log",
    "run_dir": "/r",
    "reused": "",
    "cancelled_by": "",
}
FAILED = {**STAGE, "verdict": "failure", "reason": "command_failed", "message": "no"}
HIDDEN = "the output has been hidden due to the fact that 'no_log: true' was specified for this result"
LOG = "\n".join(f"line {number}" for number in range(30))


class Output:
    """Ansible's display, kept."""

    verbosity = 0

    def __init__(self) -> None:
        self.text = ""
        self.colours: list[t.Any] = []

    def display(self, text: str, color: t.Any = None, stderr: bool = False, **_options: t.Any) -> None:
        self.text += "" if stderr else text + "\n"
        self.colours.append(color)


class Played:
    """One playbook with this callback, played by hand."""

    def __init__(self, form: str = "text", verbosity: int = 0, **settings: bool) -> None:
        self.callback = CallbackModule()
        self.display = Output()
        self.display.verbosity = verbosity
        self.callback._display = t.cast(t.Any, self.display)
        self.callback._elapsed = lambda: 65.4  # type: ignore[method-assign]
        out = self.callback._out
        out.form, out.nested = form, settings.get("nested", False)
        out.timestamps = settings.get("timestamps", False)
        out.intercept()
        self.callback.v2_playbook_on_play_start(types.SimpleNamespace(get_name=lambda: " check "))

    def task(
        self, values: dict[str, t.Any], name: str = "Do", event: str = "ok", action: str = "x.y.z"
    ) -> None:
        task = types.SimpleNamespace(action=action, get_name=lambda: f" {name} ")
        self.callback.v2_playbook_on_task_start(task, False)
        host = types.SimpleNamespace(get_name=lambda: "builder")
        result = types.SimpleNamespace(_result=values, _task=task, _host=host)
        getattr(self.callback, f"v2_runner_on_{event}")(result)

    def begin(self, stage: str, took: str = "") -> None:
        self.task({"msg": f"{stage} begins{took}"}, f"distrogate.ci.pipeline : Begin {stage}", action="debug")

    def end(self) -> str:
        self.callback.v2_playbook_on_stats(None)
        return self.display.text

    def lines(self) -> list[str]:
        return self.end().splitlines()

    def events(self) -> list[dict[str, t.Any]]:
        schema = json.loads(SCHEMA.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        # Strictly: a key that is not documented is one too many.
        validator = jsonschema.Draft202012Validator({**schema, "additionalProperties": False})
        found = [json.loads(line) for line in self.end().splitlines()]
        for event in found:
            validator.validate(event)
        return found


def test_a_stage_begins_and_ends() -> None:
    played = Played()
    played.task({"expected_seconds": {"build": 80.4, "lint": "no"}, "stage": {**STAGE, "name": "freeze"}})
    played.begin("build")
    played.task({"stage": {**STAGE, "seconds": 77.04}})
    played.begin("lint", " (took 25 s lately)")
    played.task({"stage": {**STAGE, "name": "lint", "reused": "this_run"}})
    assert played.lines() == [
        "== check",
        "   1:05 freeze           success        1.2 s",
        "   1:05 build            begins, took 1 min 20 s lately",
        "   1:05 build            success       77.0 s  (1 min 20 s expected)",
        "   1:05 lint             begins, took 25 s lately",
        "   1:05 lint             success        1.2 s  its earlier result is reused",
        "stage            verdict    seconds   expected",
        "freeze           success        1.2          -",
        "build            success       77.0       80.4",
        "lint             success        1.2       25.0  its earlier result is reused",
        "succeeded: 3 stages, 5 tasks, 79.5 s in stages, 65.4 s in all",
        "run directory: /r",
        "logs:          /r/logs",
    ]


def failure(played: Played) -> None:
    """As roles/pipeline/tasks/stage.yml plays it: the module fails, and the rescue tells what matters."""
    played.begin("build")
    msg = f"Stage build failed: dpkg ended with status 2:\n{LOG}\nThe log is /r/logs/build.log"
    played.task({"stage": FAILED, "msg": msg, "reason": "command_failed"}, "Build", "failed")
    played.task({"stage": FAILED, "msg": msg, "lines": ["false", "error: no"]}, "End in failure", "failed")


def test_a_failure_says_what_matters_and_what_to_do() -> None:
    played = Played()
    played.callback._playbook = "distrogate.ci.check"
    failure(played)
    assert played.lines()[2:10] == [
        "   1:05 FAILED on builder: Build [command_failed]",
        "            Stage build failed: dpkg ended with status 2",
        "   1:05 build            failure        1.2 s",
        "            what matters in its log:",
        "            | false",
        "            | error: no",
        "            log:    /r/logs/build.log",
        "            again:  ansible-playbook distrogate.ci.stage -e run_dir=/r -e stage=build",
    ]
    assert "            resume: ansible-playbook distrogate.ci.check -e run_dir=/r\n" in played.display.text
    assert "failed at build: 1 stages, 3 tasks" in played.display.text


def test_a_failure_of_a_play_without_our_wrapper_is_told_whole() -> None:
    played = Played()
    msg = f"Stage build failed: it ended with status 2:\n{LOG}\nThe log is /r/logs/build.log"
    played.task({"stage": FAILED, "msg": msg}, "Build", "failed")
    text = played.end()
    assert "| line 29\n" in text and "log:    /r/logs/build.log\n" in text
    killed = Played()
    killed.begin("build")
    killed.task({"stage": FAILED, "msg": msg}, "Build", "failed")
    assert "build            failure" in killed.end() and "| line 29\n" in killed.display.text


def test_a_stage_of_several_tasks_is_told_once() -> None:
    played = Played()
    played.begin("build")
    played.task({"msg": f"apt ended with status 100:\n{LOG}", "log": "x", "reason": "r"}, "Install", "failed")
    played.task(
        {"stage": FAILED, "msg": f"Stage build failed: apt ended with status 100:\n{LOG}"}, "End", "failed"
    )
    text = played.end()
    assert text.count("FAILED") == 1 and text.count("| line 29") == 1


def test_long_and_hidden_failures() -> None:
    played = Played()
    played.task({"msg": "\n".join(f"line {number}" for number in range(100))}, event="failed")
    assert "line 99\n" in played.end() and "line 74\n" not in played.display.text
    for values, wanted in (({"censored": HIDDEN}, HIDDEN), ({}, "no message")):
        played = Played()
        played.task({**values, "invocation": {"x": "s3cret"}}, event="failed")
        assert wanted in played.end() and "s3cret" not in played.display.text


def test_a_loop_says_what_failed_in_it() -> None:
    played = Played()
    items = [{"failed": False, "msg": "fine"}, {"failed": True, "msg": "broken"}]
    played.task({"msg": "One or more items failed", "results": items}, event="failed")
    assert "            broken\n" in played.end() and "fine" not in played.display.text


def test_those_side_by_side_are_counted_and_said_once() -> None:
    played = Played()
    others = {"install_test": "failure", "system_test": "cancelled", "lint": "success"}
    group = [{**STAGE, "name": name, "verdict": verdict} for name, verdict in others.items()]
    group[1]["cancelled_by"] = "install_test"
    played.display.display("[lint] lint             success        1.2 s")
    played.display.display("[lint]     | what a tool said")
    played.task({"stages": group, "msg": "x"}, "Side by side", "failed")
    lines = played.lines()
    assert lines[1:3] == [
        "   1:05 lint             success        1.2 s",
        "   1:05 [lint]     | what a tool said",
    ]
    assert "   1:05 system_test      cancelled      1.2 s  cancelled by install_test" in lines
    again = "ansible-playbook distrogate.ci.stage -e run_dir=/r -e stage=install_test"
    assert f"   1:05 install_test     again: {again}" in lines
    assert len([line for line in lines if line.startswith("   1:05 lint ")]) == 1
    assert "failed at install_test: 3 stages, 1 tasks, 3.7 s in stages, 65.4 s in all" in lines


def test_what_others_display_is_a_line_of_ours() -> None:
    played = Played()
    played.begin("system_test")
    played.display.display("[builder] distrogate.ci.te_lock: waits for a TE of pool x: 2nd of 3, 80 s")
    played.display.display("")
    played.display.display("to the standard error", stderr=True)
    assert played.lines()[2] == "   1:05 system_test      … waits for a TE of pool x: 2nd of 3, 80 s"
    assert len(played.display.text.splitlines()) == 3


HOSTILE = "\x1b]0;title\x07\x1b[2J\rgone\u202etxt.exe\x9b31m\udc80"


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_terminal_obeys_what_others_say(form: str) -> None:
    played = Played(form, verbosity=2)
    bad = {**FAILED, "name": HOSTILE, "message": HOSTILE, "log": HOSTILE, "run_dir": HOSTILE}
    played.begin("build")
    played.display.display(HOSTILE)
    played.display.display(f"[{HOSTILE}] distrogate.ci.x: {HOSTILE}")
    played.task({"msg": HOSTILE, "warnings": [HOSTILE]}, HOSTILE, action="debug")
    played.task({"msg": HOSTILE, "stage": bad, "lines": [HOSTILE], "reason": HOSTILE}, HOSTILE, "failed")
    played.task({"msg": HOSTILE}, HOSTILE, "unreachable")
    diff = {"before": HOSTILE, "after": f"{HOSTILE}\n+", "before_header": HOSTILE}
    task = types.SimpleNamespace(action="copy", get_name=lambda: HOSTILE)
    host = types.SimpleNamespace(get_name=lambda: HOSTILE)
    result = types.SimpleNamespace(_result={"diff": diff, "changed": True}, _task=task, _host=host)
    played.callback.v2_on_file_diff(result)
    text = played.end()
    assert all(letter.isprintable() for letter in text.replace("\n", "")), repr(text)
    assert "txt.exe" in text and "\\u202e" in text


def test_json_and_nothing_else() -> None:
    played = Played("json", verbosity=2)
    played.task({"expected_seconds": {"build": 3}, "report": "/r/report", "archive": "/r/report.tar.gz"})
    failure(played)
    played.display.display("[builder] distrogate.ci.te_lock: waits")
    played.display.display("anything")
    events = played.events()
    kinds = [event["event"] for event in events if event["event"] not in ("task", "result")]
    assert kinds == ["play_begins", "stage_begins", "failure", "stage_ends", "progress", "line", "run_ends"]
    end = next(event for event in events if event["event"] == "stage_ends")
    assert end["lines"] == ["false", "error: no"] and end["expected_seconds"] == 3
    assert end["again"].endswith("-e stage=build")
    assert events[-1]["page"] == "/r/report/index.html" and events[-1]["archive"] == "/r/report.tar.gz"
    assert events[-1]["stages"][0]["verdict"] == "failure" and events[-1]["failed"]


@pytest.mark.parametrize("prefix", ["", "[lint] "])
def test_json_of_a_process_beside_is_handed_on(prefix: str) -> None:
    beside = Played("json", nested=True)
    beside.begin("lint")
    beside.task({"stage": {**STAGE, "name": "lint"}})
    played = Played("json")
    for line in beside.lines():
        played.display.display(prefix + line)
    played.display.display(prefix + '{"version": 1}')
    played.display.display(prefix + '{"event": "line"}')
    played.task({"stages": [{**STAGE, "name": "lint"}], "msg": "x"})
    events = played.events()
    kinds = [event["event"] for event in events]
    assert kinds == ["play_begins", "stage_begins", "stage_ends", "line", "line", "run_ends"]
    assert [stage["name"] for stage in events[-1]["stages"]] == ["lint"]


def test_the_process_of_a_task_shows_nothing_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played("json")
    monkeypatch.setattr(os, "getpid", lambda: 1)
    played.display.display("hands on")
    assert played.display.text.endswith("}\nhands on\n")


def test_others() -> None:
    quiet = Played()
    quiet.task({"msg": "quiet"})
    quiet.task({"stage": "build"})
    quiet.task({"stage": {"verdict": "x"}})
    quiet.task({"msg": "All items completed", "results": []}, action="debug")
    quiet.task({"msg": "build succeeded"}, "distrogate.ci.report : Say what the stages did", action="debug")
    assert quiet.end() == "== check\n"
    played = Played(timestamps=True)
    played.task({"msg": "a\nb"}, action="ansible.builtin.debug")
    played.task({"msg": "no route"}, event="unreachable")
    lines = played.lines()
    assert lines[1].endswith("Z    1:05 a") and lines[1][:2] == "20" and lines[2].strip() == "b"
    assert lines[3].endswith("UNREACHABLE builder: no route")
    nested = Played(nested=True)
    nested.task({"stage": STAGE})
    assert nested.end() == "build            success        1.2 s\n"
