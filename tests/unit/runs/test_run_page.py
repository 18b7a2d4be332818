# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of a run as text: what it says, what it makes of strangers' text, and what it costs."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import os
import re
import subprocess
import sys
import typing as t
import zlib
from pathlib import Path

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._runs import _page_logs
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page import write_page
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_head import verdict
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_html import Html, seconds, size
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_html import tag as element
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_model import Stage, read_report
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_results import read_results
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_time import Axis
from ansible_collections.distrogate.ci.tests.tools import run_reports

EVIL = "</script><!--<script>canary()</script><img src=x onerror='canary()'>\"&\u202e"


class Page(html.parser.HTMLParser):
    """What a browser would make of it: text, elements, and what the scripts hold."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[dict[str, str | None], str]] = []
        self.raw = path.read_text("utf-8")
        self.feed(self.raw)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.inside.append((dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self.inside[-1] = (self.inside[-1][0], self.inside[-1][1] + data)
        else:
            self.text += data

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for one, attributes in self.tags if one == name]

    def log(self, position: int) -> bytes:
        """What a log on the page holds."""
        held = [text for about, text in self.inside if about.get("data-log") == str(position)]
        return b"".join(zlib.decompress(base64.b64decode(one, validate=True)) for one in held)


def page(report: Path) -> Page:
    write_page(str(report))
    return Page(report / "index.html")


def test_a_run_that_failed(tmp_path: Path) -> None:
    made = page(run_reports.failure(tmp_path))
    sentence = "system_test failed on te1 after 12 s: hello --self-test ended with status 1."
    for text in (
        f"{sentence} install_test was cancelled.",
        "Say in the news what is new",
        "Add a thing ahead",
        "RuntimeError: expected 200, got 503",  # of the lines that matter
        "cancelled because system_test failed",
        "3 tests, 1 failed, 1 error, 1 passed",
        "AssertionError: expected 200, got 503",
        "ansible-playbook distrogate.ci.replay -e run=",
        "not reached",
        "git version 2.39.5",
        "build_jobs",
        "The run made no bundle",
    ):
        assert text in made.text, text
    assert "#logs/system_test.log:8" in [one.get("href") for one in made.all("a")]
    assert made.log(3).decode().splitlines()[-1] == "RuntimeError: expected 200, got 503"
    assert {"id": "stage/system_test", "open": None, "class": "stage"} in made.all("details")


def test_a_run_that_succeeded(tmp_path: Path) -> None:
    made = page(run_reports.success(tmp_path))
    for text in (
        "All 7 stages succeeded in 17 s, 2 of them reused.",
        "the result of check-1-1-20261120T101112-aaaa",
        "an earlier result of this run",
        "3 secrets in the logs",
        run_reports.DIGEST,
        "2.10-3+dg2.1fa5e85",
        "not here",
    ):
        assert text in made.text, text
    assert "What matters" not in made.text


def test_a_run_that_was_killed(tmp_path: Path) -> None:
    made = page(run_reports.killed(tmp_path))
    assert "build was killed: it began and never said how it ended." in made.text
    assert "11 h 06 min idle" in made.text  # the time line has no room for a night


def test_a_report_that_is_made_aside(tmp_path: Path) -> None:
    report = run_reports.killed(tmp_path)
    (tmp_path / ".aside").mkdir()
    report.rename(tmp_path / ".aside/report")
    assert "build was killed" in page(tmp_path / ".aside/report").text


def test_what_was_left_out_is_said(tmp_path: Path) -> None:
    report = run_reports.Report(tmp_path, left_out=[{"path": "logs/pipe", "reason": "not a regular file"}])
    report.log("logs/build.log", ["x"])
    made = page(report.write())
    assert "1 file left out" in made.text
    assert "not a regular file" in made.text


def test_a_run_that_goes_on(tmp_path: Path) -> None:
    report = run_reports.Report(tmp_path)
    report.stage("workspace", 0, 1)
    report.write()
    assert "Not finished: it ended after workspace; not reached: build," in page(tmp_path).text


def test_cancelled_by_a_person(tmp_path: Path) -> None:
    report = run_reports.Report(tmp_path)
    report.stage("build", 0, 3, "cancelled", cancelled_by="signal")
    kind, sentence = verdict(read_report(str(report.write())))
    assert (kind, sentence) == ("cancelled", "build was cancelled by a signal after 3.0 s.")


def test_nothing_but_an_index(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text("{}")
    assert "No stage has run yet." in page(tmp_path).text
    (tmp_path / "index.json").write_text(
        '{"stages": [1, {"name": {}}], "logs": "no", "masked": [], "bundle": 7}'
    )
    page(tmp_path)


def test_without_an_index_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(DistrogateError) as caught:
        write_page(str(tmp_path))
    assert caught.value.reason == "not_found"
    assert not list(tmp_path.iterdir())


def test_the_page_is_whole_or_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = page(run_reports.failure(tmp_path)).raw

    def broken(*_what: t.Any) -> t.NoReturn:
        raise OSError("no space")

    monkeypatch.setattr(
        "ansible_collections.distrogate.ci.plugins.module_utils._runs._page.write_logs", broken
    )
    with pytest.raises(OSError, match="no space"):
        write_page(str(tmp_path))
    assert (tmp_path / "index.html").read_text() == before
    assert not list(tmp_path.glob(".tmp-*"))


def hostile(path: Path) -> Path:
    """Whatever a stranger can write is written to do harm."""
    report = run_reports.Report(path, run_id=EVIL, replay=EVIL, bundle=EVIL)
    report.frozen = {
        "id": EVIL,
        "pipeline": EVIL,
        "queue": [{"project": EVIL, "branch": EVIL, "subject": EVIL}],
    }
    report.frozen |= {"projects": {EVIL: {"url": EVIL}}, "tools": {EVIL: EVIL}, "stages": [EVIL, "../../x"]}
    evil = {
        "reason": EVIL,
        "message": EVIL,
        "reused": EVIL,
        "cancelled_by": EVIL,
        "facts": {"te": EVIL, EVIL: EVIL},
    }
    report.stage(
        "build", 0, 1, "failure", **{**evil, "reused": ""}, inputs={EVIL: EVIL}, results=["results/a.xml"]
    )
    report.stage(
        "lint", 0, 1, EVIL, **evil, artifacts=[{"name": EVIL, "type": EVIL, "sha256": EVIL, "origin": EVIL}]
    )
    report.index["stages"].append({"name": EVIL, "verdict": "failure", "started": EVIL, "seconds": "NaN"})
    safe = EVIL.replace("<", "&lt;").replace("&\u202e", "&amp;\u202e").replace('"', "&quot;")
    case = f'<testcase name="{safe}" classname="{safe}"><failure message="{safe}">{safe}</failure></testcase>'
    (path / "results/a.xml").write_text(f"<testsuite>{case}</testsuite>", "utf-8")
    report.log("logs/build.log", [EVIL, f"error: {EVIL}"] * 3, cut=EVIL)
    report.log("logs/<b>&'\".log", [EVIL], stage=EVIL)
    return report.write()


def test_strangers_text_is_text(tmp_path: Path) -> None:
    made = page(hostile(tmp_path))
    assert not made.all("img")
    assert "canary()" in made.text
    assert not [name for _tag, attributes in made.tags for name in attributes if name.startswith("on")]
    assert all(str(link.get("href")).startswith("#") for link in made.all("a"))
    scripts = [about for about, _text in made.inside]
    assert [about.get("type") for about in scripts if not about.get("data-log")] == [
        None,
        "application/json",
        None,
    ]
    assert "<!--" not in made.raw
    assert "\u202e" not in made.raw
    assert made.log(0).decode().startswith(EVIL)  # as it is, for who searches
    known = json.loads(next(text for about, text in made.inside if about.get("id") == "data"))
    assert known["logs"][1]["stage"] == EVIL


def test_only_our_script_and_style_count(tmp_path: Path) -> None:
    made = page(hostile(tmp_path))
    policy = str(next(one["content"] for one in made.all("meta") if one.get("http-equiv")))
    rules = dict(one.strip().split(" ", 1) for one in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert not set(rules) - {
        "default-src",
        "script-src",
        "style-src",
        "worker-src",
        "base-uri",
        "form-action",
    }
    assert "unsafe" not in policy
    ours = [text for about, text in made.inside if not about]
    digests = [
        "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'" for text in ours
    ]
    assert digests == [rules["style-src"], rules["script-src"]]
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "new Function",
        "fetch(",
    ):
        assert word not in ours[1]


def test_names_that_leave_the_report(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret\n")
    report = run_reports.Report(tmp_path / "report")
    report.stage("build", 0, 1, "failure", results=["../secret"])
    for name in ("../secret", "/etc/passwd", "logs/link.log", "logs/pipe.log", "logs/none.log"):
        report.index["logs"].append({"path": name, "stage": "build"})
    (report.path / "logs/link.log").symlink_to(tmp_path / "secret")
    os.mkfifo(report.path / "logs/pipe.log")
    made = page(report.write())
    assert all(made.log(number) == b"" for number in range(5))
    assert "a secret" not in made.raw
    assert "cannot be read" in made.text


def test_a_log_is_kept_byte_by_byte(tmp_path: Path) -> None:
    report = run_reports.Report(tmp_path)
    report.log("logs/build.log", [f"{number} {'ü' * (number % 700)}" for number in range(3000)])
    report.log("logs/empty.log", [])
    (report.path / "logs/end.log").write_bytes(b"no newline \xff at the end")
    report.index["logs"].append({"path": "logs/end.log", "stage": "end"})
    made = page(report.write())
    assert made.log(0) == (tmp_path / "logs/build.log").read_bytes()
    assert made.log(1) == b""
    assert made.log(2) == b"no newline \xff at the end\n"


def test_pieces_are_of_whole_lines_and_not_large(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as stream:
        stream.write(b"first\n" + b"x" * (9 << 20) + b"\nlast\n")
    with path.open("rb") as stream:
        found = list(_page_logs.pieces(stream))
    assert [count for count, _data in found] == [1, 1, 1] or sum(count for count, _data in found) == 3
    assert all(data.endswith(b"\n") and len(data) < 4 << 20 for _count, data in found)
    lines = b"".join(data for _count, data in found).split(b"\n")
    kept = lines[1].rstrip(b"x").split(b" [")[0]
    more = int(re.search(rb"([0-9,]+) more bytes", lines[1])[1].replace(b",", b""))  # type: ignore[index]
    assert len(kept) + more == 9 << 20
    assert lines[2] == b"last"


def test_results_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    bomb = '<!DOCTYPE a [<!ENTITY a "a"><!ENTITY b "&a;&a;">]><testsuite><testcase name="&b;"/></testsuite>'
    (tmp_path / "results/a.xml").write_text(bomb)
    assert "declares a document type" in read_results(str(tmp_path), "results/a.xml").problem
    (tmp_path / "results/b.xml").write_text('<testsuite><testcase name="x"/><oops>')
    broken = read_results(str(tmp_path), "results/b.xml")
    assert broken.counts == {} and "cannot be read" in broken.problem
    assert "cannot be read" in read_results(str(tmp_path), "results/none.xml").problem


def test_many_results_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    case = f'<testcase name="x"><failure>{"y" * 20000}</failure></testcase>'
    (tmp_path / "results/a.xml").write_text("<testsuite>" + case * 300 + "</testsuite>")
    found = read_results(str(tmp_path), "results/a.xml")
    assert found.counts == {"failed": 300}
    assert len(found.failed) == 200
    assert len(found.failed[0].text) == 16000


def test_the_axis() -> None:
    stages = [
        Stage("a", "success", 10, 100.0),
        Stage("b", "success", 5, 105.0),
        Stage("c", "success", 5, 40000.0),
    ]
    axis = Axis(stages)
    assert axis.place(100) == 0
    assert axis.place(40005) == pytest.approx(1)
    assert axis.gaps == [(110.0, 40000.0)]
    assert axis.place(40000) - axis.place(110) == pytest.approx(0.06 * 15 / (15 * 1.06))
    assert Axis([]).place(5) == 1.0


def test_words() -> None:
    assert [seconds(one) for one in (0.04, 9.94, 59.4, 59.6, 61, 3600, 90000)] == [
        "0.0 s",
        "9.9 s",
        "59 s",
        "1 min 00 s",
        "1 min 01 s",
        "1 h 00 min",
        "25 h 00 min",
    ]
    assert [size(one) for one in (0, 1023, 1024, 20480, 5 << 30)] == [
        "0 bytes",
        "1023 bytes",
        "1.0 KiB",
        "20 KiB",
        "5.0 GiB",
    ]
    assert element("a", "<", Html("<b>"), href='"', id=None, open=True) == '<a href="&quot;" open>&lt;<b></a>'


CHILD = """
import resource, sys
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page import write_page
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
write_page(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_is_bounded(tmp_path: Path) -> None:
    """50 MiB of logs take a few MiB more than none, whatever the longest line is."""
    report = run_reports.Report(tmp_path)
    report.stage("build", 0, 1, "failure", message="no")
    report.log("logs/build.log", (f"{number} {'cc -O2 -g -c part.c ' * 6}" for number in range(330_000)))
    report.log("logs/long.log", ["y" * (10 << 20)])
    report.write()
    assert sum(one["bytes"] for one in report.index["logs"]) > 50 << 20
    argv = [sys.executable, "-c", CHILD, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment)
    assert int(run.stdout) < 24 << 10, run.stdout  # KiB
