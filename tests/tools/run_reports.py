# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports as the report stage leaves them, for the page: of runs that succeed, fail, and are cancelled."""

from __future__ import annotations

import datetime
import json
import typing as t
from pathlib import Path

Json = dict[str, t.Any]
BEGIN = datetime.datetime(2026, 11, 21, 3, 48, 52, tzinfo=datetime.timezone.utc)
PLANNED = ["workspace", "build", ["lint", "publish_test"], ["install_test", "system_test"], "seal"]
DIGEST = "sha256:" + "c1236ec2faeae09c" * 4


def at(seconds: float) -> str:
    """A time of the run."""
    text = (BEGIN + datetime.timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class Report:
    """A folder that grows by one stage and one log at a time; ``write`` makes the index."""

    def __init__(self, path: Path, **more: t.Any) -> None:
        self.path = path
        for name in ("stages", "logs", "results"):
            (path / name).mkdir(parents=True, exist_ok=True)
        self.index: Json = {
            "version": 1,
            "run_id": "check-1-1-20261121T034852-d5dd",
            "created": at(0),
            "replay": "ansible-playbook distrogate.ci.replay -e run=/srv/logs/check-1-1.tar.gz",
            "bundle": "",
            "stages": [],
            "logs": [],
            "masked": 0,
            **more,
        }
        self.frozen: Json = {
            "version": 1,
            "id": self.index["run_id"],
            "created": at(0),
            "pipeline": "check",
            "profile": "local",
            "stages": PLANNED,
            "queue": [
                {
                    "project": "hello",
                    "branch": "main",
                    "change_id": "1",
                    "patch_set": "1",
                    "ref": "refs/changes/01/1/1",
                    "commit": "b68ff983b00f6198015308990efee8891ff07816",
                    "subject": "Say in the news what is new",
                }
            ],
            "projects": {
                "hello": {
                    "branch": "main",
                    "base_commit": "69367ccc83471ecf87dc3eaacd7cae7ed397307c",
                    "base_tree": "5bc66001e75d21d24615580d9169fd052413809a",
                    "url": "https://git.example.org/hello.git",
                }
            },
            "images": {"bookworm": {"digest": DIGEST}},
            "tools": {"git": "git version 2.39.5", "python": "3.11.2"},
            "parameters": {"build_jobs": 4},
        }

    def stage(self, name: str, begin: float, seconds: float, verdict: str = "success", **more: t.Any) -> None:
        """A stage's record, and its line in the index."""
        record = {
            "version": 1,
            "stage": name,
            "verdict": verdict,
            "started": at(begin),
            "started_ns": int((BEGIN.timestamp() + begin) * 1e9),
            "seconds": seconds,
            "inputs": {},
            "artifacts": [],
            "facts": {},
            "logs": [],
            "message": "",
            "reason": "",
            **more,
        }
        (self.path / "stages" / f"{name.replace('/', '-')}.json").write_text(json.dumps(record))
        short = {key: record[key] for key in ("verdict", "seconds", "started", "message", "reason")}
        short |= {"name": name, "reused": more.get("reused", ""), "log": f"logs/{name}.log", "results": None}
        self.index["stages"].append({**short, **({"results": more["counts"]} if "counts" in more else {})})

    def log(self, path: str, lines: t.Iterable[str], stage: str = "", cut: str = "") -> None:
        """A log, and its line in the index."""
        where = self.path / path
        where.parent.mkdir(parents=True, exist_ok=True)
        many = 0
        with where.open("w", encoding="utf-8") as stream:
            for line in lines:
                stream.write(line + "\n")
                many += 1
        size = where.stat().st_size
        facts = {"path": path, "stage": stage or where.stem, "bytes": size, "kept_bytes": size}
        self.index["logs"].append({**facts, "lines": many, "cut": cut})

    def write(self) -> Path:
        (self.path / "run.json").write_text(json.dumps(self.frozen))
        (self.path / "index.json").write_text(json.dumps(self.index))
        return self.path


def artifact(name: str) -> Json:
    return {
        "type": "deb",
        "name": name,
        "path": f"artifacts/{name}",
        "sha256": "6e24368293efdeb991287fadc8ca737d0774ed9fc90df4dc0a53c7a1a72f7925",
        "size": 35108,
        "package_version": "2.10-3+dg2.1fa5e85",
        "origin": {"project": "hello"},
    }


def build_log(lines: int) -> t.Iterator[str]:
    yield "$ dpkg-buildpackage -us -uc"
    for number in range(lines):
        yield f"gcc -DHAVE_CONFIG_H -I. -g -O2 -Wall -c -o lib/part{number}.o ../lib/part{number}.c"


def success(path: Path) -> Path:
    """Everything went well, and two results were there before."""
    report = Report(path, bundle=DIGEST, masked=3)
    report.stage(
        "workspace",
        0,
        0.11,
        reused="this_run",
        inputs={"commits": ["b68ff983b00f6198015308990efee8891ff07816"]},
    )
    report.stage(
        "build",
        0.3,
        25.8,
        reused="check-1-1-20261120T101112-aaaa",
        artifacts=[artifact("hello_2.10-3_amd64.deb")],
    )
    report.stage("lint", 26.2, 2.0, counts={"tests": 3, "failures": 0, "errors": 0, "skipped": 1})
    report.stage("publish_test", 26.2, 3.9, artifacts=[artifact("hello_2.10-3_amd64.deb")])
    report.stage("install_test", 30.2, 4.2, reads={"hello_2.10-3_amd64.deb": "6e24368293efdeb9" * 4})
    report.stage("system_test", 30.2, 12.3, facts={"te": "te1", "fence": 3})
    report.stage("seal", 42.6, 0.6)
    for name in ("workspace", "lint", "publish_test", "install_test", "system_test"):
        report.log(f"logs/{name}.log", [f"$ {name}", "done"])
    report.log("logs/build.log", build_log(500))
    cases = '<testcase name="a" time="0.5"/><testcase name="b"/>'
    cases += '<testcase name="c"><skipped message="not here"/></testcase>'
    (path / "results/lint.xml").write_text(
        f'<testsuites><testsuite name="lint">{cases}</testsuite></testsuites>'
    )
    bundle = {"version": 1, "digest": DIGEST, "artifacts": [artifact("hello_2.10-3_amd64.deb")], "inputs": {}}
    (path / "bundle.json").write_text(json.dumps(bundle))
    return report.write()


JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="system" tests="3" failures="1" errors="1">
<testcase classname="hello" name="greets" time="0.2"/>
<testcase classname="hello" name="answers on te1" time="11.9">
<failure message="expected 200, got 503">Traceback:
  File "check.py", line 12, in answers
AssertionError: expected 200, got 503</failure></testcase>
<testcase classname="hello" name="ends"><error message="timed out"/></testcase>
</testsuite></testsuites>
"""


def failure(path: Path, lines: int = 500) -> Path:
    """The system test failed, and its sibling was cancelled."""
    report = Report(path)
    report.frozen["queue"].insert(
        0, {**report.frozen["queue"][0], "change_id": "7", "subject": "Add a thing ahead"}
    )
    report.stage("workspace", 0, 0.11)
    report.stage(
        "build",
        0.3,
        25.8,
        artifacts=[artifact("hello_2.10-3_amd64.deb")],
        inputs={"hello": "1fa5e85392816a0a29781e5b038b851b8901fc5a"},
    )
    report.stage("lint", 26.2, 2.0)
    report.stage("publish_test", 26.2, 3.9)
    report.stage(
        "install_test",
        30.2,
        11.9,
        "cancelled",
        cancelled_by="system_test",
        message="Cancelled, since system_test failed.",
    )
    why = "hello --self-test ended with status 1.\nThe log is /srv/runs/check-1/logs/system_test.log"
    counts = {"tests": 3, "failures": 1, "errors": 1, "skipped": 0}
    report.stage(
        "system_test",
        30.2,
        11.8,
        "failure",
        reason="test_failed",
        message=why,
        facts={"te": "te1"},
        counts=counts,
        results=["results/system_test.xml"],
    )
    (path / "results/system_test.xml").write_text(JUNIT)
    report.log("logs/workspace.log", ["$ git merge"])
    report.log("logs/build.log", build_log(lines))
    report.log("logs/install_test.log", ["$ apt-get install hello", "Reading package lists..."])
    said = [
        "$ systemctl start hello",
        "started",
        "$ hello --self-test",
        "asking http://127.0.0.1:8080/",
        "Traceback (most recent call last):",
    ]
    said += [
        '  File "/usr/bin/hello", line 12, in main',
        "    raise RuntimeError(answer)",
        "RuntimeError: expected 200, got 503",
    ]
    report.log("logs/system_test.log", said)
    report.log(
        "logs/services/te1/hello.service.log",
        [f"request {number}: status 503" for number in range(40)],
        "system_test",
        "the first 2 MiB were cut",
    )
    return report.write()


def killed(path: Path) -> Path:
    """Resumed after half a day; then its machine went away during the build."""
    report = Report(path / "report")
    (path / "run.json").write_text("{}")
    report.stage("workspace", -40000, 2.0)
    report.stage("lint", -39998, 5.0)
    report.stage("publish_test", 1, 4.0)
    report.log("logs/build.log", build_log(30))
    (path / "under_way").mkdir()
    began = {"version": 1, "stage": "build", "started_ns": int((BEGIN.timestamp() + 2) * 1e9)}
    (path / "under_way/build.json").write_text(json.dumps(began))
    return report.write()
