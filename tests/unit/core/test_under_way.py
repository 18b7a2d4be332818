# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two never work on a stage; what a dead controller left is ended; a stage ends with its controller."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _process, _under_way
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import Stage, Terms, stage_record

LATE = 30.0


@pytest.fixture
def run(tmp_path: pathlib.Path) -> Run:
    made = Run(str(tmp_path / "run"))
    made.create({"queue": [1]})
    return made


@contextlib.contextmanager
def sleeper() -> t.Iterator[dict[str, t.Any]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        yield _process.identity(process.pid)
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def forked(work: t.Callable[[], None]) -> t.Iterator[int]:
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            work()
        os._exit(1)
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def until(condition: t.Callable[[], bool]) -> None:
    end = time.monotonic() + LATE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_process_is_never_another_one() -> None:
    mine = _process.identity(os.getpid())
    assert _process.alive(mine) and _process.here(mine)
    assert not _process.alive({**mine, "start_ticks": mine["start_ticks"] + 1})
    assert not _process.alive({**mine, "world": "another boot"}) and not _process.here({"world": "x"})
    assert not _process.alive(None) and not _process.here(None)
    assert not _process.alive({**mine, "pid": "1"}) and not _process.alive({**mine, "start_ticks": None})


def test_ended_with_what_it_started() -> None:
    code = "import subprocess, time, sys; p = subprocess.Popen(['sleep', '600'], start_new_session=True);"
    code += "import signal; signal.signal(15, signal.SIG_IGN); print(p.pid, flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        below = _process.identity(int(process.stdout.readline()))
        assert _process.end(_process.identity(process.pid), seconds=0.2) or process.poll() is not None
        until(lambda: not _process.alive(below))


def test_busy_while_its_controller_lives(run: Run) -> None:
    with sleeper() as other, sleeper() as me:
        _under_way.begin(run, "build", {"controller": other}, alone=False)
        with pytest.raises(DistrogateError, match=f"process {other['pid']}") as caught:
            _under_way.begin(run, "build", {"controller": me}, alone=False)
        assert caught.value.reason == "stage_busy"
        _under_way.begin(run, "build", {"controller": other}, alone=False)  # its own second try
    with sleeper() as me:  # the controller has ended
        _under_way.begin(run, "build", {"controller": me}, alone=False)


def test_what_a_dead_controller_left_is_ended(run: Run) -> None:
    with sleeper() as gone:
        pass
    me = _process.identity(os.getpid())

    def work() -> None:
        _under_way.begin(run, "build", {"controller": gone}, alone=True)
        time.sleep(600)

    with forked(work) as child:
        until(lambda: _under_way.note(run, "build") is not None)
        _under_way.begin(run, "build", {"controller": me}, alone=True)
        until(lambda: os.waitpid(child, os.WNOHANG)[0] == child)
    note = _under_way.note(run, "build")
    assert note is not None and note["process"]["pid"] == os.getpid()


def test_a_stage_ends_with_its_controller(run: Run) -> None:
    with sleeper() as controller:

        def work() -> None:
            with stage_record(Stage(run, "build", Terms(controller=controller)), {}):
                subprocess.run(["sleep", "600"], check=False, start_new_session=True)

        with forked(work) as child:
            until(lambda: _under_way.note(run, "build") is not None)
            os.kill(controller["pid"], signal.SIGKILL)
            until(lambda: os.waitpid(child, os.WNOHANG)[0] == child)
    assert run.stage("build") is None and _under_way.names(run) == ["build"]


def test_a_stage_ends_when_nobody_on_another_host_listens(
    run: Run, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_under_way, "SILENCE", 0.5)
    far = {**_process.identity(os.getpid()), "world": "another host"}
    terms = Terms(controller=far, progress_file=str(tmp_path / "progress"))

    def work() -> None:
        with stage_record(Stage(run, "build", terms), {}):
            time.sleep(600)

    with forked(work) as child:
        until(lambda: os.waitpid(child, os.WNOHANG)[0] == child)


def test_nobody_is_asked_for_without_a_controller(run: Run) -> None:
    with stage_record(Stage(run, "build"), {}):
        pass
    assert _under_way.names(run) == []


def test_stopped(run: Run) -> None:
    me = _process.identity(os.getpid())

    def work() -> None:
        with stage_record(Stage(run, "build", Terms(controller=me)), {}):
            time.sleep(600)

    with forked(work) as child:
        until(lambda: _under_way.note(run, "build") is not None)
        _under_way.stop(run, "build")
        until(lambda: os.waitpid(child, os.WNOHANG)[0] == child)
    _under_way.stop(run, "lint")  # that nobody began
