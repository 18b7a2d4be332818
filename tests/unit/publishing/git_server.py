# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""git over http on the loopback interface, for who knows the password."""

from __future__ import annotations

import base64
import http.server
import os
import pathlib
import subprocess
import threading
import typing as t


class GitServer:
    """Serves the repositories below a folder with git-http-backend(1); ``moved`` sends all elsewhere."""

    def __init__(self, folder: pathlib.Path, user: str, password: str, moved: str = "") -> None:
        self.asked: list[str] = []
        self.secrets: list[str | None] = []
        secret = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        backend = subprocess.run(
            ["git", "--exec-path"], check=True, capture_output=True, text=True
        ).stdout.strip()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                outer.secrets.append(self.headers.get("Authorization"))
                if moved:
                    self.send_response(302)
                    self.send_header("Location", moved + self.path)
                    self.end_headers()
                elif self.headers.get("Authorization") != secret:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", "Basic")
                    self.end_headers()
                else:
                    self._serve()

            do_POST = do_GET  # noqa: N815

            def _serve(self) -> None:
                path, _mark, query = self.path.partition("?")
                environment = {
                    "PATH": os.environ["PATH"],
                    "GIT_PROJECT_ROOT": str(folder),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "GIT_CONFIG_NOSYSTEM": "1",
                    "GIT_CONFIG_GLOBAL": os.devnull,
                    "REQUEST_METHOD": self.command,
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                    "REMOTE_USER": user,
                }
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                argv = [f"{backend}/git-http-backend"]
                done = subprocess.run(argv, env=environment, input=body, capture_output=True, check=False)
                head, _blank, data = done.stdout.partition(b"\r\n\r\n")
                fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
                self.send_response(int(fields.pop("Status", "200").split()[0]))
                for name, value in fields.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_arguments: t.Any) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> GitServer:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
