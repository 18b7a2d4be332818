# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of a run in a real browser, from a file, with nothing else to be had."""

from __future__ import annotations

import pathlib
import shutil
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._runs._page import write_page
from ansible_collections.distrogate.ci.tests.tools import run_reports
from ansible_collections.distrogate.ci.tests.tools.chromium import Chromium, Tab

EVIL = "</script><!--<script>canary=1</script><img src=x onerror=canary=1>'\"&\u202e"
SHOWN = "!!document.querySelector('.row .t') && document.querySelector('.row .t').textContent !== '…'"
SEARCH = """(async () => {
  const words = document.getElementById("words");
  words.value = %r;
  words.dispatchEvent(new Event("input"));
})()"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Chromium]:
    """One for all pages of this file."""
    started = Chromium(tmp_path_factory.mktemp("chromium"))
    yield started
    started.close()


@pytest.fixture
def tab(chromium: Chromium) -> t.Iterator[Tab]:
    """A page that must not complain, ask the network for anything, or run what is not ours."""
    with chromium.tab() as opened:
        yield opened
        assert opened.complaints() == []
        assert [one for one in opened.requests() if not one.startswith(("file://", "blob:null/"))] == []
        assert len([one for one in opened.requests() if one.startswith("file://")]) <= 1
        assert opened.value("typeof canary") == "undefined"


def show(tab: Tab, report: pathlib.Path, address: str = "") -> None:
    """The page alone, without the report that it was made of."""
    write_page(str(report))
    alone = report.parent / "alone.html"
    shutil.copy(report / "index.html", alone)
    tab.open(f"file://{alone}{address}", SHOWN)


def text(tab: Tab, selector: str) -> str:
    return str(tab.value(f"document.querySelector({selector!r}).textContent"))


def lines(tab: Tab) -> list[str]:
    """The lines that are drawn."""
    return list(tab.value("[...document.querySelectorAll('.row')].map((row) => row.textContent)"))


def search(tab: Tab, words: str, *boxes: str) -> str:
    """What the page says of its hits."""
    for box in ("regular", "cased", "only"):
        wanted = "true" if box in boxes else "false"
        tab.value(
            f"{{ const box = document.getElementById({box!r}); if (box.checked !== {wanted}) box.click(); }}"
        )
    tab.value(SEARCH % words)
    # A box that was ticked has searched for what may be the same words; this search begins a moment later.
    while True:
        tab.until(f"document.documentElement.dataset.searched === {words!r}")
        said = text(tab, "#status")
        if said != "…":
            return said


def test_the_failing_log_is_open_at_its_end(tab: Tab, tmp_path: pathlib.Path) -> None:
    report = run_reports.failure(tmp_path / "report")
    with (report / "logs/system_test.log").open("a") as stream:
        stream.writelines(f"after {number}\n" for number in range(2000))
    show(tab, report)
    assert text(tab, ".which").startswith("logs/system_test.log 2,008 lines")
    tab.until("[...document.querySelectorAll('.row')].at(-1).textContent === '2008after 1999'")
    assert "system_test failed on te1" in text(tab, "h1")
    assert tab.value("document.querySelectorAll('.row').length") < 100
    assert tab.value("document.activeElement === document.body")  # nobody is taken anywhere


def test_side_by_side_is_side_by_side(tab: Tab, tmp_path: pathlib.Path) -> None:
    show(tab, run_reports.failure(tmp_path / "report"))
    rows = tab.value(
        "[...document.querySelectorAll('.line li')].map((row) => { const bar = row.querySelector('.block');"
        " const box = bar ? bar.getBoundingClientRect() : {left: 0, right: 0};"
        " return [row.querySelector('.name').textContent, box.left, box.right] })"
    )
    bars = {name: (left, right) for name, left, right in rows}
    assert bars["install_test"][0] == pytest.approx(bars["system_test"][0], abs=1)
    assert bars["lint"][0] == pytest.approx(bars["publish_test"][0], abs=1)
    assert bars["workspace"][1] < bars["build"][1] <= bars["lint"][0] + 1
    assert bars["build"][1] - bars["build"][0] > 10 * (bars["lint"][1] - bars["lint"][0])
    assert "cancelled because system_test failed" in text(tab, ".line")


def test_search(tab: Tab, tmp_path: pathlib.Path) -> None:
    show(tab, run_reports.failure(tmp_path / "report", 30_000))
    assert search(tab, "503") == "61 of 101 lines in 3 logs"
    assert text(tab, ".row.chosen") == "8RuntimeError: expected 200, got 503"
    assert text(tab, ".row.chosen mark") == "503"
    assert tab.value("location.hash") == "#logs/system_test.log:8"
    assert search(tab, "PART29999.C").endswith("1 line in 1 log")
    assert text(tab, ".which").startswith("logs/build.log")
    assert search(tab, "PART29999.C", "cased") == "Nothing found"
    assert search(tab, "part(29999|12345)\\.o", "regular", "cased").endswith("2 lines in 1 log")
    assert search(tab, "part(29999|12345)\\.o") == "Nothing found"  # as it stands, not as an expression
    assert search(tab, "part.999\\.o.*c$", "regular", "only").endswith("9 lines in 1 log")
    tab.until("document.querySelectorAll('.row').length === 9 && !!document.querySelector('.row mark')")
    assert lines(tab)[0].startswith("2001gcc")


def test_from_hit_to_hit(tab: Tab, tmp_path: pathlib.Path) -> None:
    show(tab, run_reports.failure(tmp_path / "report"))
    assert search(tab, "status 503") == "1 of 40 lines in 1 log"
    for key, shift, said in (
        ("Enter", 0, "2 of"),
        ("Enter", 8, "1 of"),
        ("Enter", 8, "40 of"),
        ("Enter", 0, "1 of"),
    ):
        for kind in ("keyDown", "keyUp"):
            tab.value("document.getElementById('words').focus()")
            tab.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                modifiers=shift,
                windowsVirtualKeyCode=13,
            )
        tab.until(f"document.getElementById('status').textContent.startsWith({said!r})")
    assert tab.value("location.hash") == "#logs/services/te1/hello.service.log:1"


def test_expressions_that_are_wrong_or_endless(tab: Tab, tmp_path: pathlib.Path) -> None:
    report = run_reports.failure(tmp_path / "report")
    with (report / "logs/system_test.log").open("a") as stream:
        stream.write("a" * 60 + "!\n")
    show(tab, report)
    tab.value("document.getElementById('regular').click()")
    tab.value(SEARCH % "(")
    tab.until("document.getElementById('words').getAttribute('aria-invalid') === 'true'")
    tab.value(SEARCH % "(a+)+$")
    tab.until("document.getElementById('status').textContent.includes('too long')")
    assert search(tab, "status 503") == "1 of 40 lines in 1 log"  # it works again


def test_an_address_names_a_line(tab: Tab, tmp_path: pathlib.Path) -> None:
    show(tab, run_reports.failure(tmp_path / "report", 5000), "#logs/build.log:4000")
    tab.until("document.querySelector('.row.chosen .t').textContent.includes('part3998.o')")
    tab.until("document.getElementById('whole').textContent.startsWith('Line 4,000')")
    tab.value("document.querySelector('a[href=\"#logs/system_test.log:8\"]').click()")
    tab.until("document.querySelector('.row.chosen').textContent.startsWith('8RuntimeError')")
    for address in (
        "#logs/build.log:99999999",
        "#logs/%E0%A4%A:1",
        "#logs/none.log:3",
        "#" + "%3Cimg%20src=x%3E",
    ):
        tab.value(f"location.hash = {address!r}")
    tab.until("document.querySelector('.row.chosen').textContent.startsWith('5001gcc')")


def test_the_command_is_copied(tab: Tab, tmp_path: pathlib.Path) -> None:
    show(tab, run_reports.failure(tmp_path / "report"))
    tab.call("Page.bringToFront")
    tab.value("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    tab.value("document.getElementById('copy').click()")
    tab.until("document.getElementById('copy').textContent === 'Copied'")
    assert tab.value("copied") == "ansible-playbook distrogate.ci.replay -e run=/srv/logs/check-1-1.tar.gz"
    tab.value("navigator.clipboard.writeText = async () => { throw new Error('not allowed'); }")
    tab.value("document.getElementById('copy').click()")
    tab.until("getSelection().toString().startsWith('ansible-playbook distrogate.ci.replay')")


def test_strangers_text_never_runs(tab: Tab, tmp_path: pathlib.Path) -> None:
    report = run_reports.Report(tmp_path / "report", run_id=EVIL, replay=EVIL, bundle=EVIL)
    report.frozen = {"pipeline": EVIL, "queue": [{"project": EVIL, "subject": EVIL}], "tools": {EVIL: EVIL}}
    evil = {"reason": EVIL, "message": EVIL, "cancelled_by": EVIL, "facts": {"te": EVIL}}
    report.stage("build", 0, 1, "failure", **evil, inputs={EVIL: EVIL}, results=["results/a.xml"])
    report.index["stages"].append({"name": EVIL, "verdict": EVIL, "message": EVIL})
    (report.path / "results/a.xml").write_text(
        f"<testsuite><testcase name='x'><failure><![CDATA[{EVIL}]]></failure></testcase></testsuite>"
    )
    report.log("logs/build.log", [EVIL, f"error: {EVIL}", "x" * (1 << 20), f"{'y' * 3000}needle"], cut=EVIL)
    report.log("logs/<img src=x onerror=canary=1>.log", [EVIL], stage=EVIL)
    show(tab, report.write())
    assert search(tab, "<img src=x").endswith("3 lines in 2 logs")
    tab.until("document.querySelectorAll('.row mark').length === 2")
    assert tab.value("document.querySelectorAll('img').length") == 0
    assert EVIL.replace("\u202e", "\\u202e") in text(tab, ".row .t")
    assert EVIL.replace("\u202e", "\\u202e") in text(tab, ".case pre")
    assert search(tab, "needle") == "1 of 1 line in 1 log"
    tab.until("document.querySelector('#whole mark').textContent === 'needle'")
    tab.value("document.querySelectorAll('.names a')[1].click()")
    tab.until("document.querySelector('.which').textContent.includes('img src')")


def test_an_injected_script_would_not_run(tab: Tab, tmp_path: pathlib.Path) -> None:
    """The policy is the second wall: it holds where the first would not."""
    show(tab, run_reports.failure(tmp_path / "report"))
    for piece in ("<img src=x onerror='canary=1'>", "<iframe src='javascript:parent.canary=1'></iframe>"):
        tab.value(f"document.body.insertAdjacentHTML('beforeend', {piece!r})")
    script = "const script = document.createElement('script'); script.text = 'canary = 1';"
    tab.value(f"{script} document.body.append(script)")
    tab.until("document.querySelectorAll('iframe').length === 1")
    refused = tab.complaints()
    assert refused
    assert all("Content Security Policy" in one for one in refused)
    assert tab.value("typeof canary") == "undefined"
    tab.forget()


def test_millions_of_lines(tab: Tab, tmp_path: pathlib.Path) -> None:
    """More than a browser can draw in one element: every line can be come to, also by wheel and keys."""
    report = run_reports.Report(tmp_path / "report")
    report.stage("build", 0, 1)
    report.log("logs/build.log", (f"line {number}" for number in range(1, 1_500_001)))
    show(tab, report.write())
    wheel = "new WheelEvent('wheel', {deltaY: 200, cancelable: true})"
    tab.value(f"document.querySelector('.window').dispatchEvent({wheel})")
    tab.until("document.querySelector('.row').textContent === '11line 11'")
    tab.value("document.querySelectorAll('.bar button')[1].click()")
    tab.until("[...document.querySelectorAll('.row')].at(-1).textContent === '1500000line 1500000'")
    tab.value("location.hash = '#logs/build.log:777777'")
    tab.until("document.querySelector('.row.chosen').textContent === '777777line 777777'")
    assert search(tab, "line 14999").endswith("111 lines in 1 log")


def test_what_a_keyboard_and_a_reader_need(tab: Tab, tmp_path: pathlib.Path) -> None:
    show(tab, run_reports.failure(tmp_path / "report"))
    unnamed = """[...document.querySelectorAll("input, button, a, [role=region], nav")].filter((one) =>
      !(one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.length)).length"""
    assert tab.value(unnamed) == 0
    assert tab.value("[...document.querySelectorAll('[tabindex]')].every((one) => one.tabIndex <= 0)")
    assert tab.value("document.documentElement.lang") == "en"
    assert tab.value(
        "new Set([...document.querySelectorAll('[id]')].map((one) => one.id)).size"
    ) == tab.value("document.querySelectorAll('[id]').length")
    tab.call("Input.dispatchKeyEvent", type="keyDown", key="/", text="/")
    tab.until("document.activeElement.id === 'words'")
    assert tab.value("document.getElementById('words').value") == ""


def test_on_a_phone_nothing_is_wider_than_it(tab: Tab, tmp_path: pathlib.Path) -> None:
    tab.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    show(tab, run_reports.failure(tmp_path / "report"))
    assert tab.value("document.documentElement.scrollWidth") == 360


def test_without_javascript(tab: Tab, tmp_path: pathlib.Path) -> None:
    report = run_reports.failure(tmp_path / "report")
    write_page(str(report))
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    tab.open(f"file://{report}/index.html", "document.readyState === 'complete'")
    seen = tab.value("document.body.innerText")
    assert "The end of logs/system_test.log:" in seen
    assert "RuntimeError: expected 200, got 503" in seen
    assert "system_test failed on te1" in seen
