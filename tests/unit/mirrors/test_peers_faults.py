# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mirrors that are full, read-only or slow, break off, or lie: each has its sentence."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import random
import secrets
import signal
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors import _transfer
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._claims import new_claim
from ansible_collections.distrogate.ci.tests.tools.ports import free_port
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import tree
from ansible_collections.distrogate.ci.tests.unit.mirrors.mirror_hosts import (
    Dropper,
    daemon,
    failed,
    local,
    outcome,
)
from ansible_collections.distrogate.ci.tests.unit.mirrors.test_peers import fill

NAMES = [b"pool/%d" % number for number in range(5)]


@pytest.fixture
def source(tmp_path: pathlib.Path) -> pathlib.Path:
    fill(tmp_path / "source", NAMES)
    return tmp_path / "source"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries, which nobody waits for."""
    made: list[float] = []
    monkeypatch.setattr(_transfer, "_sleep", made.append)
    return made


def test_too_slow(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The time is for one operation; what it sent stays for the next."""
    with daemon(tmp_path / "mirror") as host:
        (source / "large").write_bytes(secrets.token_bytes(1 << 20))
        with failed(r"it did not end in time \(timeout\)", False):
            host.peer(tmp_path / "work", bandwidth=64, timeout=1).send(str(source), [b"large"])
        host.peer(tmp_path / "work", bandwidth=4096).send(str(source), [b"large"])
        assert (host.tree / "large").read_bytes() == (source / "large").read_bytes()


