# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A console is a stranger's: control characters, lines without an end, floods, prompts that nobody reads."""

from __future__ import annotations

import pathlib
import re
import tracemalloc

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images import _console
from ansible_collections.distrogate.ci.plugins.module_utils._images._console import Console, Log, readable


@pytest.fixture
def log(tmp_path: pathlib.Path) -> Log:
    return Log(str(tmp_path / "log"))


def text(tmp_path: pathlib.Path) -> str:
    return (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"\x1b[0;32m  OK  \x1b[0m] up", "  OK  ] up"),
        (b"\x1b]0;title\x07a\x1b]2;other\x1b\\b", "ab"),
        (b"\x1b]52;c;without an end", ""),
        (b"\x1bc\x1b(Ba\x1b", "a"),
        (b"\x00a\x08\x7f\x1b[2J\x9b1mb\tc ", "a\ufffd1mb c"),
        (b"\xff\xfe\x80", "\ufffd" * 3),
        ("Grüße".encode(), "Grüße"),
    ],
)
def test_readable(data: bytes, shown: str) -> None:
    assert readable(data) == shown
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", readable(data))


def test_lines_in_pieces(log: Log, tmp_path: pathlib.Path) -> None:
    console = Console(log, wait_for="^is ready$")
    for byte in b"one\r\n\r\ntwo\rthree\nis rea":
        console.feed(bytes([byte]))
    assert console.last() == ["one", "two", "three", "is rea"]
    assert console.last(1, whole=True) == ["three"]
    assert not console.found
    console.feed(b"dy")
    assert console.found == "is ready"
    console.end()
    log.close()
    assert text(tmp_path) == "one\ntwo\nthree\nis ready\n"


@pytest.mark.parametrize(
    "line",
    [
        "[    1.2] Kernel panic - not syncing: Attempted to kill init!",
        "[    1.2] BUG: unable to handle page fault for address: 0",
        "[    1.2] Oops: 0000 [#1] PREEMPT SMP",
        "[    1.2] general protection fault, probably for non-canonical address 0x1: 0000 [#1]",
        "You are in emergency mode. After logging in, type",
        "Give root password for maintenance",
        "(initramfs) ",
        "grub rescue> ",
    ],
)
def test_a_machine_that_failed(log: Log, line: str) -> None:
    console = Console(log)
    console.feed(b"fine\n\x1b[1m" + line.encode())
    assert console.bad == line.strip()


@pytest.mark.parametrize(
    "line", ["Oops: I did it again", "app[9]: no kernel panic here", "type (initramfs) or", "0 failed"]
)
def test_a_machine_that_did_not(log: Log, line: str) -> None:
    console = Console(log)
    console.feed(line.encode() + b"\n")
    assert not console.bad


def test_a_prompt_is_the_end_of_what_was_said(log: Log) -> None:
    console = Console(log)
    console.feed(b"open http://x/ to login: now\n")
    assert not console.prompted
    console.feed(b"\r\nsample login: ")
    assert console.prompted and console.prompt(after=-1) == "sample login:"
    before = console.received
    assert not console.prompt(after=before)  # it is the old one
    console.feed(b"[   12.3] random: crng init done\r\n")
    assert not console.prompt(after=-1)
    console.feed(b"sample login: ")
    assert console.prompt(after=before)


def test_a_flood_is_kept_within_bounds(log: Log, tmp_path: pathlib.Path) -> None:
    console = Console(log)
    tracemalloc.start()
    console.feed(b"first\n")
    for _number in range(400):
        console.feed(b"\xff" * 40000 + b"x" * 25536)  # no line ends
    console.feed(b"\nlast\n")
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()
    console.end()
    log.close()
    found = text(tmp_path)
    assert found.startswith("first\n") and found.endswith("last\n")
    assert len(found) < (_console._HEAD + _console._TAIL) * 1.1
    assert re.search(r"^… \d{8} characters are left out here …$", found, re.MULTILINE)


def test_a_bad_pattern(log: Log) -> None:
    with pytest.raises(DistrogateError, check=lambda error: error.reason == "bad_pattern"):
        Console(log, wait_for="(")
