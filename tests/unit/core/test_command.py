# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running programs: bounded, logged, ended as a group."""

from __future__ import annotations

import pathlib
import time

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.unit.core.people import gone


def refused(argv: list[str], **options: object) -> DistrogateError:
    with pytest.raises(DistrogateError) as caught:
        _command.run(argv, **options)  # type: ignore[arg-type]
    return caught.value


def test_timeout_ends_the_group(tmp_path: pathlib.Path) -> None:
    script = f"sleep 600 & echo $! >{tmp_path}/pid; wait"
    started = time.monotonic()
    error = refused(["sh", "-c", script], timeout=0.5, log=str(tmp_path / "log"))
    assert (error.reason, error.details["log"]) == ("command_timeout", str(tmp_path / "log"))
    assert error.message == "sh did not end within 0.5 s and was killed."
    assert gone(int((tmp_path / "pid").read_text())) and time.monotonic() - started < 120


def test_logs_are_appended_to(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "log"
    _command.run(["sh", "-c", "echo out; echo err >&2"], log=str(log))
    done = _command.run(["sh", "-c", "echo quiet"], log=str(log), announce=False)
    assert log.read_text() == "$ sh -c echo out; echo err >&2\nout\nerr\nquiet\n"
    assert done.stdout.endswith(b"quiet\n") and done.stderr == b""


def test_failure_shows_the_end(tmp_path: pathlib.Path) -> None:
    error = refused(["sh", "-c", "seq 100 >&2; exit 3"])
    assert (error.reason, error.details["status"]) == ("command_failed", 3)
    assert error.message.startswith("sh ended with status 3:\n81\n") and error.message.endswith("100")
    assert _command.run(["sh", "-c", "exit 3"], check=False).status == 3


def test_what_cannot_start(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    assert refused(["distrogate-no-such-program"]).reason == "missing_tool"
    error = refused(["true"], directory=str(tmp_path / "missing"))
    assert error.reason == "no_folder" and "missing" in error.message
    assert refused([str(tmp_path / "file")]).reason == "command_failed"
    assert refused(["echo", "a\0b"]).reason == "command_failed"
    assert refused(["echo", "x" * (1 << 20)]).reason == "command_failed"


def test_the_environment_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "example")
    text = _command.run(["env"]).text
    assert "SECRET" not in text and "LC_ALL=C.UTF-8" in text
    assert "A=b" in _command.run(["env"], environment=_command.base_environment(A="b")).text


def test_input(tmp_path: pathlib.Path) -> None:
    assert _command.run(["cat"], stdin=b"x" * 1_000_000).stdout == b"x" * 1_000_000
    (tmp_path / "file").write_text("file")
    with open(tmp_path / "file", "rb") as stream:
        assert _command.run(["cat"], stdin=stream).text == "file"


def test_tail(tmp_path: pathlib.Path) -> None:
    (tmp_path / "log").write_bytes(b"a" * 100 + b"b" * 10)
    assert _command.tail_of(str(tmp_path / "log"), size=11) == b"a" + b"b" * 10
