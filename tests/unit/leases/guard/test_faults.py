# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard is killed at every call that changes something; its disk is full; two raise at once."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.faults.guard_host import Host
from ansible_collections.distrogate.ci.tests.faults.guard_kill import NO_SPACE, OPERATIONS, Attack
from ansible_collections.distrogate.ci.tests.faults.run import environment
from ansible_collections.distrogate.ci.tests.faults.trace import KILL, Case

_LATE = 60  # seconds until a test gives up; nothing is measured
_TELLING = ("rename", "fsync", "fdatasync", "unlink", "ftruncate", "fchmod")
traced = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")


def tells(attack: Attack, case: Case) -> bool:
    """Whether a kill there is worth its time in a unit test: not in the log."""
    own = case.target.startswith(str(attack.host.folder)) and case.target != str(attack.host.log)
    return case.call in _TELLING or (case.call == "write" and own)


@pytest.mark.faults
@traced
@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_at_each_step(operation: str, tmp_path: pathlib.Path) -> None:
    attack = Attack(tmp_path)
    found = [case for case in attack.cases(operation, tmp_path / "calls") if tells(attack, case)]
    assert {"rename", "fsync"} <= {case.call for case in found}
    killed = [attack.attack(case, KILL).status < 0 for case in found]
    assert sum(killed) > 0.9 * len(killed)


@pytest.mark.faults
@traced
@pytest.mark.parametrize("operation", ["raise", "renew", "image"])
def test_a_full_disk_at_each_step(operation: str, tmp_path: pathlib.Path) -> None:
    attack = Attack(tmp_path)
    state = str(tmp_path)
    found = [case for case in attack.cases(operation, tmp_path / "calls") if case.call in ("write", "rename")]
    own = [case for case in found if case.target.startswith(state) and case.target != str(attack.host.log)]
    assert len(own) >= 2
    for case in own:
        assert attack.attack(case, NO_SPACE).answer["reason"] == "no_space"


def test_a_disk_that_is_really_full(tmp_path: pathlib.Path) -> None:
    argv = ["unshare", "-rm", sys.executable, "-c", _FULL, str(tmp_path)]
    done = subprocess.run(argv, env=environment(), capture_output=True, text=True, check=False, timeout=_LATE)
    assert done.returncode == 0, done.stderr


_FULL = """
import os, pathlib, subprocess, sys
from ansible_collections.distrogate.ci.tests.faults.guard_host import Host
host = Host(pathlib.Path(sys.argv[1]))
host.raise_fence(7)
state = host.state
saved = {path.relative_to(state): path.read_bytes() for path in state.rglob("*") if path.is_file()}
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k,mode=0700", "none", str(state)], check=True)
for name, data in saved.items():
    (state / name).parent.mkdir(exist_ok=True)
    (state / name).write_bytes(data)
(state / ".ssh").chmod(0o700)
with open(state / "fill", "wb") as stream:
    try:
        while os.write(stream.fileno(), b"x" * 512):
            pass
    except OSError:
        pass
before = host.known()
done = host.raise_fence(9, "b")
assert done.answer["reason"] == "no_space", done
assert host.known() == before
assert host.call("a", "te te1 status").answer["fence"] == 7
(state / "fill").unlink()
assert host.raise_fence(9, "b").answer["ok"]
"""


def test_two_raise_at_once(host: Host) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for round_ in range(4):
            fences = [10 * round_ + number for number in range(1, 9)]
            done = list(pool.map(lambda fence: host.raise_fence(fence, "ab"[fence % 2]), fences))
            won = [fence for fence, one in zip(fences, done) if one.answer["ok"]]
            assert host.known()["fence"] == max(won) == max(fences)
            assert {one.answer["reason"] for one in done if not one.answer["ok"]} <= {"fence_behind"}
    same = [(100, "a"), (100, "b")]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda one: host.raise_fence(*one), same))
    assert sorted(one.answer["ok"] for one in done) == [False, True]


def begin(host: Host, command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        host.argv("a"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"SSH_ORIGINAL_COMMAND": command},
        start_new_session=True,
    )


def until(what: t.Callable[[], t.Any]) -> None:
    end = time.monotonic() + _LATE
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_stopped_upload_is_killed(host: Host) -> None:
    """It cannot say goodbye, and must not wake up later."""
    host.raise_fence(7)
    host.disk().write_bytes(b"as it was")
    with begin(host, "image root 1000000") as upload:
        assert upload.stdin is not None
        upload.stdin.write(b"x" * 999_999)
        upload.stdin.flush()
        until(lambda: list(host.folder.glob(".te1.img.te_guard.*")))
        os.kill(upload.pid, signal.SIGSTOP)
        assert host.raise_fence(9, "b").answer["stopped"] == 1
        assert upload.wait(_LATE) == -signal.SIGKILL
        upload.stdin.close()
    assert host.disk().read_bytes() == b"as it was"
    assert not list(host.folder.glob(".te1.img.te_guard.*"))


def test_an_orphaned_power_command_is_known(host: Host) -> None:
    """Its guard was killed; a raise still waits for the command itself."""
    host.raise_fence(7)
    host.slow_until_raised()
    with begin(host, "power off") as power:
        until(lambda: host.record.exists() and "begun" in host.record.read_text())
        os.kill(power.pid, signal.SIGKILL)
    assert host.raise_fence(9, "b").answer["stopped"] == 1
    assert host.record.read_text().endswith("ended\n")


def test_an_upload_ends_at_the_deadline(host: Host) -> None:
    host.raise_fence(7, ttl=3)
    host.disk().write_bytes(b"as it was")
    with begin(host, "image root 1000") as upload:
        assert upload.stdin is not None and upload.stdout is not None
        upload.stdin.write(b"x" * 999)
        upload.stdin.flush()
        assert b"lease_ended" in upload.stdout.read()  # it waits for the last byte, but not for ever
    assert host.disk().read_bytes() == b"as it was"
