# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A second publisher says whom it waits for; what a killed one held is free at once."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.faults.errors import told
from ansible_collections.distrogate.ci.tests.faults.repositories import Repository
from ansible_collections.distrogate.ci.tests.faults.run import argv, finish, start

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
_LATE = 60  # seconds until a test gives up; nothing is measured


class Stopped:
    """A publisher that stands still at a rename, with the lock in its hands."""

    def __init__(self, process: subprocess.Popen[str], pid: int) -> None:
        self.process, self.pid = process, pid

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        finish(self.process)


@pytest.fixture
def stopped(repository: Repository, tmp_path: pathlib.Path) -> t.Iterator[t.Callable[[int], Stopped]]:
    """Begin ``add``, and stop it at its N-th rename."""
    publishers: list[Stopped] = []

    def begin(number: int) -> Stopped:
        repository.reset("add")
        log = tmp_path / "log"
        tracer = ("strace", "-f", "-q", "-o", str(log), "-e", "trace=rename")
        tracer += ("-e", f"inject=rename:signal=STOP:when={number}")
        process = start([*tracer, *argv(repository.module, repository.arguments(), tmp_path)])
        pattern = re.compile(r"^([0-9]+) +--- stopped by SIGSTOP ---", re.MULTILINE)
        end = time.monotonic() + _LATE
        while not (match := pattern.search(log.read_text() if log.exists() else "")):
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.02)
        publishers.append(Stopped(process, int(match[1])))
        return publishers[-1]

    yield begin
    for publisher in publishers:
        if publisher.process.poll() is None:
            publisher.kill()


def last_rename(repository: Repository) -> int:
    return max(case.number for case in repository.cases("add") if case.call == "rename")


def waits(process: subprocess.Popen[str], lock: pathlib.Path) -> bool:
    """Whether a process has the lock's file open."""
    folder = pathlib.Path(f"/proc/{process.pid}/fd")
    try:
        return any(os.path.realpath(link) == str(lock) for link in folder.iterdir())
    except OSError:
        return False


def test_a_waiter_says_who_holds_the_lock(repository: Repository, stopped: t.Any) -> None:
    publisher = stopped(2)
    repository.options["timeout"] = 1
    done = repository.run()
    told(done)
    assert done.result["reason"] == "lock_timeout"
    assert f"process {publisher.pid} on {socket.gethostname()} since 20" in done.result["msg"]
    assert "waited 1 s" in done.result["msg"]
    assert done.result["holder"]["pid"] == publisher.pid
    assert re.fullmatch(r"20..-..-..T..:..:..(\+00:00|Z)", done.result["holder"]["since"])
    os.kill(publisher.pid, signal.SIGCONT)
    assert finish(publisher.process).status == 0
    assert repository.look() == repository.after


@pytest.mark.parametrize("late", [False, True])
def test_what_the_killed_one_held_is_free_at_once(repository: Repository, stopped: t.Any, late: bool) -> None:
    number = last_rename(repository) if late else 2
    stopped(number).kill()
    assert repository.look() in (repository.before, repository.after)
    repository.options["timeout"] = 0  # no waiting at all
    repository.call()
    assert repository.look() == repository.after
    repository.at_rest()


def test_the_waiter_goes_on_when_the_holder_is_killed(repository: Repository, stopped: t.Any) -> None:
    publisher = stopped(2)
    options = {**repository.arguments(), "timeout": _LATE}
    waiter = start(argv(repository.module, options, repository.folder))
    end = time.monotonic() + _LATE
    while not waits(waiter, repository.root / ".distrogate" / "lock"):
        assert time.monotonic() < end and waiter.poll() is None
        time.sleep(0.02)
    publisher.kill()
    done = finish(waiter)
    assert done.status == 0, str(done)
    assert repository.look() == repository.after
