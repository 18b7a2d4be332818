# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JUnit files as a person reads them: how many, then the cases that failed with their text."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t
import xml.parsers.expat

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
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
_BAD = {"failure": "failed", "error": "error"}


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


class _Reader:
    """Takes the elements one by one: a file may be of any size."""

    def __init__(self) -> None:
        self.results = Results()
        self._case: Case | None = None
        self._texts: list[str] | None = None  # of the element that says why a case did not pass
        self._room = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "testcase":
            took = 0.0
            with contextlib.suppress(ValueError):
                took = number(float(attributes.get("time", "0").replace(",", "")))
            self._case = Case(attributes.get("name", "")[:1000], attributes.get("classname", "")[:1000], took)
        elif self._case and name in (*_BAD, "skipped"):
            self._case.verdict = _BAD.get(name, name)
            self._case.text = attributes.get("message", "")[:_TEXT]
            self._texts, self._room = [], _TEXT

    def data(self, text: str) -> None:
        if self._texts is not None and self._room > 0:
            self._texts.append(text[: self._room])
            self._room -= len(text)

    def end(self, name: str) -> None:
        if self._case and self._texts is not None and name in (*_BAD, "skipped"):
            said, self._texts = "".join(self._texts).strip("\n"), None
            short = self._case.text.strip()
            self._case.text = said if short in said else f"{short}\n{said}".strip("\n")
        if name != "testcase" or not self._case:
            return
        case, self._case = self._case, None
        self.results.counts[case.verdict] = self.results.counts.get(case.verdict, 0) + 1
        bad = case.verdict in _BAD.values()
        kept, limit = (self.results.failed, _FAILED) if bad else (self.results.others, _OTHERS)
        if len(kept) < limit:
            kept.append(case)


def _refused(*_what: object) -> t.NoReturn:
    raise ValueError("it declares a document type, which nobody needs, and which can be made to be endless")


def read_results(report: str, name: str) -> Results:
    """A file of results; one that cannot be read says why."""
    reader = _Reader()
    parser = xml.parsers.expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.data
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = _refused
    try:
        with open_plain(report, name) as stream:
            parser.ParseFile(stream)
    except (OSError, ValueError, xml.parsers.expat.ExpatError, DistrogateError) as error:
        reader.results.problem = f"{name} cannot be read: {error}"
    return reader.results


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
