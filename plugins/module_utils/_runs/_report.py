# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a run's report: what people get, from what the run directory holds."""

from __future__ import annotations

import contextlib
import json
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sha256_file, write_atomic
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Suite, counts, to_xml
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._runs import _index, _page, _place
from ansible_collections.distrogate.ci.plugins.module_utils._runs._found import (
    Found,
    find,
    open_found,
    safe_name,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._junit_read import LIMIT, read_junit
from ansible_collections.distrogate.ci.plugins.module_utils._runs._log import Limits, copy_log
from ansible_collections.distrogate.ci.plugins.module_utils._runs._masks import Masks

NAME, ARCHIVE = "report", "report.tar.gz"


class Report:
    """One report while it is being made, in ``folder``."""

    def __init__(self, run: Run, folder: str, masks: Masks, limits: Limits) -> None:
        self._run, self._folder, self._masks, self._limits = run, folder, masks, limits
        self._left_out: _index.Notes = []
        self._logs: list[dict[str, t.Any]] = []
        self._records = _index.read_records(run.path, self._left_out)

    def make(self) -> dict[str, t.Any]:
        """Write everything; returns the index."""
        self._copy_logs()
        results = self._copy_results()
        self._copy_records()
        run = _index.read_file(self._run.file("run.json"), []) or {}
        bundle = _index.read_file(self._run.file("bundle.json"), []) or {}
        _begun, ended = _index.moments(self._records)
        stages = [
            _index.stage_entry(name, record, self._logs, self._counted(name, record, results))
            for name, record in self._records.items()
        ]
        index = {
            "version": _index.FORMAT,
            "run_id": str(run.get("id") or os.path.basename(self._run.path)),
            "created": _index.rfc3339(ended),
            "replay": _index.replay_command(),
            "bundle": str(bundle.get("digest", "")),
            "stages": _index.masked(stages, self._masks),
            "logs": self._logs,
            "left_out": _index.masked(self._left_out, self._masks),
        }
        index["masked"] = self._masks.count
        self._write("index.json", index)
        _page.write_page(self._folder)
        return index

    def pack(self, target: str, index: t.Mapping[str, t.Any]) -> None:
        """Everything as one archive, with the times of the stages."""
        begun, ended = _index.moments(self._records)
        times = {log["path"]: begun.get(log["stage"], ended) for log in self._logs}
        times.update({f"stages/{name}.json": moment for name, moment in begun.items()})
        _place.pack(self._folder, safe_name(index["run_id"]), target, times, ended)

    def _write(self, name: str, value: t.Any) -> None:
        path = os.path.join(self._folder, name)
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        write_atomic(path, text.encode("utf-8", "replace"), durable=False)

    def _copy_records(self) -> None:
        for name, record in self._records.items():
            self._write(f"stages/{safe_name(name)}.json", _index.masked(record, self._masks))
        for name in ("run.json", "bundle.json"):
            value = _index.read_file(self._run.file(name), self._left_out)
            if value is not None:
                self._write(name, _index.masked(value, self._masks))

    def _copy_logs(self) -> None:
        """Small logs come first, so that they are whole; large ones share what is left."""
        found = sorted(find(self._run.file("logs"), self._left_out), key=lambda file: file.size)
        limits, left = self._limits, self._limits.total
        for done, file in enumerate(found):
            target = self._target(file)
            with self._opened(file) as source:
                kept = copy_log(
                    source, target, self._masks, limits, min(limits.log, left // (len(found) - done))
                )
            os.chmod(target, 0o644)
            left -= kept.kept
            stage = _index.stage_of("/".join(file.parts), self._records)
            sizes = {"bytes": kept.size, "kept_bytes": kept.kept, "lines": kept.lines, "cut": kept.cut}
            self._logs.append({"path": os.path.relpath(target, self._folder), "stage": stage, **sizes})
        self._logs.sort(key=lambda log: str(log["path"]))

    @contextlib.contextmanager
    def _opened(self, file: Found) -> t.Iterator[int]:
        """The file, open; one that cannot be read is named and keeps no other from being shown."""
        try:
            source = open_found(self._run.path, file)
        except OSError as error:
            self._left_out.append({"path": file.name, "reason": f"cannot be read: {error.strerror}"})
            source = os.open(os.devnull, os.O_RDONLY)
        try:
            yield source
        finally:
            os.close(source)

    def _target(self, file: Found) -> str:
        """A free path for a file: two names may become one when they are made safe."""
        path = os.path.join(self._folder, *file.name.split("/"))
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        stem, suffix = os.path.splitext(path)
        number = 1
        while os.path.lexists(path):
            number += 1
            path = f"{stem}-{number}{suffix}"
        return path

    def _copy_results(self) -> dict[str, dict[str, int]]:
        """The JUnit files, read and written anew; returns the counts by file."""
        found: dict[str, dict[str, int]] = {}
        room = self._limits.total // 4
        for file in find(self._run.file("results"), self._left_out):
            if not file.name.endswith(".xml"):
                continue
            with self._opened(file) as source:
                data = os.read(source, LIMIT + 1) if file.size <= min(LIMIT, room) else b"x" * (LIMIT + 1)
            try:
                suites = read_junit(data, file.name)
            except DistrogateError as error:
                self._left_out.append({"path": file.name, "reason": error.message})
                continue
            room -= file.size
            write_atomic(self._target(file), to_xml([self._clean(suite) for suite in suites]), durable=False)
            found["/".join(file.parts)] = counts(suites)
        return found

    def _clean(self, suite: Suite) -> Suite:
        text = self._masks.text
        suite.name, suite.host = text(suite.name), text(suite.host)
        for case in suite.cases:
            case.name, case.classname = text(case.name), text(case.classname)
            case.message, case.text, case.output = text(case.message), text(case.text), text(case.output)
        return suite

    def _counted(
        self, name: str, record: _index.Record, results: t.Mapping[str, dict[str, int]]
    ) -> dict[str, int] | None:
        """The counts of all result files of a stage; None when it has none."""
        named = record.get("results") or []
        own = [
            counted
            for path, counted in results.items()
            if path in named or path == f"results/{name}.xml" or path.startswith(f"results/{name}-")
        ]
        return {key: sum(counted[key] for counted in own) for key in own[0]} if own else None


def make_report(
    run: Run, secrets: t.Iterable[str], limits: Limits, check_mode: bool
) -> tuple[bool, dict[str, t.Any]]:
    """Make report/ and report.tar.gz; returns whether they differ from what was there, and the index."""
    with _place.alone(run.path):
        if not check_mode:
            _place.tidy(run.path)
        with _place.aside(run.path) as folder:
            report = Report(run, os.path.join(folder, NAME), Masks(secrets), limits)
            index = report.make()
            packed = os.path.join(folder, ARCHIVE)
            report.pack(packed, index)
            changed = not _same(packed, os.path.join(run.path, ARCHIVE)) or not os.path.isdir(run.file(NAME))
            if changed and not check_mode:
                _place.put(folder, run.path)
    return changed, index


def _same(one: str, other: str) -> bool:
    regular = os.path.isfile(other) and not os.path.islink(other)
    return (
        regular and os.path.getsize(one) == os.path.getsize(other) and sha256_file(one) == sha256_file(other)
    )