def test_nothing_half_stays_in_a_local_mirror(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (source / "large").write_bytes(secrets.token_bytes(1 << 20))
    with local(tmp_path / "mirror") as host:
        with failed(r"it did not end in time \(timeout\)", False):
            host.peer(tmp_path / "work", bandwidth=64, timeout=1).send(str(source), [b"large"])
        assert list(host.tree.iterdir()) == []


def test_dropped_at_any_byte(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A sentence, nothing half under a name of ours, and the next try succeeds."""
    (source / "large").write_bytes(secrets.token_bytes(300_000))
    names, contents = [*NAMES, b"large"], tree(source)
    chance = random.Random(5)
    with daemon(tmp_path / "mirror") as host, Dropper(host.address) as proxy:
        peer = host._replace(address=proxy.address).peer(tmp_path / "work")
        claim = new_claim()
        steps: dict[str, t.Callable[[], object]] = {
            "send": lambda: peer.send(str(source), names),
            "differing": lambda: peer.differing(str(source), names),
            "switch": lambda: peer.switch(str(source), NAMES, [b"large"]),
            "look": peer.look,
            "claim": lambda: peer.claim(claim, 5),
            "finish": lambda: peer.finish(str(source), [b"pool/1"], [b"pool/2"]),
            "release": lambda: peer.release(claim),
        }
        for step in steps.values():
            proxy.left, before = None, proxy.passed
            step()
            whole = proxy.passed - before
            for left in [1, whole // 2, whole - 1, *(chance.randrange(1, whole) for _number in range(4))]:
                proxy.left = left
                broken = outcome(step)
                assert broken is None or (broken.reason == "mirror_failed" and broken.details["transient"]), (
                    broken
                )
                assert broken is None or broken.message.startswith(proxy.address)
                there = tree(host.tree)
                assert all(contents[path] == data for path, data in there.items() if path in contents)
            proxy.left = None
            step()
        peer.send(str(source), names)
        assert tree(host.tree).items() >= contents.items() and peer.look().claims == []


def test_a_daemon_that_is_killed(source: pathlib.Path, tmp_path: pathlib.Path, pauses: list[float]) -> None:
    (source / "large").write_bytes(secrets.token_bytes(4 << 20))
    with daemon(tmp_path / "mirror") as host:
        peer = host.peer(tmp_path / "work", bandwidth=512, retries=1)
        killed: list[int] = []

        def kill(_files: int, size: int) -> None:
            if size and not killed:
                port = host.address.split(":")[2].split("/")[0]
                listing = subprocess.run(
                    ["ps", "-ewwo", "pid,ppid,args"], capture_output=True, text=True, check=True
                )
                rows = [line.split(None, 2) for line in listing.stdout.splitlines()]
                main = next(row[0] for row in rows if f"--port={port}" in row[2] and "--daemon" in row[2])
                killed.extend(int(row[0]) for row in rows if row[1] == main)
                for child in killed:
                    os.kill(child, signal.SIGKILL)

        peer.rsync.tell = kill
        peer.rsync.access = dataclasses.replace(peer.rsync.access, bandwidth=2048)
        peer.send(str(source), [b"large"])
        assert (
            killed
            and len(pauses) == 1
            and (host.tree / "large").read_bytes() == (source / "large").read_bytes()
        )


def test_a_flipped_byte_is_found(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with daemon(tmp_path / "mirror") as host:
        peer = host.peer(tmp_path / "work")
        peer.send(str(source), NAMES)
        path = host.tree / os.fsdecode(NAMES[3])
        times = path.stat()
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        assert peer.differing(str(source), NAMES) == [NAMES[3]]
        peer.send(str(source), [NAMES[3]], checksum=True)
        assert peer.differing(str(source), NAMES) == []


def test_a_full_disk(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The daemon may write no file of more than 1 MiB, as with a quota; root also tries a small disk."""
    (source / "large").write_bytes(secrets.token_bytes(2 << 20))
    limit = (
        "import os, resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "os.execvp(sys.argv[1], sys.argv[1:])\n"
    )
    with daemon(tmp_path / "mirror") as host:
        pass
    config = str(tmp_path / "mirror/rsyncd.conf")
    port = free_port()
    argv = ["rsync", "--daemon", "--no-detach", f"--config={config}", "--address=127.0.0.1", f"--port={port}"]
    process = subprocess.Popen([sys.executable, "-c", limit, *argv])
    try:
        limited = host._replace(address=f"rsync://127.0.0.1:{port}/m/")
        while True:
            away = outcome(limited.peer(tmp_path / "work").look)
            if away is None:
                break
            assert "no connection" in away.message
        with failed("larger than may be written", False):
            limited.peer(tmp_path / "work").send(str(source), [b"large"])
        assert not (host.tree / "large").exists()
    finally:
        process.terminate()
        process.wait()


def test_a_small_disk(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """In a mount namespace, which needs no root."""
    (source / "large").write_bytes(secrets.token_bytes(2 << 20))
    (tmp_path / "disk").mkdir()
    script = (
        "import os, subprocess, sys\n"
        "from ansible_collections.distrogate.ci.tests.unit.mirrors.mirror_hosts import Host, QUICK\n"
        "import pathlib\n"
        "disk, source, work = sys.argv[1:]\n"
        "subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', disk], check=True)\n"
        "try:\n"
        "    peer = Host(disk, pathlib.Path(disk), QUICK).peer(pathlib.Path(work))\n"
        "    peer.send(source, [b'pool/1', b'large'])\n"
        "except Exception as error:\n"
        "    print(error.reason, error.details['transient'], error.message)\n"
        "print(sorted(path.name for path in pathlib.Path(disk).rglob('*') if path.is_file()))\n"
    )
    argv = [
        "unshare",
        "-rm",
        sys.executable,
        "-c",
        script,
        str(tmp_path / "disk"),
        str(source),
        str(tmp_path / "w"),
    ]
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout.startswith("mirror_failed False") and "its disk is full; make room there" in done.stdout
    )
    assert done.stdout.splitlines()[-1] in ("['1']", "[]")


def test_a_read_only_tree(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    user = "uid = 65534\ngid = 65534\n" if os.getuid() == 0 else ""
    with daemon(tmp_path / "mirror", "", user) as host:
        host.tree.chmod(0o555)
        try:
            with failed("may not be written", False):
                host.peer(tmp_path / "work").send(str(source), NAMES)
        finally:
            host.tree.chmod(0o755)
