# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""mirror_sync against rsync by itself and against trsync, in CPU seconds of both sides."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from ansible_collections.distrogate.ci.plugins.module_utils._core._openpgp import make_key
from ansible_collections.distrogate.ci.tests.benchmarks import mirror_table, publish_inputs, report
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_at_once import at_once
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_cases import Bench
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_meter import MirrorMeter
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_sizes import Sizes
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_trsync import Trsync
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, say

TITLE = "Mirrors against rsync and trsync"
QUICK = Sizes((30, 60, 90), 60, 90, 20, 10, 2**20)
PARTS = ("first", "at-once", "grow")


def measure(bench: Bench, sizes: Sizes, parts: tuple[str, ...]) -> None:
    """The largest last."""
    bench.warm_up()
    if "first" in parts:
        bench.first_copy(sizes)
    if "at-once" in parts:
        at_once(bench, sizes)
    if "grow" in parts:
        bench.grow(sizes)


def shown(bench: Bench, sizes: Sizes) -> str:
    """The tables, with what they mean."""
    rows = mirror_table.rows(bench.figures, sizes, bench.trsync_name)
    over = mirror_table.missed(rows)
    verdict = f"over the bar: {', '.join(over)}" if over else "no bar that could be shown is missed"
    first = f"""
CPU seconds, of user and system, of the client and of the daemon with all their children,
{bench.meter.method}. The daemons are rsync's own, on loopback, with "use chroot = no". Ours is a new process
of the module for each run, its start included, which compares what arrived and switches; the peers neither
compare nor, but for those that switch a link, are they a transaction. The source is a repository that our
publisher publishes, signed, of packages of half a KiB, in one suite; for the first copy they have 22 KiB.
Before each round of "10 changed" ten packages get new versions: everyone brings these, and the new indexes,
of the suite or, with "a small index", of one beside it. Everyone has a mirror of its own, in memory (on the
disk here, making files costs more than all else, and never the same), and the same source
at the same time. "Not verified" is a run in which the rsync that compares digests is not started.
{_trsync(bench)} cp -al needs a shell on the mirror; ours needs none, nor links. Medians of {bench.rounds}
rounds, of {bench.few} for what takes long, everyone in turn; {verdict}. {report.machine()}. Again:
`make bench-mirror`."""
    parts = [
        first,
        mirror_table.bars(rows),
        "Nothing changed, in a repository that grows:",
        mirror_table.growth(bench.figures, sizes),
        """Every figure. "The module's file" is the same run with the file of the module as the program;
"nothing compiled before" is what it costs where Python finds no bytecode, as in a module that Ansible sends.
Memory is that of the largest process.""",
        mirror_table.everything(bench.figures, "files"),
    ]
    return "\n\n".join(part if part.startswith("|") else _filled(part) for part in parts)


def _trsync(bench: Bench) -> str:
    if bench.trsync_name == Trsync.name:
        return """trsync is a checkout of its sources, run by Python 2, the only one that it runs on, below
its command line; it pushes to one mirror after the other."""
    return """trsync was not there, or no Python 2, the only one that it runs on (--trsync, --python2): the
rsync commands that its push issues are measured instead, without its own work."""


def _filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 110, break_on_hyphens=False, break_long_words=False)


def run(
    root: Path,
    sizes: Sizes,
    rounds: int,
    parts: tuple[str, ...] = PARTS,
    checkout: Path | None = None,
    python2: str = "python2",
    settle: bool = True,
) -> tuple[str, list[str]]:
    """Measure; returns the section, and the bars that were missed. ``settle`` takes time."""
    work = root / "work"
    publish_inputs.remove(work)  # of a benchmark that was interrupted
    work.mkdir(parents=True)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else str(work)
    with (
        tempfile.TemporaryDirectory(prefix="dg-") as gnupg,  # a short path: sockets lie in it
        tempfile.TemporaryDirectory(prefix="dg-", dir=memory) as mirrors,
    ):
        try:
            key = make_key(gnupg, "Benchmark <benchmark@example.org>")
            meter = MirrorMeter(work / "log", settle)
            bench = Bench(root, key, Path(gnupg), meter, Path(mirrors), rounds, checkout, python2)
            measure(bench, sizes, parts)
        finally:
            subprocess.run(["gpgconf", "--homedir", gnupg, "--kill", "all"], check=False)
            publish_inputs.remove(work)
    rows = mirror_table.rows(bench.figures, sizes, bench.trsync_name)
    return shown(bench, sizes), mirror_table.missed(rows)


def main() -> None:
    """Measure, print, and with --write keep; fails when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    value = os.environ.get
    parser.add_argument(
        "--root", type=Path, default=REPOSITORY / ".cache/bench-mirror", help="the folder for everything"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often a small change is brought")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="do only these")
    parser.add_argument(
        "--largest", type=int, default=max(Sizes().growth), help="the largest number of files"
    )
    parser.add_argument(
        "--trsync", type=Path, default=value("DISTROGATE_TRSYNC"), help="the folder of a checkout of trsync"
    )
    parser.add_argument(
        "--python2", default=value("DISTROGATE_PYTHON2", "python2"), help="the Python 2 that runs trsync"
    )
    parser.add_argument("--write", action="store_true", help="write the tables into docs/benchmarks.md")
    parser.add_argument("--quick", action="store_true", help="few files, to see that this works: no bars")
    options = parser.parse_args()
    if options.rounds < 1:
        sys.exit("--rounds must be at least 1")
    sizes = Sizes(tuple(count for count in Sizes().growth if count <= options.largest))
    sizes, rounds = (QUICK, 1) if options.quick else (sizes, options.rounds)
    text, missed = run(
        options.root.resolve(),
        sizes,
        rounds,
        tuple(options.parts),
        options.trsync,
        options.python2,
        settle=not options.quick,
    )
    say("Result")
    print(text)
    if options.write and not options.quick:
        report.write_section(TITLE, text)
    if missed and not options.quick:
        sys.exit(f"over the bar: {', '.join(missed)}")


if __name__ == "__main__":
    main()
