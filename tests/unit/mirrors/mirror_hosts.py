# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mirrors of all three kinds on loopback, and what goes wrong with them."""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import os
import pathlib
import select
import shutil
import socket
import subprocess
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._access import Access
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import parse_mirror
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._claims import Claim
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._peers import Peer
from ansible_collections.distrogate.ci.tests.tools.faulty_proxy import Server
from ansible_collections.distrogate.ci.tests.tools.ports import free_port
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import Daemon

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin") or ""
_LATE = 120  # seconds until a test gives up; nothing is measured
_SSHD_CONFIGURATION = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UseDNS no
"""


class Host(t.NamedTuple):
    """A mirror that is up: its address, its tree on this machine, and how it is reached."""

    address: str
    tree: pathlib.Path
    access: Access

    def peer(self, work: pathlib.Path, **changes: t.Any) -> Peer:
        work.mkdir(parents=True, exist_ok=True)
        return Peer(parse_mirror(self.address), dataclasses.replace(self.access, **changes), str(work))


@dataclasses.dataclass(frozen=True)
class SshAccess(Access):
    """``more``: what a user would write into ssh's configuration."""

    more: str = ""

    def _ssh(self) -> str:
        return super()._ssh() + self.more


QUICK = Access(timeout=60, idle_timeout=30, retries=0)


@contextlib.contextmanager
def local(folder: pathlib.Path) -> t.Iterator[Host]:
    folder.mkdir(parents=True)
    yield Host(str(folder), folder, QUICK)


@contextlib.contextmanager
def daemon(folder: pathlib.Path, more: str = "", inner: str = "") -> t.Iterator[Host]:
    """``more``: further lines for rsyncd.conf, ``inner`` for its module."""
    started = Daemon(folder)
    text = started.config.read_text()
    started.config.write_text(more + text + inner)
    try:
        started.start()
        yield Host(started.address, started.path, QUICK)
    finally:
        started.stop()


@contextlib.contextmanager
def sshd(folder: pathlib.Path) -> t.Iterator[Host]:
    """A mirror that is reached through a real sshd: ``ssh`` on a path of its own knows its port and key."""
    (folder / "tree").mkdir(parents=True)
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    if os.getuid() == 0:
        pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    port = free_port()
    (folder / "sshd_config").write_text(_SSHD_CONFIGURATION.format(port=port, folder=folder))
    with open(folder / "sshd.log", "ab") as log:
        argv = [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")]
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _answers(process, port)
        public = " ".join((folder / "host.pub").read_text().split()[:2])
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}\n")
        more = f" -p {port} -F none -o UserKnownHostsFile={folder}/known_hosts"
        access = SshAccess(**{**vars(QUICK), "ssh_key": str(folder / "key"), "more": more})
        yield Host(f"{getpass.getuser()}@127.0.0.1:{folder}/tree", folder / "tree", access)
    finally:
        process.terminate()
        process.wait()


def _answers(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + _LATE
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError("sshd did not start")


KINDS = {"local": local, "daemon": daemon, "ssh": sshd}


class Dropper(Server):
    """Stands before a daemon, and drops a connection when ``left`` bytes have passed, both ways together."""

    def __init__(self, address: str) -> None:
        host, _slash, self._module = address.removeprefix("rsync://").partition("/")
        name, _colon, port = host.partition(":")
        self._target = (name, int(port))
        self.left: int | None = None
        self.passed = 0
        super().__init__(self._relay)

    @property
    def address(self) -> str:
        return f"rsync://{self.endpoint}/{self._module}"

    def _relay(self, client: socket.socket) -> None:
        with socket.create_connection(self._target) as server:
            ways = {client: server, server: client}
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(1 << 16)
                    if not data:
                        return
                    if self.left is not None:
                        data, self.left = data[: self.left], self.left - len(data)
                    ways[ready].sendall(data)
                    self.passed += len(data)
                    if self.left is not None and self.left <= 0:
                        return


def outcome(step: t.Callable[[], object]) -> DistrogateError | None:
    """How it failed, if it did."""
    try:
        step()
    except DistrogateError as error:
        return error
    return None


def failed(text: str, transient: bool) -> t.Any:
    return pytest.raises(
        DistrogateError,
        match=text,
        check=lambda error: error.reason == "mirror_failed" and error.details["transient"] is transient,
    )


def claimed(peer: Peer, claim: Claim) -> bool:
    """Whether it is still this worker's; asks the mirror when it was not renewed for long."""
    held = peer._holding.claim
    return held is not None and held.id == claim.id and peer._holding.sure()
