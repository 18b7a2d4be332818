# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three real ZooKeeper servers on loopback, as peers to measure against."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import socket
import subprocess
import time

from ansible_collections.distrogate.ci.tests.tools.ports import free_ports

_CLASSES = "/etc/zookeeper/conf:/usr/share/java/zookeeper.jar"  # as Debian's own service has it
_MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
_START_SECONDS = 60.0


def available() -> bool:
    """Whether Debian's package zookeeper is here."""
    return bool(shutil.which("java")) and pathlib.Path(_CLASSES.rpartition(":")[2]).exists()


class ZookeeperCluster:
    """A context: ``hosts`` is what a client connects to. Every transaction is synced to the disk."""

    def __init__(self, folder: pathlib.Path, nodes: int = 3) -> None:
        self._folder = folder
        ports = free_ports(3 * nodes)
        self._clients, self._peers = ports[:nodes], ports[nodes : 2 * nodes]
        self._elections = ports[2 * nodes :]
        self.hosts = ",".join(f"127.0.0.1:{port}" for port in self._clients)
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> ZookeeperCluster:
        try:
            for number in range(len(self._clients)):
                self._processes.append(self._start(number))
            self._wait()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the servers that this object started."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
        self._processes.clear()

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        folder = self._folder / f"zookeeper-{number}"
        folder.mkdir(parents=True)
        (folder / "myid").write_text(f"{number + 1}\n")
        (folder / "zoo.cfg").write_text(self._configuration(number, folder))
        argv = ["java", "-Xmx512m", f"-Dzookeeper.log.dir={folder}", "-cp", _CLASSES, _MAIN]
        with open(folder / "log", "wb") as log:
            return subprocess.Popen(
                [*argv, str(folder / "zoo.cfg")],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _configuration(self, number: int, folder: pathlib.Path) -> str:
        lines = [
            "tickTime=2000",  # as in the file that the package has
            "initLimit=10",
            "syncLimit=5",
            f"dataDir={folder}",
            "clientPortAddress=127.0.0.1",
            f"clientPort={self._clients[number]}",
            "maxClientCnxns=0",
            "admin.enableServer=false",
        ]
        pairs = enumerate(zip(self._peers, self._elections), 1)
        lines += [f"server.{other}=127.0.0.1:{peer}:{election}" for other, (peer, election) in pairs]
        return "\n".join(lines) + "\n"

    def _wait(self) -> None:
        """Until each is a leader or a follower."""
        deadline = time.monotonic() + _START_SECONDS
        for number, port in enumerate(self._clients):
            while "Mode: " not in _asked(port):
                ended = self._processes[number].poll() is not None
                if ended or time.monotonic() > deadline:
                    log = (self._folder / f"zookeeper-{number}" / "log").read_text(errors="replace")
                    raise RuntimeError(f"ZooKeeper {number} did not start: {log[-3000:]}")
                time.sleep(0.1)


def _asked(port: int) -> str:
    """The answer to the administrator's command ``srvr``; empty when there is none."""
    said = b""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 2) as stream:
        stream.sendall(b"srvr")
        while part := stream.recv(4096):
            said += part
    return said.decode(errors="replace")
