# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The log of touched paths: what was added is read back, and what is broken is an unknown position."""

from __future__ import annotations

import os
import pathlib
import signal
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _touched
from ansible_collections.distrogate.ci.plugins.module_utils._core._touched import (
    Note,
    Position,
    Touched,
    TouchLog,
)

SHA = "ab" * 32
RECORDS: list[Touched | Note] = [
    Touched(b"pool/n/nova.deb", SHA, 12, 1_700_000_000_123_456_789),
    Touched(b"a name\nwith \xff { bytes", "", 0, 0),
    Touched(b"{not a note}", SHA, 0, -1),
    Note({"packages": {"scope": "bookworm", "added": [["nova", "1é", "all"]], "removed": []}}),
]


@pytest.fixture
def log(tmp_path: pathlib.Path) -> TouchLog:
    return TouchLog(str(tmp_path))


def begun(log: TouchLog) -> Position:
    log.append([Touched(b"first")])
    position = log.position()
    assert position is not None
    return position


def since(log: TouchLog, position: Position) -> list[Touched | Note]:
    found = log.since(position)
    assert found is not None
    assert found[1] == log.position()
    return found[0]


def raw(log: TouchLog, data: bytes) -> None:
    with open(log.path, "ab") as stream:
        stream.write(data)


def test_what_was_added_is_read_back(log: TouchLog) -> None:
    assert log.position() is None
    position = begun(log)
    assert since(log, position) == []
    log.append(iter(RECORDS))
    assert since(log, position) == RECORDS
    middle = log.position()
    assert middle is not None
    log.append([Touched(b"more")])
    assert since(log, middle) == [Touched(b"more")]
    assert since(log, position) == [*RECORDS, Touched(b"more")]


def test_the_whole_log_can_be_read(log: TouchLog) -> None:
    position = begun(log)
    whole = log.since(Position(position.log, _touched._HEADER))
    assert whole == ([Touched(b"first")], position)


def test_nothing_to_add_leaves_no_log(log: TouchLog) -> None:
    log.append([])
    assert not os.path.exists(log.folder)


def test_others_can_read_it_whatever_the_umask(log: TouchLog) -> None:
    mask = os.umask(0o077)
    try:
        begun(log)
    finally:
        os.umask(mask)
    assert os.stat(log.path).st_mode & 0o777 == 0o644
    assert os.stat(log.folder).st_mode & 0o777 == 0o755


@pytest.mark.parametrize("torn", [b"x", b"- 0 0 half a pa", b'{"packages":', b"y" * 200_000])
def test_a_torn_tail_is_cut_off(log: TouchLog, torn: bytes) -> None:
    position = begun(log)
    raw(log, torn)
    assert log.position() == position
    assert log.since(position) == ([], position)
    log.append([Touched(b"next")])
    assert since(log, position) == [Touched(b"next")]


def test_a_torn_first_record(log: TouchLog) -> None:
    position = begun(log)
    os.truncate(log.path, position.offset - 1)
    assert log.position() == Position(position.log, _touched._HEADER)
    assert log.since(position) is None


@pytest.mark.parametrize(
    "broken",
    [
        b"\0",
        b"nonsense\0",
        b"- 1 2\0",
        b"- 1 2 \0",
        b"- 1 2 /etc/passwd\0",
        b"- 1 2 ../x\0",
        b"- 1 2 a/../../x\0",
        b"- 1 2 a//b\0",
        b"AB 1 2 a\0",
        SHA.upper().encode() + b" 1 2 a\0",
        b"- -1 2 a\0",
        b"- 1 " + b"9" * 30 + b" a\0",
        b"{\0",
        b"[1]\0",
        b'{"a":1,"a":2}\0',
        b'{"a":NaN}\0',
        b'{"a":' * 100_000 + b"\0",
    ],
)
def test_malformed_records_are_an_unknown_position(log: TouchLog, broken: bytes) -> None:
    position = begun(log)
    raw(log, broken)
    assert log.since(position) is None
    log.append([Touched(b"next")])
    assert log.since(position) is None
    after = log.position()
    assert after is not None
    log.append([Touched(b"later")])
    assert since(log, after) == [Touched(b"later")]  # what is broken lies behind


@pytest.mark.parametrize("header", [b"", b"distrogate-touched 1", b"\0" * 100, b"x" * 100, b"{}\n" * 40])
def test_another_file_is_no_log(log: TouchLog, header: bytes) -> None:
    position = begun(log)
    pathlib.Path(log.path).write_bytes(header)
    assert log.position() is None
    assert log.since(position) is None
    log.append([Touched(b"next")])
    new = log.position()
    assert new is not None
    assert new.log != position.log
    assert log.since(position) is None


