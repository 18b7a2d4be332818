# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time line: a row a stage, those that ran side by side one below the other at the same place."""

from __future__ import annotations

import datetime

from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_html import (
    Html,
    markup,
    seconds,
    tag,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_model import Stage

WORDS = {
    "success": ("✓", "succeeded"),
    "failure": ("✗", "failed"),
    "cancelled": ("⊘", "cancelled"),
    "killed": ("☠", "killed"),
    "": ("·", "not reached"),
}
_GAP = 0.25  # of the time at work: a longer time with nothing at work is drawn short
_SHORT = 60.0  # seconds: no gap that anybody asks about
_DRAWN_GAP = 0.06
_STEPS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400)


def mark(stage: Stage) -> Html:
    """A stage's verdict as a sign and a word; reused ones say so."""
    kind = stage.verdict if stage.verdict in WORDS else "other"
    sign, word = WORDS.get(stage.verdict, ("?", stage.verdict))
    if stage.reused:
        sign, word = "↺", f"reused: {word}" if stage.verdict != "success" else "reused"
    return tag("span", tag("span", sign, aria_hidden="true"), f" {word}", class_=f"mark {kind or 'none'}")


def clock(value: float | None) -> str:
    """A time of day, in UTC."""
    if value is None:
        return ""
    return datetime.datetime.fromtimestamp(value, datetime.timezone.utc).strftime("%H:%M:%S")


def day(value: float | None) -> str:
    if value is None:
        return ""
    return datetime.datetime.fromtimestamp(value, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def _busy(stages: list[Stage]) -> list[tuple[float, float]]:
    """When any stage was at work."""
    spans: list[tuple[float, float]] = []
    for stage in sorted(stages, key=lambda one: one.started or 0.0):
        begin = stage.started or 0.0
        if spans and begin <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], stage.end))
        else:
            spans.append((begin, stage.end))
    return spans


class Axis:
    """Times to places from 0 to 1; what nobody worked in is short."""

    def __init__(self, stages: list[Stage]) -> None:
        spans = _busy([stage for stage in stages if stage.drawn])
        self.begin = spans[0][0] if spans else 0.0
        self.end = spans[-1][1] if spans else 0.0
        work = max(sum(end - begin for begin, end in spans), 0.1)
        self.gaps: list[tuple[float, float]] = []
        self._points = [(self.begin, 0.0)]
        place = 0.0
        for number, (begin, end) in enumerate(spans):
            if number:
                idle = begin - spans[number - 1][1]
                if idle > max(_GAP * work, _SHORT):
                    self.gaps.append((spans[number - 1][1], begin))
                    idle = _DRAWN_GAP * work
                place += idle
                self._points.append((begin, place))
            place += end - begin
            self._points.append((end, place))
        self._width = max(place, 0.1)

    def place(self, moment: float) -> float:
        before = self._points[0]
        for point in self._points[1:]:
            if moment <= point[0]:
                share = (moment - before[0]) / max(point[0] - before[0], 1e-9)
                return max(0.0, before[1] + share * (point[1] - before[1])) / self._width
            before = point
        return 1.0

    def ticks(self) -> list[float]:
        """Seconds since the begin that get a line, when the axis has one measure."""
        length = self.end - self.begin
        if self.gaps or length <= 0:
            return []
        step = next((one for one in _STEPS if length / one <= 6), length / 6)
        return [
            number * step
            for number in range(1, 7)
            if number * step < length * 0.78 and number * step > length * 0.12
        ]


def time_line(stages: list[Stage]) -> tuple[Html, str]:
    """The rows, and the style that puts each bar in its place."""
    axis = Axis(stages)
    style: list[str] = []
    order = sorted(
        stages, key=lambda one: (not one.verdict, one.drawn, one.started or 0.0 if one.drawn else 0.0)
    )
    rows = []
    for number, stage in enumerate(order):
        before = order[number - 1].name if number else ""
        after = order[number + 1].name if number + 1 < len(order) else ""
        edges = f"{'' if before in stage.beside else ' first'}{'' if after in stage.beside else ' last'}"
        rows.append(_row(stage, number, axis, style, f"beside{edges}" if stage.beside else ""))
    parts = [tag("ol", rows, class_="line")]
    if any(stage.drawn for stage in stages):
        parts.append(_scale(axis, style))
    if any(stage.beside for stage in stages):
        parts.append(tag("p", tag("span", class_="bracket"), " at the same time", class_="legend"))
    return markup(parts), "".join(style)


def _scale(axis: Axis, style: list[str]) -> Html:
    """What stands below the rows: times, and what was left out."""
    marks = [
        tag("span", clock(axis.begin), class_="tick from"),
        tag("span", clock(axis.end), class_="tick to"),
    ]
    for number, tick in enumerate(axis.ticks()):
        style.append(f".k{number}{{left:{100 * axis.place(axis.begin + tick):.2f}%}}")
        marks.append(
            tag("span", f"+{tick:.0f} s" if 1 <= tick < 60 else f"+{seconds(tick)}", class_=f"tick k{number}")
        )
    for number, (begin, end) in enumerate(axis.gaps):
        left, right = 100 * axis.place(begin), 100 * axis.place(end)
        style.append(f".g{number}{{left:{left:.2f}%;width:{right - left:.2f}%}}")
        marks.append(tag("span", tag("span", f"{seconds(end - begin)} idle"), class_=f"gap g{number}"))
    return tag("div", tag("div", marks, class_="track"), class_="axis", aria_hidden="true")


def _row(stage: Stage, number: int, axis: Axis, style: list[str], beside: str) -> Html:
    kind = stage.verdict if stage.verdict in WORDS else "other"
    timed = stage.verdict and not stage.reused and stage.verdict != "killed"
    block: object = None
    if stage.drawn:
        left = min(axis.place(stage.started or 0.0), 0.995)
        width = max(axis.place(stage.end) - left, 0.004)
        style.append(f".b{number}{{left:{100 * left:.2f}%;width:{100 * width:.2f}%}}")
        block = tag("span", class_=f"block {kind or 'none'} b{number}", title=said(stage))
    note = _note(stage)
    together = (
        tag("span", f"side by side with {', '.join(stage.beside)}", class_="hidden") if stage.beside else None
    )
    return tag(
        "li",
        tag("a", stage.name, href=f"#{stage.anchor}", class_="name"),
        tag("span", mark(stage), class_="how"),
        tag("span", block, tag("span", note, class_="note") if note and not block else None, class_="track"),
        tag("span", seconds(stage.seconds) if timed else "", class_="took"),
        tag("span", note, class_="under") if note and block else None,
        together,
        class_=beside or None,
    )


def _note(stage: Stage) -> str:
    parts = []
    if stage.reused:
        parts.append(
            "an earlier result of this run" if stage.reused == "this_run" else f"the result of {stage.reused}"
        )
    if stage.cancelled_by:
        parts.append(cancelled(stage))
    if stage.verdict == "killed":
        parts.append("it began and never said how it ended")
    return "; ".join(parts)


def cancelled(stage: Stage) -> str:
    """By whom."""
    if stage.cancelled_by == "signal":
        return "cancelled by a signal: Ctrl-C, or whoever ended the run"
    return f"cancelled because {stage.cancelled_by} failed"


def said(stage: Stage) -> str:
    return f"{stage.name}: {clock(stage.started)} to {clock(stage.end)} UTC, {seconds(stage.seconds)}"
