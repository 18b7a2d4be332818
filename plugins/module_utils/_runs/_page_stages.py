# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the page says of each stage: why it ended so, what it read, what it made, its results and its log."""

from __future__ import annotations

import contextlib
import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_html import (
    Html,
    code,
    digest,
    facts,
    log_address,
    markup,
    seconds,
    size,
    table,
    tag,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_model import (
    BAD,
    Report,
    Stage,
    items,
    mapping,
    number,
    text,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_results import (
    read_results,
    show_results,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_time import cancelled, day, mark

_MESSAGE = 20_000  # characters
_VALUE = 300


def plain(value: t.Any) -> object:
    """A value from JSON, as text that is no longer than a line or two."""
    if isinstance(value, str):
        shown = value
    elif isinstance(value, list) and all(isinstance(one, (str, int)) for one in value[:50]):
        shown = ", ".join(str(one) for one in value[:50]) + (" …" if len(value) > 50 else "")
    elif value is True or value is False:
        shown = str(value).lower()
    else:
        shown = str(value)
    bare = shown[7:] if shown.startswith("sha256:") else shown
    if len(bare) in (40, 64) and not set(bare) - set("0123456789abcdef"):
        return digest(shown)
    return shown if len(shown) <= _VALUE else f"{shown[:_VALUE]}…"


def artifact_table(label: str, artifacts: list[t.Any]) -> Html:
    """Artifacts with their digests."""
    rows = []
    for one in map(mapping, artifacts):
        origin = mapping(one.get("origin"))
        version = text(one.get("package_version"))
        came = " ".join(
            text(origin.get(key))[:40] for key in ("stage", "project", "change") if origin.get(key)
        )
        known = number(one.get("size"))
        rows.append(
            (
                text(one.get("name")),
                text(one.get("type")),
                version,
                size(known) if known else "",
                digest(one.get("sha256")),
                came,
            )
        )
    return table(label, ["Artifact", "Type", "Version", "Size", "sha256", "From"], rows)


def stage_log(report: Report, stage: Stage) -> str:
    """The path of a stage's log among the report's logs."""
    paths = [text(log.get("path")) for log in report.logs if log.get("stage") == stage.name]
    return stage.log if stage.log in paths else paths[0] if paths else ""


def _result_files(report: Report, stage: Stage) -> list[str]:
    """Those that the stage names, and those that bear its name."""
    found: list[str] = []
    with contextlib.suppress(OSError):
        found = sorted(os.listdir(f"{report.path}/results"))
    named = {text(one) for one in items(stage.record.get("results"))}
    own = re.compile(re.escape(stage.name) + r"(-.*)?\.xml")
    return sorted(named | {f"results/{name}" for name in found if own.fullmatch(name)})


def stage_section(report: Report, stage: Stage) -> Html:
    """A stage, open when it is one that a reader asks about."""
    path = stage_log(report, stage)
    others = [text(log.get("path")) for log in report.logs if log.get("stage") == stage.name]
    inputs = mapping(stage.record.get("reads")) or mapping(stage.record.get("inputs"))
    results = [show_results(read_results(report.path, name)) for name in _result_files(report, stage)[:50]]
    message = stage.message.strip()
    body: list[object] = [
        facts(
            [
                ("Began", day(stage.started)),
                ("Took", seconds(stage.seconds) if stage.verdict and stage.verdict != "killed" else ""),
                (
                    "Reused",
                    stage.reused
                    and f"from {'earlier in this run' if stage.reused == 'this_run' else stage.reused}",
                ),
                ("Cancelled", stage.cancelled_by and cancelled(stage)),
                ("Side by side with", ", ".join(stage.beside)),
                ("Reason", code(stage.reason) if stage.reason else ""),
                ("Facts", _facts(mapping(stage.record.get("facts")))),
                ("Log", [[tag("a", one, href=log_address(one)), " "] for one in others[:20]]),
            ]
        ),
        tag("pre", message[:_MESSAGE], tabindex="0", aria_label="Message") if message else None,
        results and [tag("h4", "Results"), results],
        _inputs(inputs),
        artifact_table(f"Artifacts of {stage.name}", items(stage.record.get("artifacts"))),
    ]
    if stage.verdict == "killed":
        body.insert(
            0, tag("p", "It began, and never wrote how it ended: its process was killed, or its machine.")
        )
    elif not stage.verdict:
        body = [tag("p", "The run ended before it.", class_="quiet")]
    link = tag("a", "log", href=log_address(path), class_="tolog") if path else None
    head = tag(
        "summary",
        tag("strong", stage.name),
        " ",
        mark(stage),
        " ",
        tag("span", _short(stage), class_="quiet"),
    )
    return tag(
        "details",
        head,
        link,
        body,
        id=stage.anchor,
        open=stage.verdict in (*BAD, "cancelled"),
        class_="stage",
    )


def _short(stage: Stage) -> str:
    made = len(items(stage.record.get("artifacts")))
    parts = [
        seconds(stage.seconds) if stage.verdict and not stage.reused and stage.verdict != "killed" else ""
    ]
    parts.append(f"{made} artifact{'' if made == 1 else 's'}" if made else "")
    if stage.counts:
        tests, bad = (
            number(stage.counts.get("tests")),
            number(stage.counts.get("failures")) + number(stage.counts.get("errors")),
        )
        parts.append(f"{tests:.0f} tests" + (f", {bad:.0f} failed" if bad else ""))
    return " · ".join(part for part in parts if part)


def _facts(found: dict[str, t.Any]) -> object:
    rows = [
        f"{name}: {value}"
        for name, value in found.items()
        if isinstance(value, (str, int, float)) and len(str(value)) <= 100
    ]
    return [tag("div", row) for row in rows[:20]]


def _inputs(inputs: dict[str, t.Any]) -> Html | None:
    rows = [(name, plain(value)) for name, value in inputs.items()]
    return (
        markup([tag("h4", "Read"), table("What it read", ["Input", "Value or digest"], rows, 500)])
        if rows
        else None
    )
