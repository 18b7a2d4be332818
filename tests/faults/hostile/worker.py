# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A repository under attack: one input after the other, and a look at everything after each."""

from __future__ import annotations

import argparse
import glob
import hashlib
import json
import os
import pathlib
import shutil
import tempfile
import typing as t

from ansible_collections.distrogate.ci.tests.faults import kill
from ansible_collections.distrogate.ci.tests.faults.hostile import formats
from ansible_collections.distrogate.ci.tests.faults.hostile.box import Box, Listing, differences
from ansible_collections.distrogate.ci.tests.faults.hostile.case import PUBLISHED, Case, Source
from ansible_collections.distrogate.ci.tests.faults.hostile.child import Caller
from ansible_collections.distrogate.ci.tests.faults.hostile.judge import Verdict, judge

LIMIT = 20.0  # seconds for one input
_READERS = pathlib.Path(__file__).resolve().parents[2] / "plugins" / "module_utils" / "_packages"


def reader_files(patterns: t.Iterable[str]) -> list[str]:
    """The files of the product that look into packages."""
    return sorted(name for pattern in patterns for name in glob.glob(str(_READERS / pattern)))


class Worker:
    """A repository, the module that publishes to it, and a strict reader."""

    def __init__(self, folder: pathlib.Path, options: argparse.Namespace) -> None:
        self.options = options
        self.format = formats.FORMATS[options.kind]
        self.home = folder / "gnupg"
        self.key = kill.gnupg(folder)
        self.box = Box(folder)
        scratch = folder / "scratch"
        scratch.mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(self.box.tmp)
        self.caller = Caller(self.format.module, scratch, self.box.tmp, LIMIT)
        self.reader = self.format.reader(self.box.root)
        self.shown: set[str] = set()
        self.arcs: dict[str, set[tuple[int, int]]] = {}

    def arguments(self, packages: list[str]) -> dict[str, t.Any]:
        return {
            **self.format.options,
            "root": str(self.box.root),
            "packages": packages,
            "signing_key": self.key,
            "gnupg_home": str(self.home),
            "timeout": 5,
        }

    def prepare(self, source: Source) -> None:
        """Publish a few good packages, which all inputs must leave alone."""
        if self.options.coverage:
            import coverage

            include = reader_files(self.format.readers)
            self.caller.coverage = coverage.Coverage(
                data_file=None, branch=True, include=include, config_file=False
            )
            self.caller.coverage.start()
            self.caller.arcs.mkdir()
        self.caller.load()
        for number in range(3):
            verdict = self.attempt(self.format.good_case(source, "the first packages"), -number)
            assert not verdict.problems, verdict
        self.box.save()
        self.first = set(self.shown)

    def attempt(self, case: Case, number: int, own_process: bool = False) -> Verdict:
        """Publish one input, and look at everything."""
        verdict = Verdict(case.kind, case.note, number, own_process=own_process)
        self.box.clean()
        packages = case.make(self.box.incoming)
        before = self.box.listing()
        answer = self.caller(self.arguments(packages), own_process)
        judge(case, answer, packages, verdict)
        after = self.box.listing()
        self._look(packages, before, after, verdict)
        self._count_arcs()
        if verdict.problems and number > 0:
            self.begin()  # one finding shall not look like many
        if verdict.problems and self.options.keep:
            kept = pathlib.Path(self.options.keep) / f"{self.options.kind}-{number}"
            shutil.copytree(self.box.incoming, kept, symlinks=True, dirs_exist_ok=True)
        return verdict

    def _look(self, packages: list[str], before: Listing, after: Listing, verdict: Verdict) -> None:
        wrong = differences(before, after, verdict.outcome == PUBLISHED)
        verdict.problems += [f"changed: {name!r}" for name in wrong[:5]]
        try:
            if verdict.outcome == PUBLISHED:
                added = {_digest(path): path for path in packages}
                self.shown |= set(added)
                seen = self.reader.digests()
                assert seen == self.shown, f"{len(seen)} packages shown, {len(self.shown)} published"
                remarks = {
                    self.reader.compare(digest, pathlib.Path(path), str(self.box.tmp))
                    for digest, path in added.items()
                }
                verdict.remark = "; ".join(sorted(remarks - {""}))
            elif before != after or verdict.problems:
                assert self.reader.digests() == self.shown
        except Exception as error:  # noqa: BLE001 -- whatever a reader stumbles over
            verdict.problems.append(f"a reader finds {type(error).__name__}: {str(error)[:600]}")

    def _count_arcs(self) -> None:
        for path in self.caller.arcs.glob("*.json"):
            for name, arcs in json.loads(path.read_text()).items():
                self.arcs.setdefault(name, set()).update(tuple(arc) for arc in arcs)
            path.unlink()

    def begin(self) -> None:
        self.box.restore()
        self.shown = set(self.first)


def _digest(path: str) -> str:
    with open(path, "rb") as stream:
        digest = hashlib.sha256()
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
