# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""bundle_info over an archive of 10,000 bundles of 200 artifacts, in CPU seconds of the whole process."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import typing as t
from pathlib import Path

from ansible_collections.distrogate.ci.tests.benchmarks import bundles_archive as archive
from ansible_collections.distrogate.ci.tests.benchmarks import report
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, say

TITLE = "bundle_info over ten thousand bundles"
BAR = 1.0  # CPU seconds of a question
FULL, QUICK = (10000, 200), (200, 50)
START = "ansible.builtin.debug, for the start of Ansible"
REBUILD = "the index made anew, and one question"
PAGE = "bundle_history, 1,000 bundles, from nothing"
PAGE_AGAIN = "bundle_history again, nothing changed"
LISTING = "all bundles, without packages"
BESIDE = (START, REBUILD, PAGE, PAGE_AGAIN, LISTING)  # these have no bar
HEAD = ("Question", "without the start", "CPU s", "bar", "met")

Json = dict[str, t.Any]


def cpu(argv: list[str], environment: dict[str, str]) -> tuple[float, Json]:
    """The CPU seconds of a process and all that it starts, and what it returned."""
    before = os.times()
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    after = os.times()
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    used = after.children_user + after.children_system - before.children_user - before.children_system
    head, _arrow, text = done.stdout.partition("=>")
    return used, json.loads(text) if text else {"said": head}


class Bench:
    """Questions to one archive, each asked by the `ansible` of a user."""

    def __init__(self, root: Path, digests: list[str], artifacts: int) -> None:
        self._root = root
        self._digests = digests
        self._artifacts = artifacts
        self.environment = {**os.environ, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg")}
        self.environment["PATH"] = f"{REPOSITORY / '.venv/bin'}:{os.environ['PATH']}"

    def ask(self, module: str, options: Json) -> tuple[float, Json]:
        arguments = {
            "store": f"sqlite://{self._root}/store.db",
            "archive": str(self._root / "archive"),
            **options,
        }
        argv = ["ansible", "localhost", "-m", f"distrogate.ci.{module}", "-a", json.dumps(arguments)]
        return cpu(argv, self.environment)

    def questions(self) -> dict[str, tuple[Json, int]]:
        """The options of each question, and how many bundles must be the answer."""
        many = len(self._digests)
        middle = many // 2
        index = self._artifacts - 1
        version = f"{1 + middle // 100}.{middle}.{index}-1"
        return {
            "a package=version (1 bundle)": ({"contains": f"package{index:03}={version}"}, 1),
            "a package that all have, the newest 100": (
                {"contains": f"package{index:03}", "limit": 100},
                min(many, 100),
            ),
            "an image's digest": ({"contains": f"sha256:{archive.sha(f'{middle} 1')}"}, 1),
            "a commit, by 12 digits": (
                {"contains": archive.commit(middle)[:12]},
                2 if middle + 20 < many else 1,
            ),
            "a tree": ({"trees": {f"project{middle % 20}": archive.commit(middle + 10**6)}}, 1),
            "one bundle, all that is known of it": ({"bundle": self._digests[middle]}, 1),
            "a channel and its history": ({"channel": "latest", "history": True}, 1),
            "the difference of two bundles": (
                {"difference": [self._digests[0], self._digests[-1]], "bundle": self._digests[0]},
                1,
            ),
            LISTING: ({}, many),
        }


def measure(bench: Bench, root: Path, rounds: int) -> dict[str, float]:
    """The median of each question; what is made from nothing is measured once."""
    idle = ["ansible", "localhost", "-m", "ansible.builtin.debug"]
    figures: dict[str, list[float]] = {}
    index = root / "archive" / ".distrogate"
    shutil.rmtree(index, ignore_errors=True)
    figures[REBUILD] = [bench.ask("bundle_info", {"limit": 1})[0]]
    for _round in range(rounds):
        figures.setdefault(START, []).append(cpu(idle, bench.environment)[0])
        for name, (options, wanted) in bench.questions().items():
            used, result = bench.ask("bundle_info", options)
            if len(result["bundles"]) != wanted:
                sys.exit(f"{name}: {len(result['bundles'])} bundles, not {wanted}")
            figures.setdefault(name, []).append(used)
    page = {"destination": str(root / "page")}
    figures[PAGE] = [bench.ask("bundle_history", page)[0]]
    used, result = bench.ask("bundle_history", page)
    if result["changed"]:
        sys.exit("The page of the same history is another one.")
    figures[PAGE_AGAIN] = [used]
    return {name: statistics.median(found) for name, found in figures.items()}


def missed(figures: dict[str, float]) -> list[str]:
    """The questions over the bar."""
    return [name for name, used in figures.items() if name not in BESIDE and used > BAR]


def shown(figures: dict[str, float], sizes: tuple[int, int], rounds: int, size: int) -> str:
    """The table, with what it means."""
    start = figures[START]
    rows = [
        [
            name,
            "" if name == START else f"{max(0.0, used - start):.2f}",
            f"{used:.2f}",
            *report.limit(used, None if name in BESIDE else BAR),
        ]
        for name, used in sorted(figures.items(), key=lambda item: item[0] != START)
    ]
    over = missed(figures)
    verdict = f"over the bar of {BAR:g}: {', '.join(over)}" if over else f"each question is within {BAR:g}"
    text = f"""
CPU seconds, of user and system, of the whole `ansible` process and all that it starts, for one question to an
archive of {sizes[0]:,} bundles of {sizes[1]} artifacts, of which no two are the same, with
{len(archive.TESTS)} signed verdicts each. Every question compares the index with the files first. Medians of
{rounds} rounds, files in memory; {verdict}. The list of all bundles has no bar: what it costs is to hand
{sizes[0]:,} of them over. The index has {size >> 20} MiB.
It is made anew when it is missing, broken or of another release: this checks every bundle's form, digest and
signatures. {report.machine()}. Again: `make bench-bundles`."""
    filled = textwrap.fill(" ".join(text.split()), 110, break_on_hyphens=False, break_long_words=False)
    return f"{filled}\n\n{report.table(HEAD, rows)}"


def run(root: Path, sizes: tuple[int, int], rounds: int) -> tuple[str, list[str]]:
    """Measure; returns the section, and what is over the bar."""
    digests = archive.make(root, *sizes)
    figures = measure(Bench(root, digests, sizes[1]), root, rounds)
    size = (root / "archive/.distrogate/index.sqlite").stat().st_size
    return shown(figures, sizes, rounds, size), missed(figures)


def main() -> None:
    """Measure, print, and with --write keep; fails when the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, help="a folder to work in; the default is one in memory")
    parser.add_argument("--rounds", type=int, default=5, help="how often each question is asked")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    parser.add_argument("--quick", action="store_true", help="few bundles, to see that this works: no bar")
    options = parser.parse_args()
    sizes, rounds = (QUICK, 1) if options.quick else (FULL, max(1, options.rounds))
    place = options.root or (Path("/dev/shm") if os.path.isdir("/dev/shm") else None)
    with tempfile.TemporaryDirectory(prefix="dg-bundles-", dir=place) as folder:
        text, over = run(Path(folder), sizes, rounds)
    say("Result")
    print(text)
    if options.write and not options.quick:
        report.write_section(TITLE, text)
    if over and not options.quick:
        sys.exit(f"over the bar: {', '.join(over)}")


if __name__ == "__main__":
    main()
