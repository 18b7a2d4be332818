# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A build that prints without end, or fills its memory file system, fills neither disk nor memory."""

from __future__ import annotations

import os
import pathlib
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._images import _place_limits, _place_log

if t.TYPE_CHECKING:
    from conftest import Output


def test_the_beginning_and_the_end_stay(tmp_path: pathlib.Path, monkeypatch: t.Any) -> None:
    for name, value in (("MOST", 3000), ("HEAD", 1000), ("TAIL", 500)):
        monkeypatch.setattr(_place_log, name, value)
    path = tmp_path / "log"
    path.write_text("before\n")
    cut = _place_log.Cut(str(path), 7)
    with open(path, "a") as stream:
        for number in range(1000):
            print(f"line {number}", file=stream, flush=True)
            if number in (10, 500, 800):
                cut.look()
    cut.look()
    text = path.read_text()
    assert len(text) < 2000 and text.startswith("before\nline 0\nline 1\n") and text.endswith("line 999\n")
    assert text.count("of its output were cut here") == 1 and f"{cut.gone} bytes" in text


def test_what_is_written_while_it_is_cut(tmp_path: pathlib.Path, monkeypatch: t.Any) -> None:
    for name, value in (("MOST", 3000), ("HEAD", 1000), ("TAIL", 500)):
        monkeypatch.setattr(_place_log, name, value)
    path = tmp_path / "log"
    path.write_text("line\n" * 1000)
    read, late = os.pread, ["the last word\n"]

    def pread(descriptor: int, count: int, offset: int) -> bytes:
        found = read(descriptor, count, offset)
        with open(path, "a") as stream:
            stream.write(late.pop() if late else "")
        return found

    monkeypatch.setattr(os, "pread", pread)
    _place_log.Cut(str(path), 0).look()
    assert path.read_text().endswith("line\nthe last word\n") and not late


def test_a_flood(output: Output, monkeypatch: t.Any) -> None:
    for name, value in (("MOST", 1 << 20), ("HEAD", 1 << 16), ("TAIL", 1 << 16)):
        monkeypatch.setattr(_place_log, name, value)
    monkeypatch.setattr(_place_limits, "_LOOK", 0.05)
    with output.place() as place:
        done = place.run(["sh", "-c", "echo first; yes | head -c 20000000; echo last"])
    assert os.path.getsize(output.log) < 3 << 20
    assert "\nfirst\n" in output.text() and "were cut here" in output.text() and done.tail(1) == "last"


def test_memory_that_looks_like_a_folder(output: Output) -> None:
    with output.place() as place:
        done = place.run(["df", "--output=size", "-k", "/dev/shm"])
    assert int(done.text.split()[-1]) == 256 << 10


def test_a_command_that_closes_its_output(output: Output) -> None:
    """It is waited for all the same, without a loop that keeps a processor busy."""
    before = time.process_time()
    with output.place() as place:
        place.run(["sh", "-c", "exec > /dev/null 2>&1; sleep 1.5; touch ended"])
        assert os.path.exists(os.path.join(place.directory, "ended"))
    assert time.process_time() - before < 1
