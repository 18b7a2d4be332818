# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP to a review or CI server: bounded in bytes and in time, and nobody sends us elsewhere."""

from __future__ import annotations

import base64
import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

LIMIT = 16 << 20  # bytes of one answer
_BLOCK = 1 << 16
_SHOWN = 200  # characters of what a server said that a person is shown


class Answer(t.NamedTuple):
    """What a server said."""

    status: int
    headers: http.client.HTTPMessage
    data: bytes

    def said(self) -> str:
        """The beginning of the answer, in one line that can be shown anywhere."""
        return shown(self.data[: 4 * _SHOWN].decode("utf-8", "replace"))


def shown(text: str) -> str:
    """A stranger's text as one short line."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def basic(user: str, password: str) -> str:
    """The header Authorization of a user and a password."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Server:
    """One server; all that is asked of it ends within ``timeout`` seconds."""

    def __init__(self, url: str, authorization: str, timeout: float, ca_path: str | None = None) -> None:
        parts = urllib.parse.urlsplit(url)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if (
            parts.scheme not in ("http", "https")
            or not host
            or parts.query
            or parts.fragment
            or parts.username
        ):
            raise DistrogateError(
                "bad_url", f"{shown(url)!r} is not an address such as https://review.example.org/."
            )
        if authorization and parts.scheme == "http" and not _loopback(host):
            raise DistrogateError(
                "plain_password", f"{host} would be sent a secret without encryption. Use its https address."
            )
        self._where = (parts.scheme, host, port)
        self._prefix = parts.path.rstrip("/")
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if authorization:
            self._headers["Authorization"] = authorization
        self._ca_path, self._deadline, self._timeout = ca_path, time.monotonic() + timeout, timeout
        self.host = host

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: t.Mapping[str, str] | None = None
    ) -> Answer:
        """The whole answer. A redirection is an error: our secrets are for this server only."""
        what = f"{method} {path.partition('?')[0]} on {self.host}"
        try:
            answer = self._once(method, self._prefix + path, body, {**self._headers, **(headers or {})})
        except (OSError, http.client.HTTPException, ValueError) as error:
            late = time.monotonic() >= self._deadline or isinstance(error, TimeoutError)
            why = (
                f"it did not end within {self._timeout:g} seconds"
                if late
                else shown(str(error) or repr(error))
            )
            raise DistrogateError("unreachable", f"{what}: {why}.") from error
        if 300 <= answer.status < 400:
            target = shown(answer.headers.get("Location", "nowhere"))
            raise DistrogateError(
                "redirected",
                f"{what}: it sends us to {target}, which is not followed. Give the address itself.",
            )
        return answer

    def _once(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        connection = self._connection()
        # A server that sends a byte now and then never runs into the socket's own limit.
        connection.connect()
        # The socket itself: a connection forgets its own once it knows that the server is going to close.
        left = max(0.0, self._deadline - time.monotonic())
        watch = threading.Timer(left, _end, (connection.sock,))
        watch.daemon = True
        watch.start()
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, self._read(response))
        finally:
            watch.cancel()
            connection.close()

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        data = bytearray()
        while True:
            block = response.read(_BLOCK)
            data += block
            if time.monotonic() >= self._deadline:
                raise TimeoutError("timeout")
            if len(data) > LIMIT:
                raise ValueError(f"its answer has more than {LIMIT} bytes, which is not read")
            if not block:
                return bytes(data)

    def _connection(self) -> http.client.HTTPConnection:
        scheme, host, port = self._where
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timeout")
        if scheme == "https":
            context = ssl.create_default_context(cafile=self._ca_path)
            return http.client.HTTPSConnection(host, port, timeout=left, context=context)
        return http.client.HTTPConnection(host, port, timeout=left)


def _end(opened: socket.socket) -> None:
    with contextlib.suppress(OSError):
        opened.shutdown(socket.SHUT_RDWR)


def _loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
