# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keeper with real playbooks: it lives as long as they do, and stops them when the lease is lost."""

from __future__ import annotations

import contextlib
import itertools
import os
import pathlib
import signal
import subprocess
import sys
import threading
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_process import (
    Process,
    look,
    opened,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_start import start_keeper
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_stop import stop_playbook

from .keeping import Kept, Play, running, until

_NUMBERS = itertools.count()


@pytest.fixture
def nap() -> t.Iterator[str]:
    """A length of sleep that no other test has; whoever sleeps so long is ended with the test."""
    length = f"300.{os.getpid()}{next(_NUMBERS)}"
    yield length
    for pid in running(f"sleep {length}"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _sleep(seconds: object) -> str:
    return f"""
    - block:
        - ansible.builtin.command: sleep {seconds}
      rescue:
        - ansible.builtin.debug: msg=RESCUED
      always:
        - ansible.builtin.debug: msg=ALWAYS
"""


def _begun(kept: Kept, words: str) -> int:
    pid = until(kept.keepers, "the keeper")[0]
    until(lambda: running(words), words)
    return int(pid)


@pytest.mark.parametrize("options", [["-f", "1"], ["-f", "3", "-i", "h1,h2,h3,"]], ids=["one", "three"])
def test_a_lost_lease_stops_the_playbook(tmp_path: pathlib.Path, options: list[str], nap: str) -> None:
    kept = Kept(tmp_path, ttl=6)
    with Play(kept, _sleep(nap), *options) as play:
        _begun(kept, f"sleep {nap}")
        kept.end()
        assert play.wait() == 99
    text = play.text()
    for words in ("LEASE LOST: lease l1 on TE te1 (fence 7) of pool p", "has ended", "User interrupted"):
        assert words in text
    assert "TASK [ansible.builtin.command]" in text  # Nothing was written over.
    assert "RESCUED" not in text and "ALWAYS" not in text and "RECAP" not in text
    until(lambda: not running(f"sleep {nap}"), "the end of what was started")
    assert "LEASE LOST" in kept.logged() and "ends: lost" in kept.logged()


def test_a_pipe_gets_the_message_and_its_end(tmp_path: pathlib.Path, nap: str) -> None:
    kept = Kept(tmp_path, ttl=6)
    reading, writing = os.pipe()
    with Play(kept, _sleep(nap), output=writing) as play, os.fdopen(reading, "rb") as stream:
        os.close(writing)
        _begun(kept, f"sleep {nap}")
        kept.end()
        text = stream.read()  # Returns when nobody has the pipe open.
        assert play.wait() == 99
    assert text.count(b"LEASE LOST") == 1


def test_the_lease_is_renewed_while_the_playbook_runs_and_outlives_it(
    tmp_path: pathlib.Path, nap: str
) -> None:
    kept = Kept(tmp_path, ttl=9)
    with Play(kept, _sleep(nap)) as play:
        _begun(kept, f"sleep {nap}")
        until(kept.renewed, "a renewal")
        os.kill(running(f"sleep {nap}")[0], signal.SIGTERM)  # The command fails, and is rescued.
        assert play.wait() == 0
        until(lambda: not kept.keepers(), "the keeper to end")
        assert kept.living()
    assert "ALWAYS" in play.text() and "distrogate.ci" not in play.text()
    assert "ends: playbook ended" in kept.logged()
    assert sorted(path.name for path in kept.file.parent.iterdir()) == ["lease.json", "lease.json.log"]


def test_a_killed_playbook_is_not_kept(tmp_path: pathlib.Path, nap: str) -> None:
    kept = Kept(tmp_path)
    with Play(kept, _sleep(nap)) as play:
        _begun(kept, f"sleep {nap}")
        play.process.kill()
        until(lambda: not kept.keepers(), "the keeper to end")
        assert kept.living()


def test_a_keeper_that_stood_still_finds_the_lease_lost(tmp_path: pathlib.Path, nap: str) -> None:
    kept = Kept(tmp_path, ttl=6)
    with Play(kept, _sleep(nap)) as play:
        keeper = _begun(kept, f"sleep {nap}")
        until(kept.renewed, "the first renewal")
        os.kill(keeper, signal.SIGSTOP)
        until(lambda: not kept.living(), "the end of the lease")
        assert play.process.poll() is None
        os.kill(keeper, signal.SIGCONT)
        assert play.wait() == 99
    assert "LEASE LOST" in play.text()


def test_release_within_the_playbook_is_quiet(tmp_path: pathlib.Path) -> None:
    kept = Kept(tmp_path, ttl=6)
    tasks = f"    - keep: {{lease_file: {kept.file}, stop: true}}\n      register: done\n"
    tasks += "    - ansible.builtin.assert: {that: done.stopped == 1}\n"
    with Play(kept, tasks + _sleep(1)) as play:
        assert play.wait() == 0, play.text()
    assert "distrogate.ci" not in play.text()


def test_a_keeper_hears_sigterm_only(tmp_path: pathlib.Path, nap: str) -> None:
    kept = Kept(tmp_path)
    with Play(kept, _sleep(nap)) as play:
        keeper = _begun(kept, f"sleep {nap}")
        about = pathlib.Path(f"/proc/{keeper}/status").read_text()
        ignored = int(about.split("SigIgn:")[1].split()[0], 16)
        for number in (signal.SIGHUP, signal.SIGINT):
            assert ignored & 1 << (number - 1)
            os.kill(keeper, number)
        assert kept.keepers() == [keeper]
        assert os.readlink(f"/proc/{keeper}/cwd") == "/" and os.getsid(keeper) != os.getsid(play.process.pid)
        os.kill(keeper, signal.SIGTERM)
        until(lambda: not kept.keepers(), "the keeper to end")
        play.process.send_signal(signal.SIGINT)
        play.wait()


def test_the_same_is_kept_once_and_another_ttl_anew(tmp_path: pathlib.Path, nap: str) -> None:
    kept = Kept(tmp_path)
    tasks = ""
    for number, ttl in enumerate([50, 50, 40]):
        tasks += f"    - keep: {{lease_file: {kept.file}, ttl: {ttl}}}\n      register: k{number}\n"
    tasks += "    - ansible.builtin.assert: {that: [k0.keeper == k1.keeper, k1.keeper != k2.keeper]}\n"
    with Play(kept, tasks + _sleep(nap), "-i", "h1,h2,h3,") as play:
        until(lambda: running(f"sleep {nap}"), "the sleep")
        assert len(kept.keepers()) == 1
        play.process.send_signal(signal.SIGINT)
        assert play.wait() == 99


def test_a_lease_that_has_ended_fails_the_task(tmp_path: pathlib.Path) -> None:
    kept = Kept(tmp_path)
    kept.end()
    with Play(kept, _sleep(0)) as play:
        assert play.wait() == 2
    assert '"reason": "lease_lost"' in play.text()
    until(lambda: not kept.keepers(), "the end of the keeper")


def test_only_the_playbook_that_runs_us_is_bound(tmp_path: pathlib.Path) -> None:
    kept = Kept(tmp_path)
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        with pytest.raises(DistrogateError, match="does not run this task"):
            start_keeper(str(kept.file), stranger.pid, 60)
    finally:
        stranger.kill()
        stranger.wait()
    with pytest.raises(DistrogateError, match="does not run this task"):
        start_keeper(str(kept.file), stranger.pid, 60)


def test_a_pid_is_not_enough() -> None:
    seen = look(os.getpid())
    assert seen is not None
    with opened(os.getpid(), seen.start) as process:
        assert process is not None and process.living() and not process.ended(0)
    with opened(os.getpid(), seen.start + 1) as process:
        assert process is None


def test_a_process_without_a_pidfd(monkeypatch: t.Any) -> None:
    def none(_pid: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", none)
    child = subprocess.Popen(["sleep", "60"])
    seen = look(child.pid)
    assert seen is not None
    with opened(child.pid, seen.start) as process:
        assert process is not None and not process.ended(0)
        process.send(signal.SIGKILL)
        assert process.ended(60)
    child.wait()


_STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, lambda *_: os._exit(99) if sys.argv[1] == "polite" else None)
nap = "trap '' INT TERM; sleep " + sys.argv[2] + "; sleep " + sys.argv[2]
subprocess.Popen(["sh", "-c", nap], start_new_session=True)
print("ready", flush=True)
time.sleep(300)
"""


@pytest.mark.parametrize("manner", ["polite", "deaf"])
def test_what_does_not_stop_is_killed(manner: str, nap: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", _STUBBORN, manner, nap], stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"ready\n"
    seen = look(child.pid)
    assert seen is not None
    until(lambda: running(f"sleep {nap}"), "the grandchild")
    said: list[str] = []
    # The parent reaps it, as that of a playbook does.
    waiting = threading.Thread(target=child.wait)
    waiting.start()
    try:
        with opened(child.pid, seen.start) as process:
            assert isinstance(process, Process)
            assert stop_playbook(process, said.append, grace=0.5) == {}
    finally:
        child.kill()
        waiting.join()
        child.stdout.close()
    assert child.returncode == (99 if manner == "polite" else -signal.SIGKILL)
    until(lambda: not running(f"sleep {nap}"), "the end of what was started")
    assert "killed now" in said[0]


@pytest.mark.parametrize("_round", range(3))
def test_what_starts_others_as_they_end_is_killed(_round: int, nap: str) -> None:
    """A shell whose command is killed before itself goes on to the next one."""
    program = "trap '' INT TERM; " + " & ".join([f"while :; do sleep {nap}; done"] * 10)
    child = subprocess.Popen(["sh", "-c", program], start_new_session=True)
    until(lambda: len(running(f"sleep {nap}")) > 10, "the commands")
    seen = look(child.pid)
    assert seen is not None
    waiting = threading.Thread(target=child.wait)
    waiting.start()
    with opened(child.pid, seen.start) as process:
        assert isinstance(process, Process)
        assert stop_playbook(process, lambda _line: None, grace=0.1) == {}
    waiting.join()
    until(lambda: not running(f"sleep {nap}"), "the end of what was started")


def test_a_reader_that_does_not_read_does_not_hold_the_keeper(tmp_path: pathlib.Path, nap: str) -> None:
    kept = Kept(tmp_path, ttl=6)
    reading, writing = os.pipe()
    with Play(kept, _sleep(nap), output=writing):
        _begun(kept, f"sleep {nap}")
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b"x" * 4096)
        except BlockingIOError:
            pass
        kept.end()
        until(lambda: "ends: lost" in kept.logged(), "the keeper to stop the playbook")
        os.close(writing)
        os.close(reading)
    until(lambda: not running(f"sleep {nap}"), "the end of what was started")
