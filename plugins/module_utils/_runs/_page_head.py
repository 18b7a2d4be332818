# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The top of the page: the verdict in a sentence, the lines that matter, and the command to do it again."""

from __future__ import annotations

import collections

from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_html import (
    Html,
    count,
    digest,
    facts,
    log_address,
    markup,
    seconds,
    tag,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_logs import what_matters
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_model import (
    BAD,
    Report,
    Stage,
    items,
    mapping,
    number,
    text,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_stages import stage_log
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_time import Axis, day

_LONGEST = 300


def verdict(report: Report) -> tuple[str, str]:
    """The kind and the sentence."""
    stages, culprit = report.stages, report.culprit
    ran = [stage for stage in stages if stage.verdict]
    if culprit:
        return culprit.verdict, _bad(stages, culprit)
    if not ran:
        return "none", "No stage has run yet."
    missing = [stage.name for stage in stages if not stage.verdict]
    other = [stage.name for stage in ran if stage.verdict != "success"]
    if other:
        return "other", f"{', '.join(other)} ended with neither success nor failure."
    if missing:
        return "none", f"Not finished: it ended after {ran[-1].name}; not reached: {', '.join(missing)}."
    reused = sum(1 for stage in ran if stage.reused)
    note = f", {reused} of them reused" if reused else ""
    return "success", f"All {count(len(ran), 'stage')} succeeded in {seconds(took(report))}{note}."


def _bad(stages: list[Stage], culprit: Stage) -> str:
    where = text(mapping(culprit.record.get("facts")).get("te"))
    if culprit.verdict == "killed":
        said = f"{culprit.name} was killed: it began and never said how it ended."
    elif culprit.verdict == "cancelled":
        by = "a signal" if culprit.cancelled_by == "signal" else culprit.cancelled_by or "nobody knows whom"
        said = f"{culprit.name} was cancelled by {by} after {seconds(culprit.seconds)}."
    else:
        first = next((line.strip() for line in culprit.message.splitlines() if line.strip()), "")
        why = first.rstrip(":") or culprit.reason or "it gave no reason"
        why = why if len(why) <= _LONGEST else f"{why[:_LONGEST]}…"
        said = (
            f"{culprit.name} failed{f' on {where}' if where else ''} after {seconds(culprit.seconds)}: {why}"
        )
    more = collections.Counter(stage.verdict for stage in stages if stage is not culprit)
    also = []
    for word, shown in (("failure", "failed, too"), ("killed", "killed"), ("cancelled", "cancelled")):
        names = [stage.name for stage in stages if stage is not culprit and stage.verdict == word]
        if more[word]:
            also.append(
                f"{', '.join(names)} {'was' if len(names) == 1 else 'were'} {shown}".replace(
                    "was failed", "failed"
                ).replace("were failed", "failed")
            )
    dot = "" if said.endswith((".", "!", "?", "…")) else "."
    return f"{said}{dot}{' ' + '; '.join(also) + '.' if also else ''}"


def took(report: Report) -> float:
    axis = Axis(report.stages)
    return max(0.0, axis.end - axis.begin)


def _changes(report: Report) -> list[Html]:
    """The queue: the changes ahead, and last the one that the run is for."""
    shown = []
    queue = [mapping(one) for one in items(report.frozen.get("queue"))]
    for place, one in enumerate(queue[-20:]):
        name = "/".join(text(one.get(key)) for key in ("change_id", "patch_set") if one.get(key))
        last = place == len(queue[-20:]) - 1
        shown.append(
            tag(
                "div",
                tag("bdi", text(one.get("subject")) or "(no subject)", class_="subject" if last else None),
                tag(
                    "span",
                    [" ", text(one.get("project")), f" {name} ", digest(one.get("commit"))],
                    class_="quiet",
                ),
                None if last else tag("span", " ahead in the queue", class_="quiet"),
            )
        )
    return shown


def header(report: Report) -> Html:
    """The run's name and verdict, what it tests, when, and how long."""
    axis = Axis(report.stages)
    kind, sentence = verdict(report)
    pipeline = text(report.frozen.get("pipeline"))
    masked = number(report.index.get("masked"))
    begin = day(axis.begin) if axis.begin else day(None) or text(report.frozen.get("created"))
    return tag(
        "header",
        tag("p", pipeline or "run", " ", tag("bdi", report.run_id), class_="id"),
        tag("h1", tag("bdi", sentence), class_=kind),
        facts(
            [
                ("Change", _changes(report)),
                ("When", f"{begin}, {seconds(took(report))}" if axis.begin else begin),
                ("Bundle", digest(report.index.get("bundle") or report.bundle.get("digest"))),
                (
                    "Masked",
                    count(int(masked), "secret") + " in the logs, shown as ********" if masked else "",
                ),
            ]
        ),
    )


def matters_section(report: Report) -> Html:
    """The lines that say why, of each stage that failed."""
    parts: list[object] = []
    culprit = report.culprit
    bad = [stage for stage in report.stages if stage.verdict in BAD or stage is culprit]
    bad.sort(key=lambda stage: stage is not culprit)
    for stage in bad[:5]:
        path = stage_log(report, stage)
        lines = what_matters(report, path) if path else []
        if len(lines) < 3 and "\n" in stage.message.strip():
            parts += [
                tag("h2", f"What {stage.name} says"),
                tag("pre", stage.message[:2000].strip(), tabindex="0"),
            ]
        if not lines:
            continue
        rows = [
            tag(
                "div",
                tag("a", line, href=log_address(path, line)) if line else tag("span"),
                tag("span", said or " ", class_="t"),
            )
            for line, said in lines
        ]
        head = tag("h2", f"What matters in the log of {stage.name}")
        parts += [
            head,
            tag(
                "div",
                rows,
                class_="lines",
                role="region",
                aria_label=f"Lines of {path}",
                tabindex="0",
                dir="ltr",
            ),
        ]
    return markup(parts)


def replay_section(report: Report) -> Html | None:
    """The one command, with a button that copies it."""
    command = text(report.index.get("replay"))
    if not command:
        return None
    button = tag("button", "Copy", type="button", id="copy", hidden=True, aria_describedby="replay")
    return markup(
        [
            tag("h2", "Run it again elsewhere", id="again"),
            tag("div", tag("pre", tag("code", command, id="replay"), tabindex="0"), button, class_="command"),
        ]
    )
