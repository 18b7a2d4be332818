# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A web server on loopback, in a process of its own, which ends when its standard input does."""

from __future__ import annotations

import contextlib
import functools
import http.server
import pathlib
import subprocess
import sys
import threading
import typing as t

from ansible_collections.distrogate.ci.tests.faults.run import environment


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # readers keep their connection
    wbufsize = -1  # an answer is one packet: no waiting for acknowledgements
    disable_nagle_algorithm = True

    def log_message(self, *_args: t.Any) -> None:
        """Nobody reads it."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_args: t.Any) -> None:
        """A reader that went away is no error."""


@contextlib.contextmanager
def companion(module: str, *arguments: str) -> t.Iterator[subprocess.Popen[str]]:
    """A process of ``python -m module`` that goes on until its standard input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.communicate(timeout=120)


@contextlib.contextmanager
def serving(root: pathlib.Path) -> t.Iterator[str]:
    """Serve a folder; gives the URL."""
    with companion(__name__, str(root)) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"


def main(root: str) -> None:
    """Serve until standard input ends."""
    server = _Server(("127.0.0.1", 0), functools.partial(_Handler, directory=root))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
