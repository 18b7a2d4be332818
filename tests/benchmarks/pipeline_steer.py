# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How soon a failure ends what runs beside it, and what it costs to run a pipeline again in vain."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import threading
import time
from pathlib import Path
from typing import Any

from ansible_collections.distrogate.ci.tests.benchmarks import report
from ansible_collections.distrogate.ci.tests.demo import outside, tiny, upstream
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, Site, must, say, shared_rootfs

TITLE = "Cancelling, and running again"
CANCEL, RERUN = 5.0, 10.0
SLEEP = "7531"  # seconds that the system test would take; a number that no other process has


def seconds_to_cancel(site: Site, project: upstream.Project, number: int) -> float:
    """From the record of the failed install test until the system test is gone, and its TE free."""
    change = project.propose(number, f"Fail {number}", {f"f{number}": "1\n"})
    variables = tiny.variables(site)
    variables["distrogate_projects"][tiny.NAME]["install_test"] = [["sleep", "5"], ["false"]]
    variables["distrogate_projects"][tiny.NAME]["system_test"] = [["sleep", SLEEP]]
    ended: list[int] = []
    before = set(site.runs())
    thread = threading.Thread(
        target=lambda: ended.append(site.playbook("check", distrogate_queue=[change], **variables).returncode)
    )
    thread.start()
    record = _failure(site, before)
    failed = record.stat().st_mtime
    beside = record.with_name("system_test.json")
    while not beside.exists() or _sleeps() or list((site.root / "leases").glob("*.json")):
        time.sleep(0.02)
    gone = time.time()
    thread.join()
    assert ended == [2], ended
    assert json.loads(beside.read_text())["cancelled_by"] == "install_test"
    assert outside.free_tes(site) == ["te1"], "the TE was not given back"
    return gone - failed


def _failure(site: Site, before: set[Path]) -> Path:
    slept = False
    while True:
        slept = slept or _sleeps()
        for run in set(site.runs()) - before:
            record = run / "stages/install_test.json"
            if record.exists():
                assert slept, "the system test had not begun: nothing was cancelled"
                return record
        time.sleep(0.02)


def _sleeps() -> bool:
    """Whether the system test's command runs."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == b"sleep\0" + SLEEP.encode() + b"\0":
                return True
        except OSError:
            continue
    return False


def seconds_to_run_again(site: Site, project: upstream.Project, rounds: int) -> list[float]:
    """The whole playbook on the run directory of a success."""
    change = project.propose(99, "Again", {"again": "1\n"})
    before = set(site.runs())
    variables: dict[str, Any] = {"distrogate_queue": [change], **tiny.variables(site)}
    must(site.playbook("check", **variables))
    (run,) = set(site.runs()) - before
    found = []
    for _number in range(rounds):
        began = time.monotonic()
        must(site.playbook("check", run_dir=str(run), **variables))
        found.append(time.monotonic() - began)
    return found


def shown(cancels: list[float], reruns: list[float]) -> str:
    """The table, with what it means."""
    rows = []
    for name, found, most in (
        ("failure until the sibling is gone and its TE free", cancels, CANCEL),
        ("`check` again, nothing changed", reruns, RERUN),
    ):
        middle = statistics.median(found)
        rows.append([name, f"{middle:.2f}", f"{max(found):.2f}", *report.limit(max(found), most)])
    return f"""\
The local profile, a package that builds in a second, install and system test side by side. The first is
measured from outside: from the record of the failed install test until no process of the system test is left,
its record says that it was cancelled, and the lease file is gone; the TE is then seen to be free.
{len(cancels)} and {len(reruns)} times; the bar is for the worst. {report.machine()}.
Again: `make bench-steer`.

{report.table(("", "median s", "worst s", "at most", "met"), rows)}
"""


def main() -> None:
    """Measure, print, and with --write keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=REPOSITORY / ".cache/bench-steer", help="its folder")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    options = parser.parse_args()
    os.environ.pop("DISTROGATE_OUTPUT", None)
    site = Site(options.root.resolve(), shared_rootfs())
    site.remove()
    site.root.mkdir(parents=True)
    must(site.playbook("prepare"))
    project = tiny.make_project(site)
    reruns = seconds_to_run_again(site, project, options.rounds)
    cancels = [seconds_to_cancel(site, project, number) for number in range(1, options.rounds + 1)]
    text = shown(cancels, reruns)
    say("Result")
    print(text)
    if options.write:
        report.write_section(TITLE, text)
    site.remove()


if __name__ == "__main__":
    main()