@pytest.mark.parametrize("offset", [-1, 0, 1, _touched._HEADER - 1, _touched._HEADER + 3, 10**6])
def test_a_position_that_never_was(log: TouchLog, offset: int) -> None:
    assert log.since(Position(begun(log).log, offset)) is None


def test_a_position_within_a_record(log: TouchLog) -> None:
    """The rest of a name may look like a record."""
    position = begun(log)
    log.append([Touched(b"a - 0 0 b")])
    assert log.since(position._replace(offset=position.offset + len(b"- 0 0 a "))) is None


def test_a_log_that_is_gone_or_shorter(log: TouchLog) -> None:
    first = begun(log)
    log.append(RECORDS)
    later = log.position()
    assert later is not None
    os.truncate(log.path, first.offset)  # as from a backup
    assert log.since(later) is None
    os.unlink(log.path)
    assert log.since(first) is None
    assert log.position() is None


def test_a_link_in_its_place_is_not_followed(log: TouchLog, tmp_path: pathlib.Path) -> None:
    begun(log)
    other = tmp_path / "other"
    os.rename(log.path, other)
    os.symlink(other, log.path)
    before = other.read_bytes()
    assert log.position() is None
    log.append([Touched(b"next")])
    assert other.read_bytes() == before


def test_rotation(log: TouchLog, monkeypatch: pytest.MonkeyPatch) -> None:
    position = begun(log)
    monkeypatch.setattr(_touched, "_LIMIT", 500)
    log.append([Touched(b"x" * 600)])
    assert log.since(position) is None  # more than is read at once
    log.append([Touched(b"after")])
    new = log.position()
    assert new is not None
    assert new.log != position.log
    assert log.since(position) is None
    log.append([Touched(b"next")])
    assert since(log, new) == [Touched(b"next")]
    assert os.listdir(log.folder) == ["log"]


def test_what_a_killed_writer_left_of_a_new_log_is_written_over(log: TouchLog) -> None:
    begun(log)
    os.rename(log.path, f"{log.path}.new")
    position = begun(log)
    assert os.listdir(log.folder) == ["log"]
    assert log.since(Position(position.log, _touched._HEADER)) == ([Touched(b"first")], position)


def test_restart(log: TouchLog) -> None:
    position = begun(log)
    log.restart()
    assert log.since(position) is None
    assert log.position() is not None


@pytest.mark.parametrize("call", ["fdatasync", "ftruncate", "open"])
def test_a_log_that_cannot_be_written_goes(log: TouchLog, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    position = begun(log)

    def full(*_args: t.Any, **_more: t.Any) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        if call == "open":  # the folder cannot be synced either: that much is said
            with pytest.raises(OSError, match="No space"):
                log.append(RECORDS)
        else:
            log.append(RECORDS)
    assert not os.path.exists(log.path)
    assert log.since(position) is None
    log.append(RECORDS)
    assert log.since(position) is None


def test_killed_in_the_middle_of_an_append(log: TouchLog) -> None:
    """What was there before stays readable, whatever part of the rest arrived; the next one is whole."""
    position = begun(log)
    children = 0
    for pause in range(40):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                with open(writing, "wb", 0) as pipe:
                    log.append(_endless(pipe, pause))
            finally:
                os._exit(1)
        os.close(writing)
        with open(reading, "rb", 0) as pipe:
            assert pipe.read(1) == b"x"  # it is in the middle of writing now
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        children += log.position() != position
        found = log.since(position)
        assert found is not None
        assert all(isinstance(one, Touched) and set(one.path) == {ord("x")} for one in found[0])
        log.append([Touched(b"whole")])
        after = since(log, position)
        assert after[:-1] == found[0]
        assert after[-1] == Touched(b"whole")
        position = t.cast("Position", log.position())
    assert children > 10  # parts did arrive


def _endless(pipe: t.BinaryIO, pause: int) -> t.Iterator[Touched]:
    number = 0
    while True:
        number += 1
        if number == pause * 100 + 1:
            pipe.write(b"x")
        if number > pause * 100 + 1000:  # all of them together stay below the limit of a log, 64 MiB
            time.sleep(60)  # whoever kills it is late
        yield Touched(b"x" * (number % 250 + 1), SHA, number, number)
