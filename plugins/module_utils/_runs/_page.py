# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One static page a run: it needs no server, no network and no file beside it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import tempfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_head import (
    header,
    matters_section,
    replay_section,
    verdict,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_html import (
    Html,
    count,
    json_block,
    table,
    tag,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_inputs import (
    bundle_section,
    inputs_section,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_logs import (
    first_log,
    last_lines,
    write_logs,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_model import (
    BAD,
    Json,
    Report,
    items,
    mapping,
    read_report,
    text,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_script_list import LIST
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_script_search import SEARCH
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_script_start import START
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_script_viewer import VIEWER
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_script_worker import WORKER
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_stages import (
    stage_log,
    stage_section,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_style import LOGS, STYLE
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_time import time_line

NAME = "index.html"
_SECTIONS = (
    ("time", "Time"),
    ("logs", "Logs"),
    ("again", "Again"),
    ("stages", "Stages"),
    ("bundle", "Bundle"),
    ("inputs", "Inputs"),
)


def write_page(report: str) -> None:
    """Make report/index.html of what lies in ``report``; a reader sees the old page or the new one.

    It is not synced to the disk: like all of a report it can be made again.
    """
    found = read_report(report)
    descriptor, temporary = tempfile.mkstemp(prefix=".tmp-", dir=report)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            _write(found, stream.write)
            os.fchmod(stream.fileno(), 0o644)
        os.rename(temporary, os.path.join(report, NAME))
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _write(report: Report, write: t.Callable[[str], object]) -> None:
    line, places = time_line(report.stages)
    style = STYLE + LOGS + places
    script = f'(() => {{\n"use strict";\n{WORKER}{LIST}{SEARCH}{VIEWER}{START}}})();'
    write(_top(report, style, script))
    write(tag("main", _main(report, line), id="content", tabindex="-1"))
    write("\n")
    logs = write_logs(report, write)
    write(f'<script type="application/json" id="data">{json_block(_data(report, logs))}</script>\n')
    write(f"<script>{script}</script>\n</body>\n</html>\n")


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _top(report: Report, style: str, script: str) -> str:
    """The head. Only our style and our script count, by their digests; nothing is loaded from anywhere."""
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; worker-src blob:;"
        " base-uri 'none'; form-action 'none'"
    )
    kind, sentence = verdict(report)
    sign = {"success": "✓", "failure": "✗", "cancelled": "⊘", "killed": "☠"}.get(kind, "·")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        + tag("meta", http_equiv="Content-Security-Policy", content=policy)
        + '\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="color-scheme" content="light dark">\n'
        + tag("title", f"{sign} {report.run_id}: {sentence[:120]}")
        + f"\n<style>{style}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#content">To the content</a>\n'
    )


def _main(report: Report, line: Html) -> list[object]:
    sections = [one for one in _SECTIONS if one[0] != "again" or report.index.get("replay")]
    nav = tag(
        "nav", [tag("a", name, href=f"#{target}") for target, name in sections], aria_label="On this page"
    )
    return [
        header(report),
        nav,
        matters_section(report),
        tag("section", tag("h2", "Time", id="time"), line),
        _logs(report),
        replay_section(report),
        tag(
            "section", tag("h2", "Stages", id="stages"), [stage_section(report, one) for one in report.stages]
        ),
        tag("section", tag("h2", "Bundle", id="bundle"), bundle_section(report)),
        tag("section", tag("h2", "Frozen inputs", id="inputs"), inputs_section(report)),
    ]


def _logs(report: Report) -> Html:
    """The place where the script shows the logs. Without it, the end of the one that matters."""
    head = tag("h2", "Logs", id="logs")
    if not report.logs:
        return tag("section", head, tag("p", "No stage wrote a log.", class_="quiet"))
    path = stage_log(report, report.culprit) if report.culprit else ""
    told = (
        "Reading and searching all logs takes JavaScript. They lie beside this page, too, in the folder logs."
    )
    end = [tag("p", f"The end of {path}:"), tag("pre", last_lines(report, path))] if path else None
    said = tag("p", id="said", class_="hidden", role="status")
    viewer = tag("div", id="viewer")
    parts = [head, tag("noscript", tag("p", told), end), viewer, said, _left_out(report)]
    return tag("section", parts, class_="logs")


def _left_out(report: Report) -> Html | None:
    """What the report does not have, and why."""
    found = [mapping(one) for one in items(report.index.get("left_out"))]
    rows = [(text(one.get("path")), text(one.get("reason"))) for one in found]
    head = tag("summary", f"{count(len(rows), 'file')} left out")
    return tag("details", head, table("Files that were left out", ["File", "Why"], rows)) if rows else None


def _data(report: Report, logs: list[Json]) -> Json:
    culprit = report.culprit
    path = stage_log(report, culprit) if culprit else ""
    bad = {stage.name: stage.verdict for stage in report.stages if stage.verdict}
    for log in logs:
        log["verdict"] = bad.get(log["stage"], "")
    return {
        "run": report.run_id,
        "logs": logs,
        "first": first_log(report, culprit, path),
        "end": bool(culprit and culprit.verdict in (*BAD, "cancelled")),
    }
