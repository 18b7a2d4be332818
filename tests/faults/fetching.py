# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where readers get their files: from the disk, or over HTTP from a server on loopback."""

from __future__ import annotations

import contextlib
import functools
import http.client
import http.server
import pathlib
import threading
import typing as t

from ansible_collections.distrogate.ci.tests.faults.reading import Fetch


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # readers keep their connection

    def log_message(self, *_args: t.Any) -> None:
        """Nobody reads it."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_args: t.Any) -> None:
        """A reader that went away is no error."""


@contextlib.contextmanager
def serving(root: pathlib.Path) -> t.Iterator[int]:
    """Serve a folder; gives the port."""
    server = _Server(("127.0.0.1", 0), functools.partial(_Handler, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def over_http(port: int) -> t.Iterator[Fetch]:
    """Fetch over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def fetch(name: str) -> bytes:
        connection.request("GET", f"/{name}")
        answer = connection.getresponse()
        data = answer.read()
        if answer.status == 404:
            raise FileNotFoundError(name)
        assert answer.status == 200, f"{name}: {answer.status}"
        return data

    with contextlib.closing(connection):
        yield fetch


@contextlib.contextmanager
def from_disk(root: pathlib.Path) -> t.Iterator[Fetch]:
    """Fetch from a folder."""
    yield lambda name: (root / name).read_bytes()
