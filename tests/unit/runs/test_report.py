# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a run: what is in it, what is not, and what a kill or a full disk leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Case, Suite, write_results
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._runs import _page, _place
from ansible_collections.distrogate.ci.plugins.module_utils._runs._log import Limits
from ansible_collections.distrogate.ci.plugins.module_utils._runs._report import make_report
from ansible_collections.distrogate.ci.tests.unit.runs.conftest import write_record


def make(run: Run, check_mode: bool = False, limits: Limits | None = None) -> tuple[bool, dict[str, Any]]:
    return make_report(run, ["hunter2-long"], limits or Limits(), check_mode)


def tree(folder: str) -> dict[str, bytes]:
    root = Path(folder)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_report(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[str] = []
    monkeypatch.setattr(_page, "write_page", lambda report: pages.append(sorted(os.listdir(report))))
    write_record(run, "lint", started=2, verdict="failure", message="tag hunter2-long", reason="lint_failed")
    suite = Suite("lint", [Case("a", verdict="failure", message="hunter2-long"), Case("b")])
    write_results(run.path, "lint", [suite])
    Path(run.path, "bundle.json").write_text('{"digest": "sha256:00"}')
    changed, index = make(run)
    assert changed and make(run) == (False, index)
    assert index == json.loads(Path(run.path, "report/index.json").read_text())
    assert (index["run_id"], index["bundle"], index["masked"]) == ("check-1", "sha256:00", 4)
    assert index["replay"].startswith("ansible-playbook distrogate.ci.replay ")
    [build, lint] = index["stages"]
    assert (build["log"], build["results"]) == ("logs/build.log", None)
    assert (lint["verdict"], lint["message"], lint["log"]) == ("failure", "tag ********", "")
    assert lint["results"] == {"tests": 2, "failures": 1, "errors": 0, "skipped": 0}
    assert index["logs"] == [
        {"path": "logs/build.log", "stage": "build", "bytes": 37, "kept_bytes": 23, "lines": 1, "cut": ""}
    ]
    shown = tree(run.file("report"))
    assert shown["logs/build.log"] == b"building with ********\n"
    assert not [name for name, data in shown.items() if b"hunter2" in data]
    assert set(shown) == {
        "index.json", "run.json", "bundle.json", "logs/build.log", "results/lint.xml", "stages/build.json",
        "stages/lint.json",
    }  # fmt: skip
    assert "index.json" in pages[0] and "logs" in pages[0]
    assert not [name for name in os.listdir(run.path) if name.startswith(".report")]


def test_the_archive_is_the_report_and_always_the_same(run: Run) -> None:
    make(run)
    first = Path(run.file("report.tar.gz")).read_bytes()
    os.unlink(run.file("report.tar.gz"))
    os.utime(run.log("build"), (1, 1))
    assert make(run)[0]
    assert Path(run.file("report.tar.gz")).read_bytes() == first
    with tarfile.open(run.file("report.tar.gz")) as archive:
        members = archive.getmembers()
        log = archive.extractfile("check-1/logs/build.log")
        assert log is not None and log.read() == b"building with ********\n"
    assert {member.name.split("/")[0] for member in members} == {"check-1"}
    assert {(member.uid, member.gid, member.uname) for member in members} == {(0, 0, "")}
    assert {member.mtime for member in members if member.isfile()} == {10**9, 10**9 + 2}
    assert os.stat(run.file("report.tar.gz")).st_mode & 0o777 == 0o644


def test_check_mode_predicts_and_changes_nothing(run: Run) -> None:
    assert make(run, check_mode=True)[0]
    assert not os.path.exists(run.file("report")) and not os.path.exists(run.file("report.tar.gz"))
    make(run)
    assert not make(run, check_mode=True)[0]
    Path(run.log("build")).write_text("more\n")
    before = tree(run.path)
    assert make(run, check_mode=True)[0]
    assert tree(run.path) == before


def test_links_pipes_and_names(run: Run, tmp_path: Path) -> None:
    logs = Path(run.path, "logs")
    (tmp_path / "outside").write_text("precious")
    (logs / "link.log").symlink_to(tmp_path / "outside")
    (logs / "folder").symlink_to(tmp_path)
    os.mkfifo(logs / "pipe.log")
    (logs / "services/te1").mkdir(parents=True)
    (logs / "services/te1/syslog.log").write_text("hello\n")
    (logs / "a b<\x1b>.log").write_text("odd\n")
    os.symlink(tmp_path / "outside", run.file("bundle.json"))
    os.symlink(tmp_path, run.file("results"))
    write_record(run, "system_test", started=3)
    index = make(run)[1]
    reasons = {note["path"]: note["reason"] for note in index["left_out"]}
    assert reasons.pop("results").startswith("not a folder")
    assert reasons == {
        "logs/link.log": "a link", "logs/folder": "a link", "logs/pipe.log": "not a regular file",
        "bundle.json": "not a regular file",
    }  # fmt: skip
    assert {(log["path"], log["stage"]) for log in index["logs"]} == {
        ("logs/build.log", "build"), ("logs/a_b___.log", "a b<\x1b>"),
        ("logs/services/te1/syslog.log", "system_test"),
    }  # fmt: skip
    assert not [name for name, data in tree(run.file("report")).items() if b"precious" in data]


def test_broken_records_and_results_are_named(run: Run) -> None:
    Path(run.path, "stages/bad.json").write_text("{")
    os.makedirs(run.file("results"))
    Path(run.path, "results/bad.xml").write_text("<!DOCTYPE x><testsuite/>")
    index = make(run)[1]
    assert [note["path"] for note in index["left_out"]] == ["bad.json", "results/bad.xml"]
    assert [stage["name"] for stage in index["stages"]] == ["build"]


def test_all_logs_share_the_room(run: Run) -> None:
    for name in "abcd":
        Path(run.path, "logs", f"{name}.log").write_bytes(b"\xff line\n" * 40_000)
    index = make(run, limits=Limits(log=200_000, total=400_000))[1]
    assert sum(log["kept_bytes"] for log in index["logs"]) <= 400_000
    by_path = {log["path"]: log for log in index["logs"]}
    assert not by_path["logs/build.log"]["cut"]
    assert all(
        by_path[f"logs/{name}.log"]["kept_bytes"] > 80_000 and by_path[f"logs/{name}.log"]["cut"]
        for name in "abcd"
    )


def test_a_full_disk_leaves_the_older_report(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    make(run)
    Path(run.log("build")).write_text("more\n")
    before = {name: data for name, data in tree(run.path).items() if name.startswith("report")}

    def full(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    for place in ("pack", "put"):
        with monkeypatch.context() as patched:
            patched.setattr(_place, place, full)
            with pytest.raises(OSError, match="No space"):
                make(run)
        after = {name: data for name, data in tree(run.path).items() if name.startswith((".", "report"))}
        assert after == before


def test_without_exchange_the_older_one_comes_back(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_place, "_exchanged", lambda one, other: False)
    make(run)
    Path(run.log("build")).write_text("more\n")
    assert make(run)[0]
    assert tree(run.file("report"))["logs/build.log"] == b"more\n"
    os.rename(run.file("report"), run.file(".report-old"))  # as a kill between two renames leaves it
    _place.tidy(run.path)
    assert tree(run.file("report"))["logs/build.log"] == b"more\n"


PROGRAM = """
import sys
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._runs._log import Limits
from ansible_collections.distrogate.ci.plugins.module_utils._runs._report import make_report
print("ready", flush=True)
make_report(Run(sys.argv[1]), ["hunter2-long"], Limits(), False)
"""


def kill_in_the_middle(run: Run, seconds: float) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", PROGRAM, run.path]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"ready\n"
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("part", range(8))
def test_a_kill_leaves_one_report_or_the_other(run: Run, part: int) -> None:
    log = Path(run.log("build"))
    log.write_bytes(b"old line\n" * 1000)
    make(run)
    log.write_bytes(b"new line\n" * 400_000)
    kill_in_the_middle(run, 0.02 + part * 0.04)
    shown = tree(run.file("report"))["logs/build.log"].split(b"\n")
    assert (len(shown), shown[0]) in ((1001, b"old line"), (400_001, b"new line"))
    with tarfile.open(run.file("report.tar.gz")) as archive:
        assert archive.getmember("check-1/logs/build.log").size in (9000, 3_600_000)
    make(run)
    assert len(tree(run.file("report"))["logs/build.log"]) == 3_600_000
    assert not [name for name in os.listdir(run.path) if name.startswith(".")]
