# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JUnit: what is written can be read by others, whatever the names; what comes is read with care."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import (
    Case,
    Suite,
    counts,
    escaped,
    forget_results,
    results_of,
    to_xml,
    write_results,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._lint import lint_suite
from ansible_collections.distrogate.ci.plugins.module_utils._runs._junit_read import read_junit

VERDICTS = ("passed", "failure", "error", "skipped")
# As in the schema that Jenkins' plug-in uses: for each element its attributes (* is needed) and children.
SCHEMA = {
    "testsuites": ("tests failures errors skipped time name", "testsuite"),
    "testsuite": ("*name *tests *failures *errors skipped time timestamp hostname id", "testcase"),
    "testcase": ("*name *classname time", "skipped error failure system-out"),
    "skipped": ("message", ""),
    "error": ("message type", ""),
    "failure": ("message type", ""),
    "system-out": ("", ""),
}


def faults(element: ElementTree.Element) -> list[str]:
    attributes, children = (set(words.split()) for words in SCHEMA[element.tag])
    known = {name.lstrip("*") for name in attributes}
    wrong = [f"{element.tag}@{name}" for name in set(element.attrib) - known]
    wrong += [
        f"no {element.tag}@{name}" for name in attributes if name[0] == "*" and name[1:] not in element.attrib
    ]
    for number in ("tests", "failures", "errors", "skipped", "id"):
        if not re.fullmatch(r"[0-9]+", element.attrib.get(number, "0")):
            wrong.append(f"{element.tag}@{number}")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", element.attrib.get("time", "0")):
        wrong.append(f"{element.tag}@time")
    for child in element:
        wrong += faults(child) if child.tag in children else [f"{element.tag}/{child.tag}"]
    return wrong


texts = st.text(st.characters(codec=None), max_size=30) | st.sampled_from(
    ["]]>", "</failure>", "\x00\x1b\ud800", "a\nb\r\tc"]
)
cases = st.builds(
    Case, texts, texts, st.floats(0, 1e6), st.sampled_from(VERDICTS), texts, texts, texts, texts
)


@settings(max_examples=150)
@given(st.lists(st.builds(Suite, texts, st.lists(cases, max_size=3)), max_size=3))
def test_written_ones_are_valid_and_read_as_they_were(suites: list[Suite]) -> None:
    text = to_xml(suites)
    assert not faults(ElementTree.fromstring(text.encode()))
    read = read_junit(text.encode(), "x")
    assert counts(read) == counts(suites)
    names = [escaped(case.name) for suite in suites for case in suite.cases]
    assert [escaped(case.name) for suite in read for case in suite.cases] == names


def test_texts_are_bounded() -> None:
    text = to_xml([Suite("s", [Case("n" * 10**6, "c", verdict="failure", text="t" * 10**6 + "END")])])
    assert len(text) < 10**5 and "characters were cut here" in text and "END" in text


def test_a_step_is_recorded_however_it_ends() -> None:
    suite = Suite("install_test")
    with suite.case("good"):
        pass
    with pytest.raises(DistrogateError), suite.case("bad", "deb"):
        raise DistrogateError("install_failed", "apt-get ended with status 100:\nE: no")
    with pytest.raises(OSError, match="no disk"), suite.case("broken"):
        raise OSError("no disk")
    assert [(case.name, case.verdict) for case in suite.cases] == [
        ("good", "passed"), ("bad", "failure"), ("broken", "error"),
    ]  # fmt: skip
    bad = suite.cases[1]
    assert (bad.kind, bad.message, bad.text) == (
        "install_failed", "apt-get ended with status 100:", "apt-get ended with status 100:\nE: no",
    )  # fmt: skip
    assert counts([suite]) == {"tests": 3, "failures": 1, "errors": 1, "skipped": 0}


def test_lint_findings() -> None:
    error = DistrogateError("lint_failed", "2", findings=["lintian E: tag: <x>", "rpmlint W: a.rpm: y"])
    found = [(case.name, case.classname, case.kind) for case in lint_suite("lint", [], error).cases]
    assert found == [("tag: <x>", "lintian", "E"), ("a.rpm: y", "rpmlint", "W")]
    clean = lint_suite("lint", ["lintian_errors", "lintian_warnings"], None)
    assert [(case.name, case.verdict) for case in clean.cases] == [("lintian", "passed")]
    broken = lint_suite("lint", [], DistrogateError("missing_tool", "no lintian"))
    assert counts([broken])["errors"] == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html/>",
        b"not xml",
        b'<!DOCTYPE testsuite><testsuite name="a"/>',
        b'<!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;">]><testsuite>&y;</testsuite>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite name="&x;"/>',
        b"<testsuite>" * 40 + b"</testsuite>" * 40,
        b"<testsuite>" + b"<testcase/>" * 20001 + b"</testsuite>",
        b"<testsuite>" + b" " * (8 << 20) + b"</testsuite>",
        b'<?xml version="1.0" encoding="no-such"?><testsuite/>',
    ],
)
def test_hostile_documents(data: bytes) -> None:
    with pytest.raises(DistrogateError) as caught:
        read_junit(data, "there.xml")
    assert caught.value.reason == "bad_results" and "there.xml" in caught.value.message


def test_what_others_write() -> None:
    data = (
        b'<testsuite name="pytest" time="1,234.5"><properties><property name="a"/></properties>'
        b'<testcase classname="c" name="n" time="x"><system-out>o</system-out><system-err>e</system-err>'
        b'<failure message="m" type="t"><![CDATA[<b>]]></failure></testcase>'
        b'<testcase name="s"><skipped/></testcase></testsuite>'
    )
    [suite] = read_junit(data, "x")
    first, second = suite.cases
    assert (first.verdict, first.kind, first.message, first.text) == ("failure", "t", "m", "<b>")
    assert (first.output, first.seconds, second.verdict) == ("o\ne", 0.0, "skipped")


def test_files_of_a_stage(tmp_path: Path) -> None:
    for name in ("system_test", "system_test-te1", "system_test_2", "lint"):
        write_results(str(tmp_path), name, [Suite(name, [Case("a")])])
    assert results_of(str(tmp_path), "system_test") == [
        "results/system_test-te1.xml", "results/system_test.xml",
    ]  # fmt: skip
    forget_results(str(tmp_path), "system_test")
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["lint.xml", "system_test_2.xml"]
