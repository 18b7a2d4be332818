# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where lines go: to Ansible's display, as text or as JSON; what others say there passes here, too."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import threading
import typing as t

from ansible import constants

from ansible_collections.distrogate.ci.plugins.plugin_utils._screen_story import VERSION, Event, Story
from ansible_collections.distrogate.ci.plugins.plugin_utils._screen_text import clock, lines_of

_PROGRESS = re.compile(r"\[([^\]]{1,300})\] ([a-z0-9_]+(?:\.[a-z0-9_]+)+): (.*)", re.DOTALL)
_BESIDE = re.compile(r"(?:\[([a-z][a-z0-9_.]{0,200})\] )?(\{.*\})")
_TWICE = re.compile(r"\[([a-z][a-z0-9_.]{0,200})\] \1( +(?:begins|success|failure|cancelled|…) ?)")
_COLOURS = {"good": "COLOR_OK", "bad": "COLOR_ERROR", "odd": "COLOR_SKIP"}
_MARGIN = 8
BEGUN = "\x1e"  # the line of a nested playbook that has read its variables, for who started it


class Output:
    """Writes events. ``settings``: ``form`` (text or json), ``timestamps``, ``nested``."""

    def __init__(self, display: t.Any, story: Story, elapsed: t.Callable[[], float]) -> None:
        self.form, self.timestamps, self.nested = "text", False, False
        self.again: t.Callable[[str, str], tuple[str, str]] = _no_commands
        self._display = display
        self._write: t.Callable[..., None] = display.display
        self._story = story
        self._elapsed = elapsed
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._busy = threading.local()

    def intercept(self) -> None:
        """Stand before the display: what others show there becomes a line of ours."""
        self._write = self._display.display
        self._display.display = self._display_of_others

    def leave(self) -> None:
        """Stand there no more."""
        with contextlib.suppress(AttributeError):
            del self._display.display

    def tell(self, event: Event) -> None:
        """Show one event, with the time."""
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        stamp = {"version": VERSION, "time": now.replace("+00:00", "Z"), "elapsed": round(self._elapsed(), 3)}
        event = {**stamp, **event}
        if event["event"] == "stage_ends" and event["verdict"] == "failure":
            # The files of a process beside, which its command would name, are gone by then.
            again, resume = ("", "") if self.nested else self.again(event["run_dir"], event["stage"])
            event = {**event, "again": again, "resume": resume}
        if self.nested and event["event"] in ("play_begins", "run_ends"):
            return
        with self._lock:
            self._busy.now = True
            try:
                self._show(event)
            finally:
                self._busy.now = False

    def plain(self, text: str) -> None:
        """Show text as it is."""
        with self._lock:
            self._write(text)

    def _show(self, event: Event) -> None:
        if self.form == "json":
            # ASCII only: a terminal obeys nothing of it.
            self._write(json.dumps(event, default=str))
            return
        for number, (text, meaning) in enumerate(lines_of(event)):
            colour = getattr(constants, _COLOURS[meaning], None) if meaning else None
            self._write(self._margin(event, number) + text, color=colour)

    def _margin(self, event: Event, number: int) -> str:
        if event["event"] in ("play_begins", "run_ends"):
            return ""
        stamp = f"{event['time'][:19]}Z " if self.timestamps else ""
        if self.nested:
            return stamp if number == 0 else " " * len(stamp)
        shown = f"{stamp}{clock(event['elapsed']):>{_MARGIN - 1}} "
        return shown if number == 0 else " " * len(shown)

    def _display_of_others(self, msg: t.Any, *options: t.Any, **more: t.Any) -> None:
        names = ("color", "stderr", "screen_only", "log_only", "newline", "caplevel")
        given = {**dict(zip(names, options)), **more}
        # In a task's process the display hands on to the first process, where it comes by again.
        apart = os.getpid() != self._process or given.get("stderr") or given.get("log_only")
        if apart or getattr(self._busy, "now", False) or not isinstance(msg, str):
            self._write(msg, *options, **more)
            return
        event = self._event(msg.rstrip("\n"))
        if event:
            self.tell(event)

    def _event(self, text: str) -> Event | None:
        if not text.strip():
            return None
        beside = _BESIDE.fullmatch(text) if self.form == "json" else None
        if beside:
            with contextlib.suppress(ValueError, RecursionError):
                return self._relayed(beside.group(1) or "", json.loads(beside.group(2)))
        found = _PROGRESS.fullmatch(text)
        if found:
            host, module, said = found.groups()
            stage = self._story.stage
            return {"event": "progress", "stage": stage, "host": host, "module": module, "message": said}
        return {"event": "line", "stage": self._story.stage, "message": _TWICE.sub(r"\1\2", text)}

    def _relayed(self, stage: str, event: t.Any) -> Event:
        """An event of a stage that runs beside, in a process of its own."""
        if not isinstance(event, dict) or event.get("version") != VERSION or "event" not in event:
            raise ValueError(stage)
        if event["event"] == "stage_ends":
            self._story.relayed.add(str(event.get("stage")))
        return {**event, "elapsed": round(self._elapsed(), 3), "stage": event.get("stage") or stage}


def _no_commands(_run_dir: str, _stage: str) -> tuple[str, str]:
    return "", ""
