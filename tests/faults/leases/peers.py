# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The net between the nodes of a cluster, which can be cut: each node is reached through a proxy of ours.

Whom a connection comes from no address tells; its node is the process that has the other end of it open.
A cut loses what is sent, in both directions, and refuses nothing: that is how a switch fails.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import socket
import threading
import typing as t

Processes = t.Callable[[], t.Mapping[int, int]]  # the process id of each node


class Peers:
    """A context. Node N is reached at ``ports[N]``, and listens at ``targets[N]``."""

    def __init__(self, targets: t.Sequence[int], processes: Processes) -> None:
        self._targets = list(targets)
        self._processes = processes
        self._sockets = [socket.create_server(("127.0.0.1", 0), backlog=64) for _target in targets]
        self.ports = [one.getsockname()[1] for one in self._sockets]
        self._lonely: int | None = None
        self._pairs: set[_Pair] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Peers:
        for node in range(len(self._targets)):
            threading.Thread(target=self._accept, args=(node,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # wakes who accepts
            one.close()
        self._close(lambda _pair: True)

    @contextlib.contextmanager
    def cut(self, node: int) -> t.Iterator[None]:
        """Nothing goes between ``node`` and the others."""
        self._lonely = node
        try:
            yield
        finally:
            self._lonely = None
            self._close(lambda pair: pair.lossy)  # what they carried has gaps

    def is_cut(self, one: int | None, other: int) -> bool:
        return self._lonely is not None and self._lonely in (one, other)

    def _accept(self, node: int) -> None:
        while True:
            try:
                stream, address = self._sockets[node].accept()
            except OSError:
                return
            source = self._owner(address[1], self.ports[node])
            try:
                target = socket.create_connection(("127.0.0.1", self._targets[node]), 5)
            except OSError:
                stream.close()
                continue
            pair = _Pair(self, source, node, stream, target)
            with self._lock:
                self._pairs = {old for old in self._pairs if not old.over} | {pair}
            pair.start()

    def _owner(self, port: int, proxy: int) -> int | None:
        """The node that has the socket of this port open."""
        inode = _inode(port, proxy)
        for node, process in self._processes().items():
            if inode and f"socket:[{inode}]" in _open_files(process):
                return node
        return None

    def _close(self, wanted: t.Callable[[_Pair], bool]) -> None:
        with self._lock:
            pairs = [pair for pair in self._pairs if wanted(pair)]
        for pair in pairs:
            pair.close()


class _Pair:
    """A connection of two nodes: two sockets, and a thread for each direction."""

    def __init__(
        self, peers: Peers, source: int | None, node: int, stream: socket.socket, target: socket.socket
    ) -> None:
        self._peers = peers
        self._nodes = source, node
        self._streams = stream, target
        target.settimeout(None)
        for one in self._streams:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lossy = False
        self.over = False

    def start(self) -> None:
        for one, other in (self._streams, self._streams[::-1]):
            threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                if self._peers.is_cut(*self._nodes):
                    self.lossy = True
                if not self.lossy:
                    other.sendall(data)
        self.close()

    def close(self) -> None:
        self.over = True
        for one in self._streams:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _inode(port: int, other: int) -> str:
    """Of the socket at ``port`` that is connected to ``other``, both of loopback (proc(5), /proc/net/tcp)."""
    lines = pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    wanted = [f"0100007F:{number:04X}" for number in (port, other)]
    return next((fields[9] for fields in map(str.split, lines) if fields[1:3] == wanted), "")


def _open_files(process: int) -> set[str]:
    folder, found = f"/proc/{process}/fd", set()
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):
                found.add(os.readlink(f"{folder}/{name}"))
    return found
