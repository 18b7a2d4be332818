# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of a run with 50 MiB of logs: made, opened and searched, in a Chromium without a screen."""

from __future__ import annotations

import argparse
import dataclasses
import os
import random
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.distrogate.ci.tests.benchmarks import report
from ansible_collections.distrogate.ci.tests.tools.chromium import Chromium, Tab
from ansible_collections.distrogate.ci.tests.tools.run_reports import Report

WORDS = "cc -O2 -Wall -c nova/compute/manager.py checking for gcc yes configure dpkg-deb warning test ok"
SHOWN = "[...document.querySelectorAll('.row')].at(-1)?.textContent.endsWith('the end')"
SEARCH = """(async () => {
  const words = document.getElementById("words");
  document.getElementById("regular").checked = %s;
  words.value = %r;
  const began = performance.now();
  words.dispatchEvent(new Event("input"));
  const done = () => document.documentElement.dataset.searched === words.value;
  while (!done()) await new Promise((next) => setTimeout(next, 2));
  return (performance.now() - began) / 1000;
})()"""
# What a person looks for: the name of the row, the words, and whether they are a regular expression.
ASKED = (
    ("search, begun as soon as it is open", "segfault", False),
    ("search: a word that is nowhere", "no such word", False),
    ("search: a word of every third line", "CONFIGURE", False),
    ("search: a letter of every line", "e", False),
    ("search: an expression", r"nova.*ok.*[0-9a-f]{16}$", True),
    ("search: an expression of every line", r"^\S+ \d+", True),
)
BARS = {"made: CPU": 1.0, "opens": 2.0, **dict.fromkeys((name for name, _words, _regular in ASKED), 0.5)}
CHILD = """
import resource, sys
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page import write_page
before = resource.getrusage(resource.RUSAGE_SELF)
write_page(sys.argv[1])
after = resource.getrusage(resource.RUSAGE_SELF)
used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(used, after.ru_maxrss - before.ru_maxrss)
"""


@dataclasses.dataclass
class Made:
    """What the page is, beside its seconds."""

    lines: int
    page_bytes: int
    memory_kib: int


def log_lines(size: int) -> Iterator[str]:
    """Lines as tools write them, with 16 random digits each, so that they compress as badly as real ones."""
    known, chance, written, number = WORDS.split(), random.Random(1), 0, 0
    while written < size:
        words = " ".join(chance.choices(known, k=7))
        line = f"2026-11-21 {number // 3600:02d}:{number // 60 % 60:02d}.{number % 60:02d} {words}"
        line += f" {chance.getrandbits(64):016x}"
        number += 1
        written += len(line) + 1
        yield line
    yield "error: the end"


def make(folder: Path, size: int) -> Report:
    """A run whose build failed: three logs, of which one is a fifth of all."""
    made = Report(folder)
    for number, (name, share) in enumerate((("workspace", 0.2), ("lint", 0.3), ("build", 0.5))):
        verdict = "failure" if name == "build" else "success"
        made.stage(name, 10 * number, 9, verdict)
        made.log(f"logs/{name}.log", log_lines(int(size * share)))
    made.write()
    return made


def written(folder: Path) -> tuple[float, int]:
    """CPU seconds and KiB that it takes to make the page, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", CHILD, str(folder)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    used, memory = done.stdout.split()
    return float(used), int(memory)


def opened(tab: Tab, folder: Path) -> float:
    """Seconds until the end of the failing log is to be seen."""
    began = time.monotonic()
    tab.open(f"file://{folder}/index.html", SHOWN)
    return time.monotonic() - began


def measure(folder: Path, size: int, rounds: int) -> tuple[dict[str, float], Made]:
    """Medians of the rounds, each with a browser that has just been started."""
    made = make(folder, size)
    found: dict[str, list[float]] = {name: [] for name in BARS}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", flush=True)
        used, memory = written(folder)
        found["made: CPU"].append(used)
        with tempfile.TemporaryDirectory() as profile:
            browser = Chromium(Path(profile))
            try:
                with browser.tab() as tab:
                    found["opens"].append(opened(tab, folder))
                    for name, words, regular in ASKED:
                        expression = SEARCH % ("true" if regular else "false", words)
                        found[name].append(float(tab.value(expression)))
            finally:
                browser.close()
    lines = sum(log["lines"] for log in made.index["logs"])
    medians = {name: statistics.median(values) for name, values in found.items()}
    return medians, Made(lines, (folder / "index.html").stat().st_size, memory)


def missed(figures: dict[str, float]) -> list[str]:
    """The bars that are missed."""
    return [name for name, limit in BARS.items() if figures[name] > limit]


def shown(figures: dict[str, float], made: Made, size: int, rounds: int) -> str:
    """The table, with what it means."""
    over = missed(figures)
    verdict = f"over the bar: {', '.join(over)}" if over else "no bar is missed"
    head = f"""\
The page of a run with {size >> 20} MiB of logs in {made.lines:,} lines. It is one file of
{made.page_bytes / 2**20:.0f} MiB, and making it takes {made.memory_kib / 1024:.0f} MiB of memory more than
Python alone. It is opened from file:// by a Chromium that has just been started, until the end of the failing
log is to be seen; a search is over when its first hit is shown. Medians of {rounds} rounds;
{verdict}. {report.machine()}. Again: `make bench-page`."""
    rows = [[name, f"{figures[name]:.2f}", *report.limit(figures[name], BARS[name])] for name in BARS]
    table = report.table(("what", "seconds", "bar", "met"), rows)
    return f"{textwrap.fill(head.replace(chr(10), ' '), 110)}\n\n{table}"


def main() -> None:
    """Measure, print, and with --write keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--quick", action="store_true", help="only try, with little logs")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    size, rounds = (1 << 20, 1) if options.quick else (50 << 20, options.rounds)
    with tempfile.TemporaryDirectory() as folder:
        figures, made = measure(Path(folder), size, rounds)
    text = shown(figures, made, size, rounds)
    print(f"\n{text}")
    if options.write and not options.quick:
        report.write_section("The page of a run", text)
    if missed(figures):
        sys.exit(f"over the bar: {', '.join(missed(figures))}")


if __name__ == "__main__":
    main()
