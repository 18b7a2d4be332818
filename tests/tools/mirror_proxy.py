# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy on loopback before a daemon: it slows connections down, breaks them off, or never answers.

    PYTHON -m ansible_collections.distrogate.ci.tests.tools.mirror_proxy PORT RATE

is a process of its own that prints its port and ends with its standard input. RATE is in bytes a second.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
import time

from ansible_collections.distrogate.ci.tests.tools.faulty_proxy import Server

_CHUNK = 1 << 14
FOREVER = 1 << 30


class Proxy(Server):
    """All its connections together pass ``rate`` bytes a second (0: as many as they can)."""

    def __init__(self, port: int, rate: float = 0) -> None:
        self.target, self.rate = port, rate
        self.silent = False
        self.passed = 0  # bytes of both directions since the last order
        self._drop_at = self._times = 0
        self._free_at = 0.0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        super().__init__(self._relay)

    @property
    def port(self) -> int:
        return int(self.endpoint.rpartition(":")[2])

    def drop_after(self, count: int, times: int = 1) -> None:
        """Break all connections off after so many bytes from now on, ``times`` times; 0 bytes: never."""
        with self._lock:
            self.passed, self._drop_at, self._times = 0, count, times if count else 0

    def well(self) -> None:
        """Be a wire again."""
        self.rate, self.silent = 0, False
        self.drop_after(0)

    def break_off(self) -> None:
        """End every connection as a machine does that loses its power: no farewell, only a reset."""
        with self._lock:
            ended, self._open = self._open, set()
        for connection in ended:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.shutdown(socket.SHUT_RDWR)

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        self.break_off()

    def _relay(self, client: socket.socket) -> None:
        while self.silent:
            time.sleep(0.05)
            if not self._listening():
                return
        with socket.create_connection(("127.0.0.1", self.target)) as server:
            with self._lock:
                self._open |= {client, server}
            other = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            other.start()
            self._pump(client, server)
            other.join()
            with self._lock:
                self._open -= {client, server}

    def _listening(self) -> bool:
        return self._listener.fileno() >= 0

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                allowed = self._allowed(len(data))
                sink.sendall(data[:allowed])
                if allowed < len(data):
                    self.break_off()
                    return
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _allowed(self, count: int) -> int:
        """How many of ``count`` bytes may pass, when it is their time; fewer where the connection breaks."""
        with self._lock:
            left = self._drop_at - self.passed if self._times else FOREVER
            if left < count:
                self._times -= 1
                self.passed = 0
                return max(0, left)
            self.passed += count
            begin = max(self._free_at, time.monotonic())
            if self.rate:
                self._free_at = begin + count / self.rate
        if self.rate:
            time.sleep(max(0.0, self._free_at - time.monotonic()))
        return count


def main(port: str, rate: str) -> None:
    """Serve until standard input ends."""
    with Proxy(int(port), float(rate)) as proxy:
        print(proxy.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
