# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Locks that the kernel frees, and waiters that know whom they wait for."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock

HOLD = """
import sys, time
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
with file_lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(path: pathlib.Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, env=environment
    )
    assert process.stdout is not None and process.stdout.readline() == b"held\n"
    return process


def test_a_waiter_names_the_holder(tmp_path: pathlib.Path) -> None:
    process = holder(tmp_path / "lock")
    try:
        with pytest.raises(DistrogateError) as caught, file_lock(str(tmp_path / "lock"), timeout=0.2):
            pass
        assert caught.value.reason == "lock_timeout"
        assert f"{tmp_path} is in use by process {process.pid} on " in caught.value.message
        assert "waited 0.2 s" in caught.value.message and "raise timeout" in caught.value.message
        assert caught.value.details["holder"]["pid"] == process.pid
    finally:
        process.kill()
        process.wait()


def test_the_lock_of_the_dead_is_free(tmp_path: pathlib.Path) -> None:
    process = holder(tmp_path / "lock")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with file_lock(str(tmp_path / "lock"), timeout=0):
        pass


def test_again_and_with_rubbish_in_it(tmp_path: pathlib.Path) -> None:
    (tmp_path / "lock").write_bytes(b"\xff not json")
    path = str(tmp_path / "lock")
    with file_lock(path, timeout=0), pytest.raises(DistrogateError), file_lock(path, timeout=0):
        pass
    (tmp_path / "other").write_text("[]")
    with file_lock(str(tmp_path / "other"), timeout=0):
        pass
    with file_lock(str(tmp_path / "lock"), timeout=0):
        pass
