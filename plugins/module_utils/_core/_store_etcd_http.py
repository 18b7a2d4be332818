# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP/1.1 as the etcd store needs it: one connection, JSON answers, and streams that end when they like.

Not http.client: there a server that sends a byte now and then holds its caller
for ever, and parsing the head of an answer costs more than all the rest.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import ssl
import time

from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_address import Endpoint
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_socket import (
    BrokenError,
    LateError,
    open_socket,
    said,
    seconds_left,
)

MAXIMUM_ANSWER = 64 << 20
_MAXIMUM_HEAD = 64 << 10
_BLOCK = 256 << 10
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: |$)")
_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;|$)")


class Connection:
    """A connection to one endpoint. A wait ends at a deadline (monotonic), or after ``stall`` seconds."""

    def __init__(
        self, endpoint: Endpoint, context: ssl.SSLContext | None, deadline: float, stall: float
    ) -> None:
        self.endpoint = endpoint
        self._stall = stall
        self._buffer = bytearray()
        self._left: int | None = None  # Bytes of the body, or of its chunk, that are still to come.
        self._chunked = False
        self._ending = False  # After a chunk comes an empty line.
        self._close = False
        self._socket = open_socket(endpoint, context, self._patience(deadline))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()

    def usable(self) -> bool:
        """Whether a further request may be sent: nothing, not even an end, has come since the last answer."""
        if self._close or self._buffer:
            return False
        waiter = select.poll()
        waiter.register(self._socket, select.POLLIN)
        return not waiter.poll(0)

    def post(self, path: str, token: str, body: bytes, deadline: float) -> tuple[int, bytes]:
        """Send a request; returns the status and the whole answer."""
        status = self.start(path, token, body, deadline)
        parts: list[bytes] = []
        size = 0
        while True:
            part = self.some(self._patience(deadline))
            if not part:
                return status, b"".join(parts)
            parts.append(part)
            size += len(part)
            if size > MAXIMUM_ANSWER:
                raise BrokenError(f"its answer is over {MAXIMUM_ANSWER >> 20} MiB")

    def start(self, path: str, token: str, body: bytes, deadline: float) -> int:
        """Send a request and return the answer's status; its body is read with ``some``."""
        login = f"Authorization: {token}\r\n" if token else ""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self.endpoint}\r\nContent-Type: application/json\r\n"
            f"{login}Content-Length: {len(body)}\r\n\r\n"
        )
        try:
            self._socket.settimeout(seconds_left(self._patience(deadline)))
            self._socket.sendall(head.encode("ascii") + body)
        except OSError as error:
            raise BrokenError(said(error)) from error
        status = 100
        for _number in range(3):
            if status >= 200:
                break
            status = self._head(deadline)
        return status

    def some(self, deadline: float) -> bytes:
        """The next bytes of the body, b"" at its end. After ``LateError`` it can be called again."""
        if self._left == 0 and self._chunked:
            self._next_chunk(deadline)
        if not self._left:
            return b""
        if not self._buffer:
            self._fill(deadline)
        part = bytes(self._buffer[: self._left])
        del self._buffer[: len(part)]
        self._left -= len(part)
        self._ending = self._chunked and not self._left
        return part

    def _next_chunk(self, deadline: float) -> None:
        if self._ending:
            if self._line(deadline):
                raise BrokenError("its answer has chunks without an end")
            self._ending = False
        size = _SIZE.match(self._line(deadline, keep=True))
        if not size:
            raise BrokenError("its answer has chunks without a size")
        self._left = int(size.group(1), 16)
        if self._left:
            self._line(deadline)
            return
        end = self._find(b"\r\n\r\n", deadline)  # The last size, trailers, and an empty line.
        del self._buffer[: end + 4]
        self._chunked = False

    def _head(self, deadline: float) -> int:
        end = self._find(b"\r\n\r\n", self._patience(deadline))
        lines = bytes(self._buffer[:end]).split(b"\r\n")
        del self._buffer[: end + 4]
        status = _STATUS.match(lines[0])
        if not status:
            raise BrokenError("it does not speak HTTP")
        fields = {}
        for line in lines[1:]:
            name, _colon, value = line.partition(b":")
            fields[name.lower()] = value.strip().lower()
        self._close = fields.get(b"connection") == b"close"
        self._chunked = fields.get(b"transfer-encoding") == b"chunked"
        length = fields.get(b"content-length", b"")
        if self._chunked or status.group(1)[:1] == b"1":
            self._left = 0
        elif re.fullmatch(rb"[0-9]{1,15}", length):
            self._left = int(length)
        else:
            raise BrokenError("its answer has no length")
        if self._left > MAXIMUM_ANSWER:
            raise BrokenError(f"its answer is over {MAXIMUM_ANSWER >> 20} MiB")
        return int(status.group(1))

    def _line(self, deadline: float, keep: bool = False) -> bytes:
        end = self._find(b"\r\n", deadline)
        line = bytes(self._buffer[:end])
        if not keep:
            del self._buffer[: end + 2]
        return line

    def _find(self, what: bytes, deadline: float) -> int:
        while True:
            end = self._buffer.find(what, 0, _MAXIMUM_HEAD)
            if end >= 0:
                return end
            if len(self._buffer) >= _MAXIMUM_HEAD:
                raise BrokenError("its answer has a line without an end")
            self._fill(deadline)

    def _fill(self, deadline: float) -> None:
        try:
            self._socket.settimeout(seconds_left(deadline))
            data = self._socket.recv(_BLOCK)
        except socket.timeout as error:
            raise LateError("it did not answer in time") from error
        except OSError as error:
            raise BrokenError(said(error)) from error
        if not data:
            raise BrokenError("it closed the connection")
        self._buffer += data

    def _patience(self, deadline: float) -> float:
        return min(deadline, time.monotonic() + self._stall)
