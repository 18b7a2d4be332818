# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A log's copy: its head and tail, what was cut, and how much memory that takes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.distrogate.ci.plugins.module_utils._runs import _log
from ansible_collections.distrogate.ci.plugins.module_utils._runs._log import Kept, Limits, copy_log
from ansible_collections.distrogate.ci.plugins.module_utils._runs._masks import MASK, Masks

PEM = (
    b"-----BEGIN RSA PRIVATE KEY-----\n"
    + b"MIIEowIBAAKCAQEA7MIIEowIBAAKC\n" * 40
    + b"-----END RSA PRIVATE KEY-----\n"
)


def copy(folder: Path, data: bytes, room: int = 1 << 26, secrets: tuple[str, ...] = ()) -> tuple[Kept, str]:
    source, target = folder / "source", folder / "target"
    source.write_bytes(data)
    target.unlink(missing_ok=True)
    descriptor = os.open(source, os.O_RDONLY)
    kept = copy_log(descriptor, str(target), Masks(secrets), Limits(), room)
    os.close(descriptor)
    text = target.read_bytes().decode()  # always UTF-8
    assert kept.kept == target.stat().st_size <= room
    assert kept.lines == text.count("\n")
    assert sorted(os.listdir(folder)) == ["source", "target"]
    return kept, text


def test_a_short_log_is_whole(tmp_path: Path) -> None:
    kept, text = copy(tmp_path, b"one\ntwo")
    assert (text, kept) == ("one\ntwo\n", Kept(7, 8, 2, ""))
    assert copy(tmp_path, b"")[0] == Kept(0, 0, 0, "")


def test_a_long_log_has_head_and_tail(tmp_path: Path) -> None:
    data = b"".join(b"line %06d\n" % number for number in range(100_000))
    kept, text = copy(tmp_path, data, 200_000)
    assert text.startswith("line 000000\n") and text.endswith("line 099999\n")
    cut = re.search(r"\n… (\d+) bytes \((\d+) lines\) were cut here …\n", text)
    assert cut
    assert text.count("line ") + int(cut[2]) == 100_000
    assert int(cut[1]) + text.count("line ") * 12 == len(data)
    assert kept.cut == f"{cut[1]} bytes ({cut[2]} lines) were cut: the log has {len(data)} bytes."
    assert kept.kept > 150_000


def test_a_secret_at_a_cut_is_not_shown_in_part(tmp_path: Path) -> None:
    for shift in range(0, 18, 3):
        data = b"." * shift + b"hunter2-long-secret " * 50_000
        _kept, text = copy(tmp_path, data, 100_000, ("hunter2-long-secret",))
        assert not re.search("hunter|2-long|secret", text)


def test_a_secret_where_the_head_stops_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of what is read is not shown: the beginning of a line that never ends."""
    monkeypatch.setattr(_log, "_FAR", 500_000)
    for shift in range(12):
        data = b"." * shift + b"hunter2-long " * 200_000
        kept, text = copy(tmp_path, data, 100_000, ("hunter2-long",))
        assert not re.search("hunter|2-l|long ", text), shift
        assert re.search(r"\n… \d+ bytes \(\d+ lines\) were cut here …\n", text) and kept.cut


def test_a_key_that_lies_over_a_cut_is_masked(tmp_path: Path) -> None:
    for before in range(0, len(PEM), 300):
        tail = b"last\n" * 9000 + b"x" * before
        data = b"first\n" * 200_000 + PEM + tail
        text = copy(tmp_path, data, 100_000)[1]
        assert "MIIE" not in text


@pytest.mark.parametrize(
    "unit", [b"x", b"\x00", b"\xff", b"\xe2\x80\xae", b"\r1 %", b"\x1b[31m", b"hunter2-long"]
)
def test_one_line_of_many_mib(tmp_path: Path, unit: bytes) -> None:
    """With much less memory, and less kept than asked for."""
    size = (64 if len(unit) == 1 else 8) << 20
    data = unit * (size // len(unit))
    (tmp_path / "first").mkdir()
    copy(tmp_path / "first", b"x", 1 << 20)
    tracemalloc.start()
    try:
        source, target = tmp_path / "source", tmp_path / "target"
        source.write_bytes(data)
        del data
        tracemalloc.reset_peak()
        descriptor = os.open(source, os.O_RDONLY)
        kept = copy_log(descriptor, str(target), Masks(["hunter2-long"]), Limits(), 1 << 20)
        os.close(descriptor)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 << 20, f"{peak >> 20} MiB"
    assert kept.kept <= 1 << 20 and bool(kept.cut) == (len(unit) in (1, 3))
    assert b"hunter2-long" not in target.read_bytes()
    assert max(map(len, target.read_text().split("\n"))) < 4100


@settings(max_examples=60)
@given(st.binary(max_size=400), st.integers(1, 400), st.integers(400, 3000))
def test_never_more_than_there_is_room_for(
    tmp_path_factory: pytest.TempPathFactory, unit: bytes, times: int, room: int
) -> None:
    folder = tmp_path_factory.mktemp("log")
    kept, text = copy(folder, unit * times, room, ("hunter2-long",))
    assert kept.size == len(unit) * times
    assert kept.cut or "were cut here" not in text


def test_peak_of_a_process(tmp_path: Path) -> None:
    """A sparse log of 1 GiB in a process with 200 MiB of address space."""
    with open(tmp_path / "log", "wb") as stream:
        stream.truncate(1 << 30)
    program = (
        "import os, resource, sys\n"
        "from ansible_collections.distrogate.ci.plugins.module_utils._runs._log import *\n"
        "resource.setrlimit(resource.RLIMIT_AS, (200 << 20, 200 << 20))\n"
        "source, target = os.open(sys.argv[1], 0), sys.argv[1] + '.out'\n"
        "kept = copy_log(source, target, Masks(), Limits(), 1 << 20)\n"
        "print(kept.cut)\n"
    )
    argv = [sys.executable, "-c", program, str(tmp_path / "log")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    assert "the log has 1073741824 bytes" in done.stdout, done.stderr
    assert MASK not in done.stdout
