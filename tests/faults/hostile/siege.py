# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of ``throw``, side by side, and what they add up to."""

from __future__ import annotations

import collections
import dataclasses
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import typing as t

import coverage

from ansible_collections.distrogate.ci.tests.faults.hostile import throw
from ansible_collections.distrogate.ci.tests.faults.hostile.case import PUBLISHED, REFUSED
from ansible_collections.distrogate.ci.tests.faults.run import PYTHON, environment

_SLACK = 300  # seconds that a run may need beyond its own limit before it is ended
_Arcs = dict[str, set[tuple[int, int]]]


@dataclasses.dataclass
class Tally:
    """Counts of many verdicts."""

    kinds: dict[str, collections.Counter[str]] = dataclasses.field(
        default_factory=lambda: collections.defaultdict(collections.Counter)
    )
    causes: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    remarks: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    problems: list[str] = dataclasses.field(default_factory=list)
    arcs: _Arcs = dataclasses.field(default_factory=dict)
    own_processes: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    most_memory: int = 0
    slowest: float = 0.0

    @property
    def tried(self) -> int:
        return sum(sum(outcomes.values()) for outcomes in self.kinds.values())

    def add(self, name: str, verdict: dict[str, t.Any]) -> None:
        """One line of a run's output."""
        if "arcs" in verdict:
            for file, arcs in verdict["arcs"].items():
                self.arcs.setdefault(file, set()).update((one, other) for one, other in arcs)
            return
        kind = verdict["kind"]
        self.kinds[kind][verdict["outcome"]] += 1
        if verdict["cause"]:
            self.causes[f"{name}: {verdict['cause']}"] += 1
        if verdict["remark"]:
            self.remarks[f"{kind}: {verdict['remark']}"] += 1
        self.own_processes[name] += verdict["own_process"]
        self.most_memory = max(self.most_memory, verdict["peak"])
        self.slowest = max(self.slowest, verdict["seconds"])
        where = f"{name} --only {verdict['number']} ({kind}, {verdict['note'][:80]})"
        self.problems += [f"{where}: {problem}" for problem in verdict["problems"]]

    def table(self) -> str:
        """What was tried and what became of it, for people."""
        lines = [f"{'':44} {'tried':>6} {'refused':>8} {'published':>10}"]
        for kind, outcomes in sorted(self.kinds.items()):
            counts = f"{sum(outcomes.values()):6} {outcomes[REFUSED]:8} {outcomes[PUBLISHED]:10}"
            lines.append(f"{kind:44} {counts}")
        for title, counter in (("causes", self.causes), ("remarks", self.remarks)):
            lines += ["", title, *(f"{count:6} {text}" for text, count in counter.most_common())]
        lines += ["", f"{self.tried} inputs, {sum(self.own_processes.values())} in a process of their own"]
        lines.append(f"at most {self.most_memory >> 20} MiB and {self.slowest:.1f} s for one")
        return "\n".join(lines)

    def covered(self) -> str:
        """The branch coverage of the readers, as coverage(1) reports it."""
        measured = coverage.Coverage(data_file=None, branch=True, config_file=False)
        measured.get_data().add_arcs(self.arcs)
        out = io.StringIO()
        measured.report(file=out, show_missing=True)
        return out.getvalue()


def unable() -> str:
    """Why no package can be thrown here, or nothing."""
    missing = [tool for tool in ("dpkg-deb", "zstd", "gpg") if not shutil.which(tool)]
    if (
        missing
        or subprocess.run(
            [PYTHON, "-c", "import createrepo_c, rpm"], capture_output=True, check=False
        ).returncode
    ):
        return f"{', '.join(missing) or 'createrepo_c or rpm'} is not installed"
    return ""


def siege(kinds: t.Iterable[str], tally: Tally, *options: str, seconds: float) -> None:
    """One run for each kind, side by side."""
    program = throw.__name__
    with tempfile.TemporaryDirectory(prefix="dg-") as folder:
        runs = []
        for kind in kinds:
            with open(f"{folder}/{kind}", "wb") as out:
                argv = [PYTHON, "-m", program, kind, *options, "--seconds", str(seconds)]
                runs.append((kind, subprocess.Popen(argv, env=environment(), stdout=out, cwd=folder)))
        for kind, run in runs:
            try:
                status = run.wait(seconds + _SLACK)
            except subprocess.TimeoutExpired:
                run.kill()
                status = run.wait()
            for line in pathlib.Path(folder, kind).read_text().splitlines():
                tally.add(kind, json.loads(line))
            if status:
                tally.problems.append(f"{kind}: the run itself ended with {status}")


if __name__ == "__main__":
    counted = Tally()
    siege(sys.argv[1:2], counted, *sys.argv[2:], seconds=3600)
    print(counted.table(), *counted.problems, sep="\n")
