# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waking a process of this machine that waits for one key of the embedded store.

Whoever waits binds a datagram socket whose abstract name (unix(7)) follows from
the store and the key; whoever wrote the key sends an empty datagram there. It
is a hint only: it may be lost or forged, so the waiter looks by itself as well.
"""

from __future__ import annotations

import contextlib
import hashlib
import select
import socket
import typing as t


def _address(store: str, key: str) -> bytes:
    return b"\0distrogate-" + hashlib.sha256(f"{store}\0{key}".encode()).hexdigest()[:40].encode()


class Bell:
    """Rings when a key of ``store`` (any text that names the file) was written by another."""

    def __init__(self, store: str, key: str) -> None:
        self._socket: socket.socket | None = socket.socket(
            socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        )
        try:
            self._socket.bind(_address(store, key))
        except OSError:  # Another waits for the same key: this one has to look by itself.
            self.close()

    @property
    def works(self) -> bool:
        return self._socket is not None

    def wait(self, seconds: float) -> None:
        """Return when it rings, or after ``seconds``."""
        waiter = select.poll()
        if self._socket is not None:
            waiter.register(self._socket, select.POLLIN)
        if waiter.poll(max(0, round(seconds * 1000))) and self._socket is not None:
            with contextlib.suppress(OSError):
                while True:
                    self._socket.recv(1)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Ringer:
    """Rings for the keys of one store."""

    def __init__(self, store: str) -> None:
        self._store = store
        self._socket = socket.socket(
            socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        )

    def ring(self, keys: t.Iterable[str]) -> None:
        for key in keys:
            with contextlib.suppress(OSError):  # Nobody waits for it, or has been rung for already.
                self._socket.sendto(b"", _address(self._store, key))

    def close(self) -> None:
        self._socket.close()
