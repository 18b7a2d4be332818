# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test results as JUnit XML, as Jenkins and others read them; any text may stand in them."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import write_atomic

_TEXT = 65536  # characters of one text
_NAME = 1000
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclasses.dataclass
class Case:
    """One test. ``verdict`` is ``passed``, ``failure``, ``error`` or ``skipped``."""

    name: str
    classname: str = ""
    seconds: float = 0.0
    verdict: str = "passed"
    kind: str = ""
    message: str = ""
    text: str = ""
    output: str = ""


@dataclasses.dataclass
class Suite:
    """Tests that belong together."""

    name: str
    cases: list[Case] = dataclasses.field(default_factory=list)
    timestamp: str = ""
    host: str = ""

    @contextlib.contextmanager
    def case(self, name: str, classname: str = "") -> t.Iterator[Case]:
        """Record a test; an error of ours makes it a failure, and goes on."""
        case = Case(name, classname or self.name)
        begun = time.monotonic()
        self.cases.append(case)
        try:
            yield case
        except DistrogateError as error:
            case.verdict, case.kind = "failure", error.reason
            case.message, case.text = error.message.partition("\n")[0], error.message
            raise
        except BaseException as error:
            case.verdict, case.kind, case.message = "error", type(error).__name__, str(error)
            raise
        finally:
            case.seconds = time.monotonic() - begun


def counts(suites: t.Iterable[Suite]) -> dict[str, int]:
    """How many tests there are, and how many of each verdict."""
    found = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    names = {"failure": "failures", "error": "errors", "skipped": "skipped"}
    for suite in suites:
        for case in suite.cases:
            found["tests"] += 1
            if case.verdict in names:
                found[names[case.verdict]] += 1
    return found


def escaped(text: str, limit: int = _TEXT) -> str:
    """Text for XML: what XML cannot hold becomes U+FFFD; the end of a long one is kept, too."""
    if len(text) > limit:
        half = limit // 2
        text = f"{text[:half]}… {len(text) - 2 * half} characters were cut here …{text[-half:]}"
    text = _FORBIDDEN.sub("\ufffd", text)
    for sign, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        text = text.replace(sign, f"&{name};")
    return text


def _attributes(**values: t.Any) -> str:
    texts = {name: escaped(str(value), _NAME) for name, value in values.items() if value not in ("", None)}
    lines = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}  # else they would be read as spaces
    shown = {name: "".join(lines.get(sign, sign) for sign in text) for name, text in texts.items()}
    return "".join(f' {name}="{text}"' for name, text in shown.items())


def _case(case: Case) -> t.Iterator[str]:
    where = _attributes(classname=case.classname or "tests", time=f"{case.seconds:.3f}")
    yield f'    <testcase name="{_attributes(x=case.name)[4:-1]}"{where}>\n'
    if case.verdict == "skipped":
        yield f"      <skipped{_attributes(message=case.message)}/>\n"
    elif case.verdict in ("failure", "error"):
        said = _attributes(type=case.kind or case.verdict, message=case.message)
        yield f"      <{case.verdict}{said}>{escaped(case.text)}</{case.verdict}>\n"
    if case.output:
        yield f"      <system-out>{escaped(case.output)}</system-out>\n"
    yield "    </testcase>\n"


def to_xml(suites: t.Sequence[Suite]) -> str:
    """The suites as one document."""
    out = ['<?xml version="1.0" encoding="UTF-8"?>\n', f"<testsuites{_attributes(**counts(suites))}>\n"]
    for number, suite in enumerate(suites):
        seconds = f"{sum(case.seconds for case in suite.cases):.3f}"
        more = _attributes(time=seconds, timestamp=suite.timestamp, hostname=suite.host, id=number)
        out.append(f"  <testsuite{_attributes(name=suite.name or 'tests', **counts([suite]))}{more}>\n")
        for case in suite.cases:
            out += _case(case)
        out.append("  </testsuite>\n")
    return "".join([*out, "</testsuites>\n"])


def results_of(run_dir: str, stage: str) -> list[str]:
    """The result files that a stage has in a run directory: results/STAGE.xml and results/STAGE-….xml."""
    folder = os.path.join(run_dir, "results")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [f"results/{name}" for name in names if re.match(rf"{re.escape(stage)}(-.*)?\.xml\Z", name)]


def forget_results(run_dir: str, stage: str) -> None:
    """Remove what an earlier try of a stage left: it is not what this one found."""
    for path in results_of(run_dir, stage):
        os.unlink(os.path.join(run_dir, path))


def write_results(run_dir: str, name: str, suites: t.Sequence[Suite]) -> str:
    """Write results/NAME.xml in a run directory, by rename; returns its relative path."""
    os.makedirs(os.path.join(run_dir, "results"), exist_ok=True)
    relative = f"results/{name}.xml"
    write_atomic(os.path.join(run_dir, relative), to_xml(suites))
    return relative
