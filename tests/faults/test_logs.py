# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A log of 1 GiB in one line, and reports that are killed at any moment."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run

MIB = 1 << 20
PROGRAM = """
import resource, sys
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._runs._log import Limits
from ansible_collections.distrogate.ci.plugins.module_utils._runs._report import make_report
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print("ready", flush=True)
make_report(Run(sys.argv[1]), ["hunter2-long"], Limits(), False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, flush=True)
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run(str(tmp_path / "run"))
    made.create({"id": "check-1", "queue": []})
    return made


def start(run: Run) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, run.path], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stdout.readline() == "ready\n"
    return process


@pytest.mark.faults
@pytest.mark.parametrize(
    "unit",
    [b"x", b"\xff", b"\x1b[31m</script>", b"hunter2-long "],
    ids=["letters", "not UTF-8", "colours", "secrets"],
)
def test_a_gib_in_one_line(run: Run, unit: bytes) -> None:
    """It takes a few MiB of memory, and what is shown is safe and small."""
    block = unit * (MIB // len(unit))
    with open(run.log("build"), "wb") as log:
        for _number in range(1024):
            log.write(block)
    process = start(run)
    said, _nothing = process.communicate()
    assert process.returncode == 0
    assert int(said) < 12 * 1024, f"{said.strip()} KiB more than before"
    shown = Path(run.file("report/logs/build.log")).read_bytes()
    assert len(shown) <= 64 * MIB
    assert not [code for code in (b"\x1b", b"\0", b"hunter2") if code in shown]
    assert max(map(len, shown.decode().split("\n"))) < 4100
    [entry] = json.loads(Path(run.file("report/index.json")).read_text())["logs"]
    assert entry["bytes"] == len(block) * 1024 and entry["cut"]
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 100 * 1024


@pytest.mark.faults
def test_killed_at_any_moment(run: Run) -> None:
    """A hundred times: the older report or the new one is there, and the archive is whole."""
    log, seed = Path(run.log("build")), random.randrange(1 << 32)
    print("seed", seed)
    moments = random.Random(seed)
    log.write_bytes(b"line 0\n" * 50_000)
    assert start(run).wait() == 0
    sizes = {50_000 * 7}
    for number in range(1, 101):
        size = 50_000 + number
        log.write_bytes(b"line 0\n" * size)
        sizes.add(size * 7)
        process = start(run)
        time.sleep(moments.uniform(0, 0.12))
        process.kill()
        process.wait()
        assert Path(run.file("report/logs/build.log")).stat().st_size in sizes
        with tarfile.open(run.file("report.tar.gz")) as archive:
            assert archive.getmember("check-1/logs/build.log").size in sizes
            assert archive.getmember("check-1/index.html").size > 0
    assert start(run).wait() == 0
    assert Path(run.file("report/logs/build.log")).stat().st_size == 50_100 * 7
    assert not [name for name in os.listdir(run.path) if name.startswith(".")]
