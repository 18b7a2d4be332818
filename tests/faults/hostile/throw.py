# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Throws hostile packages at a module, one by one, and says what became of each (JSON lines).

It runs under the Python of a repository host, with the distribution's bindings:

    /usr/bin/python3 -m ansible_collections.distrogate.ci.tests.faults.hostile.throw apt --seed 1

``--only N`` runs the N-th input alone (numbers are in the output), for a look at
a finding; ``--keep FOLDER`` keeps what the inputs with problems consisted of.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import itertools
import json
import pathlib
import random
import subprocess
import tempfile
import time
import typing as t
import zlib

from ansible_collections.distrogate.ci.tests.faults.hostile import formats
from ansible_collections.distrogate.ci.tests.faults.hostile.case import Case, Source
from ansible_collections.distrogate.ci.tests.faults.hostile.judge import Verdict
from ansible_collections.distrogate.ci.tests.faults.hostile.worker import Worker

BATCH = 40  # inputs for one copy of the repository
_ALWAYS = 2  # inputs of each kind that are in the first part, however few are asked for


def chosen(options: argparse.Namespace, outside: str) -> t.Iterator[tuple[int, Case]]:
    """The cases that are asked for, with their numbers."""
    source = Source(options.seed, outside)
    seen: collections.Counter[str] = collections.Counter()
    for number, case in enumerate(formats.FORMATS[options.kind].cases(source), 1):
        seen[case.kind] += 1
        first = case.heavy or seen[case.kind] <= _ALWAYS
        part = 0 if first else zlib.crc32(b"%d %d" % (options.seed, number)) % options.parts
        wanted = number == options.only if options.only else part == options.part
        if wanted and (options.heavy or not case.heavy):
            yield number, case


def verdicts(worker: Worker, options: argparse.Namespace) -> t.Iterator[Verdict]:
    """Try them all, in batches; after each a good package must still be published."""
    source = Source(options.seed + 1)
    source.number = 1_000_000  # names of its own
    worker.prepare(source)
    cases: t.Iterable[tuple[int, Case]] = chosen(options, str(worker.box.folder / "outside"))
    if options.shuffle:
        every = list(cases)
        random.Random(options.seed).shuffle(every)
        cases = every
    end = time.monotonic() + options.seconds
    for tried, (number, case) in enumerate(itertools.takewhile(lambda _case: time.monotonic() < end, cases)):
        if tried % BATCH == 0:
            worker.begin()
        yield worker.attempt(case, number, bool(options.processes) and tried % options.processes == 0)
        if tried % BATCH == BATCH - 1:
            yield worker.attempt(worker.format.good_case(source, "the next good package"), number)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=sorted(formats.FORMATS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1, help="the inputs are dealt out to so many runs")
    parser.add_argument("--part", type=int, default=0, help="which of them this one is")
    parser.add_argument("--only", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--processes", type=int, default=0, help="one in so many is a process of its own")
    parser.add_argument("--heavy", action="store_true", help="also those that cost seconds")
    parser.add_argument("--shuffle", action="store_true")
    parser.add_argument("--coverage", action="store_true")
    parser.add_argument("--keep", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dg-") as name:
        folder = pathlib.Path(name).resolve()
        try:
            worker = Worker(folder, options)
            for verdict in verdicts(worker, options):
                print(json.dumps(dataclasses.asdict(verdict)), flush=True)
            arcs = {name: sorted(arcs) for name, arcs in worker.arcs.items()}
            print(json.dumps({"arcs": arcs}), flush=True)
        finally:
            subprocess.run(["gpgconf", "--homedir", f"{folder}/gnupg", "--kill", "all"], check=False)
            tempfile.tempdir = None


if __name__ == "__main__":
    main()
