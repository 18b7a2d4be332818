# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads JUnit XML that strangers wrote: no document type, no entities, bounded in every direction."""

from __future__ import annotations

import typing as t
import xml.parsers.expat

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Case, Suite

LIMIT = 8 << 20  # bytes of a file
_DEPTH = 32
_CASES = 20000
_TEXT = 65536


def read_junit(data: bytes, name: str) -> list[Suite]:
    """The suites of a document; error ``bad_results`` says why it is none."""
    if len(data) > LIMIT:
        raise _bad(name, f"it is larger than {LIMIT} bytes")
    reader = _Reader(name)
    parser = xml.parsers.expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(data, True)
    except (xml.parsers.expat.ExpatError, LookupError, ValueError) as error:
        raise _bad(name, str(error)) from error
    if not reader.known:
        raise _bad(name, "its root is neither testsuites nor testsuite")
    return [suite for suite in reader.suites if suite.cases]


def _bad(name: str, why: str) -> DistrogateError:
    return DistrogateError("bad_results", f"{name} is not JUnit XML that is read: {why}.")


def _seconds(text: str) -> float:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return 0.0
    return value if 0 <= value < 1e9 else 0.0


class _Reader:
    """Collects suites from the events of a parser."""

    def __init__(self, name: str) -> None:
        self.suites: list[Suite] = []
        self.known = False
        self._name = name
        self._path: list[str] = []
        self._open: list[Suite] = []
        self._case: Case | None = None
        self._texts: list[str] = []
        self._size = 0
        self._cases = 0

    def refuse(self, *_declared: t.Any) -> None:
        raise _bad(self._name, "it declares a document type or entities")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._path:
            self.known = tag in ("testsuites", "testsuite")
        self._path.append(tag)
        if len(self._path) > _DEPTH:
            raise _bad(self._name, f"it is nested deeper than {_DEPTH}")
        self._texts, self._size = [], 0
        if tag == "testsuite":
            suite = Suite(attributes.get("name", ""), [], attributes.get("timestamp", ""))
            self._open.append(suite)
            self.suites.append(suite)
        elif tag == "testcase" and self._open:
            self._begin(attributes)
        elif self._case is not None and tag in ("failure", "error", "skipped"):
            self._case.verdict = tag
            self._case.kind = attributes.get("type", "")
            self._case.message = attributes.get("message", "")

    def _begin(self, attributes: dict[str, str]) -> None:
        self._cases += 1
        if self._cases > _CASES:
            raise _bad(self._name, f"it has more than {_CASES} tests")
        seconds = _seconds(attributes.get("time", ""))
        self._case = Case(attributes.get("name", ""), attributes.get("classname", ""), seconds)
        self._open[-1].cases.append(self._case)

    def text(self, data: str) -> None:
        if self._case is not None and self._size < _TEXT:
            self._texts.append(data[: _TEXT - self._size])
            self._size += len(data)

    def end(self, tag: str) -> None:
        self._path.pop()
        if self._case is not None:
            said = "".join(self._texts).strip()
            if tag in ("failure", "error"):
                self._case.text = said
            elif tag in ("system-out", "system-err") and said:
                self._case.output = f"{self._case.output}\n{said}".strip()[:_TEXT]
        self._texts, self._size = [], 0
        if tag == "testcase":
            self._case = None
        elif tag == "testsuite" and self._open:
            self._open.pop()
