# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JUnit files as a person reads them: how many, then the cases that failed with their text."""

from __future__ import annotations

import dataclasses

from ansible_collections.distrogate.ci.plugins.module_utils._core import _junit as junit
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._runs._junit_read import LIMIT, read_junit
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_html import (
    Html,
    count,
    markup,
    seconds,
    table,
    tag,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_model import number, open_plain

_TEXT = 16_000  # characters of a case
_FAILED = 200
_OTHERS = 2000
_WORDS = {"failure": "failed"}
_BAD = ("failed", "error")


@dataclasses.dataclass
class Case:
    """One test."""

    name: str
    suite: str
    seconds: float
    verdict: str = "passed"
    text: str = ""


@dataclasses.dataclass
class Results:
    """What a file says; cases beyond the limits are only counted."""

    failed: list[Case] = dataclasses.field(default_factory=list)
    others: list[Case] = dataclasses.field(default_factory=list)
    counts: dict[str, int] = dataclasses.field(default_factory=dict)
    problem: str = ""


def read_results(report: str, name: str) -> Results:
    """A file of results; one that cannot be read says why."""
    results = Results()
    try:
        with open_plain(report, name) as stream:
            suites = read_junit(stream.read(LIMIT + 1), name)
    except (OSError, DistrogateError) as error:
        results.problem = f"{name} cannot be read: {error}"
        return results
    for case in (case for suite in suites for case in suite.cases):
        _add(results, case)
    return results


def _add(results: Results, case: junit.Case) -> None:
    verdict = _WORDS.get(case.verdict, case.verdict)
    results.counts[verdict] = results.counts.get(verdict, 0) + 1
    bad = verdict in _BAD
    kept, limit = (results.failed, _FAILED) if bad else (results.others, _OTHERS)
    if len(kept) < limit:
        short, said = case.message[:_TEXT].strip(), case.text[:_TEXT].strip("\n")
        whole = said if short in said else f"{short}\n{said}".strip("\n")
        kept.append(Case(case.name[:1000], case.classname[:1000], number(case.seconds), verdict, whole))


def show_results(results: Results) -> Html:
    """The counts, the failed cases, and the others folded."""
    if results.problem and not results.counts:
        return tag("p", results.problem, class_="mark other")
    counts = results.counts
    said = [count(sum(counts.values()), "test")]
    said += [
        f"{counts[word]:,} {word}" for word in ("failed", "error", "skipped", "passed") if word in counts
    ]
    failed = [
        tag(
            "div",
            tag("h4", tag("span", f"✗ {case.verdict}", class_="mark failure"), f" {_named(case)}"),
            tag("pre", case.text.strip("\n"), tabindex="0") if case.text.strip() else None,
            class_="case",
        )
        for case in results.failed
    ]
    bad = counts.get("failed", 0) + counts.get("error", 0)
    more = f"And {bad - len(results.failed):,} more that failed." if bad > len(results.failed) else ""
    rows = [(_named(case), case.verdict, seconds(case.seconds), case.text[:300]) for case in results.others]
    others = table("The other tests", ["Test", "Result", "Took", "Said"], rows, 500)
    fold = tag("details", tag("summary", count(len(results.others), "other test")), others) if rows else None
    problem = tag("p", results.problem, class_="mark other") if results.problem else None
    return markup([tag("p", ", ".join(said)), problem, failed, tag("p", more) if more else None, fold])


def _named(case: Case) -> str:
    return f"{case.suite}: {case.name}" if case.suite and case.suite != case.name else case.name
