# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service logs: what is taken of a machine, and what a hostile one can do with the run directory."""

from __future__ import annotations

import base64
import json
import os
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._runs import _collect
from ansible_collections.distrogate.ci.plugins.module_utils._runs._collect import Collector
from ansible_collections.distrogate.ci.plugins.module_utils._runs._placing import Placing, unpack

LIMIT = 1 << 20


def collector(ago: float = 60, each: int = 1000, total: int = 5000, timeout: float = 20) -> Collector:
    return Collector(ago, each, total, timeout)


def taken(found: Collector) -> dict[str, bytes]:
    files, _left_out = unpack(found.packed(), LIMIT)
    return {os.path.basename(file["name"]): file["data"] for file in files}


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """A machine's log folder."""
    log = tmp_path / "var/log"
    (log / "app").mkdir(parents=True)
    (log / "app/one.log").write_text("one\n")
    (log / "long").write_text("x" * 5000 + "end")
    (log / "binary").write_bytes(b"\x00\x01")
    (log / "old").write_text("old\n")
    os.utime(log / "old", (time.time() - 3600,) * 2)
    (tmp_path / "outside").write_text("precious")
    (log / "link").symlink_to(tmp_path / "outside")
    (log / "folder").symlink_to(tmp_path)
    os.mkfifo(log / "pipe")
    return log


def test_logs_that_changed_are_taken(var: Path) -> None:
    found = collector()
    found.logs([f"{var}/**"])
    assert taken(found) == {"one.log": b"one\n", "long": b"x" * 997 + b"end"}
    assert [note["reason"] for note in found.left_out] == ["binary"]


def test_patterns(var: Path) -> None:
    for pattern, names in (
        ("*", {"long"}),
        ("app/*.log", {"one.log"}),
        ("**/*.log", {"one.log"}),
        ("l?g", set()),
        ("l?ng", {"long"}),
        ("long", {"long"}),
        ("no/such/**", set()),
    ):
        found = collector()
        found.logs([f"{var}/{pattern}"])
        assert set(taken(found)) == names, pattern


def test_bytes_files_and_time_are_bounded(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        (var / f"{number}.log").write_text("y" * 900)
    found = collector(total=3000)
    found.logs([f"{var}/**"])
    assert sum(map(len, taken(found).values())) <= 3000
    assert found.left_out[0]["reason"] == "the machine has more than is taken"
    late = collector(timeout=0)
    late.logs([f"{var}/**"])
    assert not taken(late)
    monkeypatch.setattr(_collect, "_LOOKED_AT", 5)
    few = collector()
    few.logs([f"{var}/**"])
    assert len(taken(few)) <= 5


def test_results_are_whole_or_not_taken(var: Path) -> None:
    (var / "good.xml").write_text("<testsuite/>")
    (var / "large.xml").write_text(" " * 3000)
    found = collector()
    found.results([f"{var}/*.xml"], 2000)
    assert taken(found) == {"good.xml": b"<testsuite/>"}
    assert found.left_out[0]["reason"] == "too large"


def test_the_end_of_what_a_program_prints() -> None:
    deadline = time.monotonic() + 60
    data, size = _collect._end_of(["seq", "100000"], 100, deadline)
    assert data.endswith(b"99999\n100000\n") and len(data) == 100 and size == 588_895
    began = time.monotonic()
    data, _size = _collect._end_of(["sh", "-c", "echo begun; exec sleep 60"], 100, began + 0.3)
    assert data == b"begun\n"


def packed(*files: dict[str, Any]) -> str:
    value = {"files": list(files), "left_out": []}
    return base64.b64encode(zlib.compress(json.dumps(value).encode())).decode()


def sent(name: str, data: bytes = b"text\n", kind: str = "log") -> dict[str, Any]:
    return {"name": name, "kind": kind, "size": len(data), "data": base64.b64encode(data).decode()}


def test_hostile_names_stay_below_their_host(run: Run) -> None:
    names = [
        "/var/log/app/one.log",
        "../../../x",
        "/",
        "",
        "..",
        "a\x00b\n",
        "-rf",
        "/var/log/x",
        "/var/log/x.log",
        "é" * 300,
    ]
    placing = Placing(run, "system_test", "../te1")
    placing.clear()
    placing.place(unpack(packed(*map(sent, names)), LIMIT)[0])
    folder = Path(run.path, "logs/services")
    [host] = folder.iterdir()
    assert host.name == "_._te1"
    assert len(list(host.iterdir())) == len(names) == len(set(placing.logs))
    assert {"app-one.log", "x.log", "x-2.log"} <= {path.name for path in host.iterdir()}
    assert sorted(os.listdir(run.path)) == sorted(
        ["run.json", "stages", "statements", "workspace", "artifacts", "repositories", "logs", "lease"]
    )


def test_results_are_written_anew(run: Run) -> None:
    good = b'<testsuite name="t"><testcase name="a"><failure>no</failure></testcase></testsuite>'
    evil = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite>&x;</testsuite>'
    placing = Placing(run, "system_test", "te1")
    placing.junit(good.decode())
    placing.place(
        unpack(packed(sent("/r/a.xml", good, "results"), sent("/r/b.xml", evil, "results")), LIMIT)[0]
    )
    assert placing.results == ["results/system_test-te1.xml", "results/system_test-te1-1.xml"]
    assert 'hostname="te1"' in Path(run.path, placing.results[1]).read_text()
    assert [note["path"] for note in placing.left_out] == ["/r/b.xml"]


def test_what_an_earlier_try_left_goes(run: Run, tmp_path: Path) -> None:
    first = Placing(run, "system_test", "te1")
    first.place(unpack(packed(sent("old")), LIMIT)[0])
    first.clear()
    folder = Path(run.path, "logs/services/te1")
    assert not folder.exists()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/precious").write_text("x")
    folder.symlink_to(tmp_path / "elsewhere")
    first.clear()
    assert (tmp_path / "elsewhere/precious").exists() and not folder.is_symlink()


@pytest.mark.parametrize(
    "received",
    [
        "",
        "!",
        base64.b64encode(b"x").decode(),
        base64.b64encode(zlib.compress(b"[]")).decode(),
        base64.b64encode(zlib.compress(b'{"files": [{}], "left_out": []}')).decode(),
        base64.b64encode(zlib.compress(b'{"files": 3, "left_out": []}')).decode(),
        base64.b64encode(zlib.compress(b" " * (8 << 20))).decode(),
        packed({**sent("a"), "size": "much"}),
        packed({**sent("a"), "size": float("inf")}),
    ],
)
def test_a_machine_that_sends_something_else(received: str) -> None:
    with pytest.raises(DistrogateError) as caught:
        unpack(received, LIMIT)
    assert caught.value.reason == "bad_logs"
