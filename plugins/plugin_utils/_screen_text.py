# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Events as lines for a person: when, what, how long, and on failure where to look and what to do."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._told import canceller, duration, origin
from ansible_collections.distrogate.ci.plugins.module_utils._runs._plain import escaped
from ansible_collections.distrogate.ci.plugins.plugin_utils._screen_story import Event

Line = tuple[str, str]  # the text, and how it is meant: good, bad, odd, or nothing
_NAME = 16
_MEANING = {"success": "good", "failure": "bad"}


def clock(seconds: float) -> str:
    """Time since the beginning: ``0:07``, ``12:34``, ``1:02:03``."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def lines_of(event: Event) -> list[Line]:
    """The lines of one event, safe for a screen; those after the first begin with spaces."""
    make = _SHAPES.get(event["event"])
    found = make(event) if make else []
    if event["event"] == "stage_ends" and event["verdict"] == "failure":
        found += _ways(event)
    return [(escaped(text).rstrip(), meaning) for text, meaning in found]


def _play_begins(event: Event) -> list[Line]:
    return [(f"== {event['play']}", "")]


def _task(event: Event) -> list[Line]:
    return [(f"   {event['task']}", "")]


def _stage_begins(event: Event) -> list[Line]:
    expected = event["expected_seconds"]
    took = f", took {duration(expected)} lately" if expected is not None else ""
    return [(f"{event['stage']:{_NAME}} begins{took}", "")]


def _stage_ends(event: Event) -> list[Line]:
    verdict, expected = event["verdict"], event["expected_seconds"]
    # Of stages side by side, each says by itself how it ended; but not that it was cancelled.
    if event["group"] and verdict != "cancelled":
        return []
    more = ""
    if verdict == "cancelled":
        more = canceller(event)
    elif event["reused"]:
        more = origin(event)
    elif expected is not None:
        more = f"({duration(expected)} expected)"
    meaning = _MEANING.get(verdict, "odd")
    return [(f"{event['stage']:{_NAME}} {verdict:9} {event['seconds']:8.1f} s  {more}", meaning)]


def _ways(event: Event) -> list[Line]:
    """Where to look, and how to go on."""
    found: list[Line] = []
    if event["lines"]:
        found.append(("    what matters in its log:", ""))
        found += [(f"    | {line}", "") for line in event["lines"]]
    shown = [("log", event["log"]), ("again", event["again"]), ("resume", event["resume"])]
    if event["group"]:
        name = f"{event['stage']:{_NAME}}"
        return [(f"{name} {title}: {value}", "") for title, value in shown[1:] if value]
    return [*found, *((f"    {title + ':':8}{value}", "") for title, value in shown if value)]


def _failure(event: Event) -> list[Line]:
    reason = f" [{event['reason']}]" if event["reason"] else ""
    ignored = " (ignored)" if event["ignored"] else ""
    head = f"FAILED on {event['host']}: {event['task']}{reason}{ignored}"
    return [(head, "bad"), *_indented(event["message"])]


def _unreachable(event: Event) -> list[Line]:
    return [(f"UNREACHABLE {event['host']}: {event['message']}", "bad")]


def _warning(event: Event) -> list[Line]:
    return [(f"WARNING from {event['host']}: {event['message']}", "odd")]


def _message(event: Event) -> list[Line]:
    return [(line, "") for line in event["message"].split("\n")]


def _progress(event: Event) -> list[Line]:
    module = event["module"].rpartition(".")[2]
    return [(f"{event['stage'] or module:{_NAME}} … {event['message']}", "")]


def _run_ends(event: Event) -> list[Line]:
    stages = event["stages"]
    if not stages:
        return []
    found: list[Line] = [(f"{'stage':{_NAME}} {'verdict':9} {'seconds':>8}  {'expected':>9}", "")]
    for stage in stages:
        expected = stage["expected_seconds"]
        shown = f"{expected:9.1f}" if expected is not None else f"{'-':>9}"
        row = f"{stage['name']:{_NAME}} {stage['verdict']:9} {stage['seconds']:8.1f}  {shown}"
        more = canceller(stage) if stage["verdict"] == "cancelled" else origin(stage)
        found.append((f"{row}  {more}", _MEANING.get(stage["verdict"], "odd")))
    seconds = f"{event['stage_seconds']:.1f} s in stages, {event['elapsed']:.1f} s in all"
    bad = [stage["name"] for stage in stages if stage["verdict"] == "failure"]
    verdict = "failed" if event["failed"] else "succeeded"
    at = f" at {', '.join(bad)}" if bad else ""
    summary = f"{verdict}{at}: {len(stages)} stages, {event['tasks']} tasks, {seconds}"
    found.append((summary, "bad" if event["failed"] else "good"))
    places = (
        ("run directory", event["run_dir"]),
        ("logs", event["run_dir"] and f"{event['run_dir']}/logs"),
        ("page", event["page"]),
        ("log bundle", event["archive"]),
    )
    return [*found, *((f"{title + ':':14} {path}", "") for title, path in places if path)]


def _indented(text: str) -> t.Iterator[Line]:
    for line in text.split("\n"):
        yield f"    {line}", ""


_SHAPES: dict[str, t.Callable[[Event], list[Line]]] = {
    "play_begins": _play_begins,
    "task": _task,
    "stage_begins": _stage_begins,
    "stage_ends": _stage_ends,
    "failure": _failure,
    "unreachable": _unreachable,
    "warning": _warning,
    "message": _message,
    "line": _message,
    "diff": _message,
    "progress": _progress,
    "run_ends": _run_ends,
}
