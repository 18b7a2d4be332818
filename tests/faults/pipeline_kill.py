# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pipeline is killed at random instants, run again, killed again, and run again to its end.

Killed is the playbook's main process, a process that works on a stage, or everything of the run at once. The
last run must give the bundle of an undisturbed one; after the janitor nothing may be left.
"""

from __future__ import annotations

import collections
import pathlib
import random
import subprocess
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _process, _under_way
from ansible_collections.distrogate.ci.plugins.module_utils._core._descendants import descendants
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.tests.demo import demo, outside, tiny
from ansible_collections.distrogate.ci.tests.faults import pipeline_processes as processes
from ansible_collections.distrogate.ci.tests.faults.pipeline_site import (
    FULL,
    SHORT,
    KilledSite,
    digest,
    left,
    shape,
)
from ansible_collections.distrogate.ci.tests.faults.run import BrokenPromiseError

VICTIMS = ("main", "stage", "everything")
_MOST = 6  # deaths of one run
Change = dict[str, str]


class Expected(t.NamedTuple):
    """What an undisturbed run of the same queue gave, and how long it took."""

    digest: str
    seconds: float
    shape: set[str]


class Deaths:
    """Rounds of one site; ``project`` is ``tiny`` or, for the real build, ``hello``."""

    def __init__(self, folder: pathlib.Path, seed: int, project: str = tiny.NAME) -> None:
        self.chance = random.Random(seed)
        self.site = KilledSite(folder)
        self.project = project
        self.rounds = self.deaths = 0
        self.tally: collections.Counter[str] = collections.Counter()
        self.expected: dict[str, Expected] = {}
        self._queue: list[Change] = []
        self._mirrors = self.site.mirrors()

    def __enter__(self) -> Deaths:
        try:
            self._begin()
        except BaseException:
            self.site.end()
            raise
        return self

    def _begin(self) -> None:
        site = self.site
        site.must("prepare", **site.variables(FULL))
        site.promoted.create(tiny.FILES)
        if self.project == tiny.NAME:
            self._queue = [tiny.make_project(site).propose(1, "One", {"one": "1\n"})]
        else:
            hello = demo.make_project(site)
            self._queue = [hello.propose(1, "One", demo.edited(hello, "One."))]
        self._mirrors.__enter__()

    def __exit__(self, *_error: object) -> None:
        try:
            self._mirrors.__exit__(None, None, None)
        finally:
            self.site.end()

    def round(self, pipeline: str = "", victims: t.Sequence[str] = (), pipelines: t.Any = None) -> str:
        """One run, killed once or more, to its end; returns what happened in words."""
        self.rounds += 1
        pipeline = pipeline or self.chance.choice(("check", "gate", "post"))
        victims = victims or self.chance.choices(VICTIMS, k=self.chance.randint(1, _MOST))
        pipelines = pipelines or (SHORT if pipeline == "post" else FULL)
        queue, expected = self._undisturbed(pipeline, pipelines)
        told = [f"round {self.rounds}, {pipeline}"]
        try:
            run = self._killed(pipeline, pipelines, queue, victims, told)
            self._judge(pipeline, run, expected)
        except AssertionError as error:
            raise BrokenPromiseError(f"{'; '.join(told)}: {error}") from error
        return "; ".join(told)

    def _undisturbed(self, pipeline: str, pipelines: t.Any) -> tuple[list[Change], Expected]:
        if pipeline == "post":
            return self._merged(pipelines)
        if pipeline not in self.expected:
            began = time.monotonic()
            run = self._whole(pipeline, pipelines, self._queue)
            self.expected[pipeline] = Expected(digest(run), time.monotonic() - began, shape(run))
        if self.chance.random() < 0.8:  # else its build and lint are those of an earlier run
            for entry in (self.site.root / "shared").glob("*.json"):
                entry.unlink()
        return self._queue, self.expected[pipeline]

    def _merged(self, pipelines: t.Any) -> tuple[list[Change], Expected]:
        """A change that was tested and merged: its bundle is what post must release."""
        project, number = self.site.promoted, 100 + self.rounds
        if "post" not in self.expected:
            change = project.propose(99, "First", {"first": "1\n"})
            self._whole("gate", pipelines, [change])
            project.merge(change)
            began = time.monotonic()
            run = self._whole("post", pipelines, [change])
            self.expected["post"] = Expected("", time.monotonic() - began, shape(run))
        change = project.propose(number, f"Change {number}", {"more": f"{number}\n"})
        tested = digest(self._whole("gate", pipelines, [change]))
        project.merge(change)
        return [change], self.expected["post"]._replace(digest=tested)

    def _whole(self, pipeline: str, pipelines: t.Any, queue: list[Change]) -> pathlib.Path:
        before = self.site.folders()
        self.site.must(pipeline, **self.site.variables(pipelines, distrogate_queue=queue))
        (run,) = self.site.folders() - before
        return run

    def _killed(
        self, pipeline: str, pipelines: t.Any, queue: list[Change], victims: t.Sequence[str], told: list[str]
    ) -> pathlib.Path:
        before, run = self.site.folders(), None
        seconds = self.expected[pipeline].seconds
        for victim in [*victims, ""]:
            variables = self.site.variables(pipelines, distrogate_queue=queue)
            if run is not None:
                variables["run_dir"] = str(run)
            process = self.site.start(pipeline, **variables)
            moment = self.chance.uniform(0, seconds)
            what = self._disturb(process, victim, moment, run, before) if victim else ""
            status = self.site.finish(process)
            made = [path for path in self.site.folders() - before if (path / "run.json").exists()]
            run = made[0] if made else None
            if victim:
                told.append(f"{what}, status {status}")
            if status == 0:
                break
            assert victim, f"the next run ended with status {status}:\n{self.site.said()}"
            seconds = max(seconds / 3, seconds - moment)
        assert run is not None
        return run

    def _disturb(
        self,
        process: subprocess.Popen[bytes],
        victim: str,
        moment: float,
        run: pathlib.Path | None,
        before: set[pathlib.Path],
    ) -> str:
        """Kill somebody after so many seconds, unless the playbook ends before."""
        try:
            process.wait(moment)
            return f"{victim} after {moment:.3f} s: it had ended"
        except subprocess.TimeoutExpired:
            pass
        self.deaths += 1
        self.tally[victim] += 1
        if victim == "everything":
            processes.kill_site(self.site.root)
            return f"everything after {moment:.3f} s"
        pid = process.pid
        if victim == "stage":
            runs = [run] if run else sorted(self.site.folders() - before)
            pid = self._worker(process.pid, runs)
        line = processes.of_site(self.site.root).get(pid, "")
        processes.kill(pid)
        return f"{victim} after {moment:.3f} s ({line[:120]})"

    def _worker(self, main: int, runs: list[pathlib.Path]) -> int:
        """Who works on a stage: as it was noted, or any process below the playbook's, or a child playbook."""
        noted = []
        for run in map(Run, map(str, runs)):
            notes = [_under_way.note(run, name) or {} for name in _under_way.names(run)]
            noted += [note["process"]["pid"] for note in notes if _process.alive(note.get("process"))]
        if noted and self.chance.random() < 0.5:
            return int(self.chance.choice(noted))
        return self.chance.choice(sorted(descendants(main)) or [main])

    def _judge(self, pipeline: str, run: pathlib.Path, expected: Expected) -> None:
        if pipeline == "post":
            self._released(expected.digest)
        else:
            assert digest(run) == expected.digest, "the bundle is another one"
        self.site.wait_for_processes()
        self.site.must("janitor", **self.site.variables(FULL, janitor_idle_days=0))
        self.site.wait_for_processes()
        found = left(self.site)
        assert not found, "after the janitor:\n" + "\n".join(found) + self.site.said()
        differs = sorted(shape(run) ^ expected.shape) if pipeline != "post" else []
        assert not differs, f"in the run directory are more or fewer: {differs}"

    def _released(self, tested: str) -> None:
        bundles = outside.ansible(self.site, "bundle_info", store=outside.store(self.site), channel="latest")
        (bundle,) = bundles["bundles"]
        assert bundle["digest"] == tested, f"latest is {bundle['digest']}, and {tested} was tested"
        release = outside.digests(self.site.root / "repositories/release")
        assert any(name.endswith(".deb") for name in release)
        for number in (1, 2):  # which keeps for a while what slow readers may still ask for
            shown = outside.digests(self.site.mirror(number))
            assert release.items() <= shown.items(), f"mirror {number} differs"

    def __str__(self) -> str:
        told = ", ".join(f"{count} {name}" for name, count in sorted(self.tally.items()))
        return f"{self.deaths} deaths in {self.rounds} runs ({told})"
