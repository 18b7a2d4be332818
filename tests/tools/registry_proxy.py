# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy on loopback before a registry that knows HTTP: it counts what passes, and does one thing wrong."""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import http.client
import http.server
import socket
import threading
import typing as t
import urllib.parse

_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length")


@dataclasses.dataclass
class Exchange:
    """One request and its answer. A rule changes ``answer`` before it is sent on."""

    number: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int = 0
    answer: dict[str, str] = dataclasses.field(default_factory=dict)
    data: bytes = b""

    @property
    def manifest(self) -> bool:
        return "/manifests/" in self.path

    @property
    def blob_bytes(self) -> int:
        """How many bytes of blobs it moved, either way."""
        if "/blobs/" not in self.path:
            return 0
        return len(self.body) + (len(self.data) if self.method == "GET" and self.status == 200 else 0)


class CutError(Exception):
    """Break the connection off, after some bytes of the answer."""

    def __init__(self, after: int = 0) -> None:
        super().__init__()
        self.after = after


Rule = collections.abc.Callable[[Exchange], None]


class RegistryProxy:
    """``before`` may answer by setting a status, or raise CutError; ``after`` sees the registry's answer."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.exchanges: list[Exchange] = []
        self.before: Rule | None = None
        self.after: Rule | None = None
        self._lock = threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def forget(self) -> None:
        """No rule, and nothing counted."""
        self.before = self.after = None
        self.exchanges = []

    def asked(self, method: str = "", part: str = "") -> list[Exchange]:
        return [one for one in self.exchanges if method in ("", one.method) and part in one.path]

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def log_message(self, *_words: object) -> None:
                pass

            def serve(self) -> None:
                proxy.serve(self)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = serve  # noqa: N815

        return Handler

    def serve(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self._lock:
            number = len(self.exchanges) + 1
            headers = {name.lower(): value for name, value in handler.headers.items()}
            exchange = Exchange(number, handler.command, handler.path, headers, body)
            self.exchanges.append(exchange)
        try:
            if self.before:
                self.before(exchange)
            if not exchange.status:
                self._forward(exchange)
                if self.after:
                    self.after(exchange)
            self._send(handler, exchange)
        except CutError as cut:
            with contextlib.suppress(OSError):
                self._send(handler, exchange, cut.after)
            handler.close_connection = True
            with contextlib.suppress(OSError):
                handler.connection.shutdown(socket.SHUT_RDWR)
        except OSError:  # whoever asked was killed
            handler.close_connection = True

    def _forward(self, exchange: Exchange) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=60)
        try:
            headers = {name: value for name, value in exchange.headers.items() if name not in _HOP}
            headers["content-length"] = str(len(exchange.body))
            connection.request(exchange.method, exchange.path, exchange.body, headers)
            answer = connection.getresponse()
            exchange.status, exchange.data = answer.status, answer.read()
            exchange.answer = dict(answer.getheaders())
        finally:
            connection.close()

    @staticmethod
    def _send(
        handler: http.server.BaseHTTPRequestHandler, exchange: Exchange, cut: int | None = None
    ) -> None:
        lines = [f"HTTP/1.1 {exchange.status or 200} X"]
        if exchange.method != "HEAD":
            exchange.answer = {k: v for k, v in exchange.answer.items() if k.lower() not in _HOP}
            exchange.answer["Content-Length"] = str(len(exchange.data))
        lines += [f"{name}: {value}" for name, value in exchange.answer.items()]
        whole = "\r\n".join([*lines, "", ""]).encode() + (b"" if exchange.method == "HEAD" else exchange.data)
        handler.wfile.write(whole[:cut])
        handler.wfile.flush()

    def __enter__(self: P) -> P:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


P = t.TypeVar("P", bound=RegistryProxy)


def query(exchange: Exchange) -> dict[str, list[str]]:
    """What stands behind the question mark."""
    return urllib.parse.parse_qs(urllib.parse.urlsplit(exchange.path).query)
