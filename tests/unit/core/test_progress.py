# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a long module says: one record, seldom written, read by those who trust nobody."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _progress
from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import Progress
from ansible_collections.distrogate.ci.tests.unit.core.people import gone


def read(path: pathlib.Path) -> str:
    record = _progress.read_record(path.read_text())
    assert record is not None
    return _progress.sentence(record)


def test_it_is_written_seldom_and_at_the_end(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, written = [100.0], []
    monkeypatch.setattr(_progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(_progress, "write_atomic", lambda path, data, **options: written.append(data))
    with Progress(str(tmp_path / "file")) as progress:
        for number in range(1000):
            now[0] = 100 + number / 1000
            progress.say("sending", done=number)
    assert [json.loads(data)["done"] for data in written] == [0, 500, 999]


def test_what_a_person_reads(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "file"
    for arguments, shown in (
        ({}, "sending"),
        ({"done": 5}, "sending: 5"),
        ({"done": 1200, "total": 4000}, "sending: 1,200 of 4,000 (30 %)"),
        ({"done": 5, "total": 0}, "sending: 5"),
        ({"done": 9, "total": 3}, "sending: 9 of 3 (100 %)"),
        (
            {"done": 5 << 20, "total": 3 << 30, "unit": "bytes"},
            "sending: 5.0 MiB of 3.0 GiB (0 %)",
        ),
    ):
        with Progress(str(path)) as progress:
            progress.say("sending", **arguments)  # type: ignore[arg-type]
        assert read(path) == shown
    assert path.stat().st_mode & 0o777 == 0o600 and os.listdir(tmp_path) == ["file"]


def test_secrets_and_terminals(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "file"
    with Progress(str(path), ["", "secret", "secret sauce"]) as progress:
        progress.say("a secret sauce \x1b[2J\u202e\n" + "é" * 5000)
    assert len(path.read_bytes()) < _progress.LIMIT
    shown = read(path)
    assert shown.startswith("a ******** ?[2J??éé") and shown.endswith("é…") and len(shown) == 300


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[1]",
        '{"text": "no mark"}',
        '{"distrogate_progress": 1}',
        '{"distrogate_progress": 1, "text": 5}',
        '{"distrogate_progress": 1, "text": "' + "x" * 5000 + '"}',
        '"distrogate_progress"' + "[" * 3000,
    ],
)
def test_what_is_no_record(line: str) -> None:
    assert _progress.read_record(line) is None


def test_numbers_of_a_liar() -> None:
    for number in (True, -1, 1.5, "9", 1 << 80, None):
        assert _progress.sentence({"text": "a\x07", "done": number, "total": 3}) == "a?"


def test_nobody_to_tell(tmp_path: pathlib.Path) -> None:
    with Progress(None) as progress:
        progress.say("nobody hears it")
    with Progress(str(tmp_path / "missing" / "file")) as progress:
        progress.say("nobody can hear it")
        progress.flush()
    assert os.listdir(tmp_path) == []


def test_in_a_thread(tmp_path: pathlib.Path) -> None:
    def work() -> None:
        with Progress(str(tmp_path / "file")) as progress:
            progress.say("said")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert read(tmp_path / "file") == "said"


_MODULE = """
import sys
from ansible_collections.distrogate.ci.plugins.module_utils._core._command import run
from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import Progress
with Progress(None):
    run(["sh", "-c", "setsid sh -c 'sleep 600 & echo $$ $!; wait' >/dev/fd/$1 & wait", "sh", sys.argv[1]],
        pass_fds=[int(sys.argv[1])])
"""


def test_sigterm_ends_all_that_was_started() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Progress(None):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
    reader, writer = os.pipe()
    argv = [sys.executable, "-c", _MODULE, str(writer)]
    with subprocess.Popen(argv, pass_fds=[writer]) as module:
        os.close(writer)
        with open(reader) as lines:
            numbers = [int(word) for word in lines.readline().split()]
            module.send_signal(signal.SIGTERM)
            assert lines.read() == ""  # nobody is left who could write
        assert module.wait() == -signal.SIGTERM
    assert len(numbers) == 2 and all(gone(number) for number in numbers)
