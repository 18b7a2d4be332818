# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each bad daemon is as bad as it says; tests of mirrors rely on it."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import threading
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.faults.run import environment
from ansible_collections.distrogate.ci.tests.tools.mirror_daemons import Daemon
from ansible_collections.distrogate.ci.tests.tools.mirror_disk import SmallDisk
from ansible_collections.distrogate.ci.tests.tools.mirror_proxy import Proxy
from ansible_collections.distrogate.ci.tests.unit.core.people import gone


@pytest.fixture
def daemon(tmp_path: pathlib.Path) -> t.Iterator[Daemon]:
    with Daemon(tmp_path / "daemon", hook=True) as started:
        yield started


@pytest.fixture
def source(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "file").write_bytes(os.urandom(300_000))
    return folder


def push(source: pathlib.Path, address: str) -> int:
    """rsync's status."""
    argv = ["rsync", "-r", "--times", "--timeout=10", f"{source}/", address]
    return subprocess.run(argv, capture_output=True, timeout=60, check=False).returncode


def same(source: pathlib.Path, daemon: Daemon) -> bool:
    path = daemon.path / "file"
    return path.exists() and path.read_bytes() == (source / "file").read_bytes()


def test_a_good_one(daemon: Daemon, source: pathlib.Path) -> None:
    assert push(source, daemon.address()) == 0 and same(source, daemon)
    daemon.rest()
    assert daemon.transfers == 1 and not daemon.spoiled


def test_links_are_munged_unless_told(daemon: Daemon, source: pathlib.Path) -> None:
    (source / "link").symlink_to("file")
    for setting, target in (("yes", "/rsyncd-munged/file"), ("no", "file")):
        daemon.set(munge_symlinks=setting)
        (daemon.path / "link").unlink(missing_ok=True)
        assert subprocess.run(["rsync", "-rl", f"{source}/", daemon.address()], check=False).returncode == 0
        assert os.readlink(daemon.path / "link") == target


def test_read_only(daemon: Daemon, source: pathlib.Path) -> None:
    daemon.set(read_only="yes")
    assert push(source, daemon.address()) and not same(source, daemon)
    daemon.set(read_only="no")
    assert push(source, daemon.address()) == 0


def test_killed_with_its_children(daemon: Daemon, source: pathlib.Path) -> None:
    with Proxy(daemon.port, rate=50_000) as proxy:
        found = []
        thread = threading.Thread(target=lambda: found.append(push(source, daemon.address(proxy.port))))
        thread.start()
        while not daemon.children():
            time.sleep(0.01)
        children, group = daemon.children(), daemon.process.pid if daemon.process else 0
        daemon.kill()
        thread.join()
    assert found[0] != 0 and not same(source, daemon)
    for process in (*children, group):
        assert gone(process)  # what was killed ends when the kernel comes to it
    daemon.start()
    assert push(source, daemon.address()) == 0 and same(source, daemon)


_KILLED = """
import os, pathlib, signal, sys
from ansible_collections.distrogate.ci.tests.tools.mirror_daemons import Daemon
daemon = Daemon(pathlib.Path(sys.argv[1]))
daemon.start()
print(daemon.process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_ends_with_the_test_that_is_killed(tmp_path: pathlib.Path) -> None:
    argv = [sys.executable, "-c", _KILLED, str(tmp_path / "daemon")]
    done = subprocess.run(argv, env=environment(), capture_output=True, text=True, check=False)
    assert gone(int(done.stdout))


def test_dies_as_a_transfer_begins(daemon: Daemon, source: pathlib.Path) -> None:
    daemon.order(die_at=2)
    assert push(source, daemon.address()) == 0
    (source / "file").write_bytes(b"another")
    assert push(source, daemon.address()) and not same(source, daemon)
    assert daemon.process is not None and daemon.process.wait(60)
    daemon.kill()
    daemon.start()
    assert push(source, daemon.address()) == 0 and same(source, daemon)


def test_lies(daemon: Daemon, source: pathlib.Path) -> None:
    """The quick check of the next transfer sees no difference."""
    daemon.order(spoil=("**/file",), times=1)
    assert push(source, daemon.address()) == 0 and same(source, daemon)
    assert push(source, daemon.address()) == 0 and not same(source, daemon)
    assert daemon.spoiled == ["file"]
    assert (daemon.path / "file").stat().st_mtime == (source / "file").stat().st_mtime
    (daemon.path / "file").unlink()
    assert push(source, daemon.address()) == 0
    assert push(source, daemon.address()) == 0 and same(source, daemon)


def test_slow_and_dropping(daemon: Daemon, source: pathlib.Path) -> None:
    with Proxy(daemon.port, rate=600_000) as proxy:
        begin = time.monotonic()
        assert push(source, daemon.address(proxy.port)) == 0 and same(source, daemon)
        assert time.monotonic() - begin > 0.4
        proxy.well()
        (source / "file").write_bytes(os.urandom(300_001))
        for count in (10, 1000, 200_000):
            proxy.drop_after(count)
            assert push(source, daemon.address(proxy.port)) and not same(source, daemon)
        assert push(source, daemon.address(proxy.port)) == 0 and same(source, daemon)


def test_silent(daemon: Daemon, source: pathlib.Path) -> None:
    with Proxy(daemon.port) as proxy:
        proxy.silent = True
        argv = ["rsync", "--contimeout=1", "--timeout=1", f"{source}/file", daemon.address(proxy.port)]
        assert subprocess.run(argv, capture_output=True, timeout=60, check=False).returncode in (30, 35)


def test_no_large_file(daemon: Daemon, source: pathlib.Path) -> None:
    for largest in (100_000, 0):
        daemon.kill()
        daemon.largest = largest
        daemon.start()
        assert bool(push(source, daemon.address())) == bool(largest) != same(source, daemon)
        assert daemon.process is not None and daemon.process.poll() is None


@pytest.mark.skipif(not SmallDisk.possible(), reason="only root mounts a tmpfs")
def test_a_full_disk(tmp_path: pathlib.Path, source: pathlib.Path) -> None:
    with (
        SmallDisk(tmp_path / "disk", 1 << 20) as disk,
        Daemon(tmp_path, tree=tmp_path / "disk" / "tree") as daemon,
    ):
        disk.fill(8192)
        assert push(source, daemon.address()) and not same(source, daemon)
        disk.empty()
        assert push(source, daemon.address()) == 0 and same(source, daemon)
