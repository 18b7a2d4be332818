# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand-ins for Gerrit, Jenkins and Zuul: they answer in the documented forms, and are none of them.

Gerrit: "/changes/ REST API" (Query Changes, ``_more_changes``, the line ``)]}'``; Set Review).
Jenkins: "Remote Access API" (buildWithParameters answers 201 with the queue item as Location) and
"CSRF Protection" (crumbIssuer; the crumb belongs to the session of its cookie).
Zuul: web/openapi and zuul.web.ZuulWebAPI.enqueue (answers ``true``).
"""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import typing as t
import urllib.parse

Seen = list[tuple[str, str, dict[str, str], bytes]]


class Handler(http.server.BaseHTTPRequestHandler):
    """Hands requests to the stand-in."""

    stand_in: StandIn

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.stand_in.seen.append((self.command, self.path, dict(self.headers), body))
        with contextlib.suppress(ConnectionError):
            self.stand_in.answer(self, body)

    def say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: t.Any) -> None:
        pass


class StandIn:
    """A server on the loopback address, on a free port, while the body of ``with`` runs."""

    def __init__(self) -> None:
        self.seen: Seen = []
        handler = type("OwnHandler", (Handler,), {"stand_in": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.ended = threading.Event()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> t.Any:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: Handler, body: bytes) -> None:
        raise NotImplementedError


class Gerrit(StandIn):
    """Open changes, in pages of ``page``."""

    def __init__(self, changes: list[dict[str, t.Any]], page: int = 3) -> None:
        super().__init__()
        self.changes, self.page = changes, page

    def answer(self, request: Handler, body: bytes) -> None:
        parts = urllib.parse.urlsplit(request.path)
        if parts.path.endswith("/review"):
            return request.say(200, b")]}'\n{}\n")
        asked = urllib.parse.parse_qs(parts.query)
        skip = int(asked.get("S", ["0"])[0])
        found = [dict(one) for one in self.changes[skip : skip + min(self.page, int(asked["n"][0]))]]
        if skip + len(found) < len(self.changes):
            found[-1]["_more_changes"] = True
        return request.say(200, b")]}'\n" + json.dumps(found).encode(), Content_Type="application/json")


class Jenkins(StandIn):
    """Queues builds; refuses those of changes in ``refuses``; wants a crumb and its cookie if ``crumb``."""

    def __init__(self, refuses: tuple[str, ...] = (), crumb: bool = False) -> None:
        super().__init__()
        self.refuses, self.crumb = refuses, crumb

    def answer(self, request: Handler, body: bytes) -> None:
        if request.path == "/crumbIssuer/api/json":
            said = b'{"crumb": "c1", "crumbRequestField": "Jenkins-Crumb"}'
            return request.say(200, said, Set_Cookie="JSESSIONID=s1; Path=/; HttpOnly")
        own = (request.headers.get("Jenkins-Crumb"), request.headers.get("Cookie"))
        if self.crumb and own != ("c1", "JSESSIONID=s1"):
            return request.say(403, b"<html>No valid crumb was included in the request</html>")
        if urllib.parse.parse_qs(body.decode())["GERRIT_CHANGE_NUMBER"][0] in self.refuses:
            return request.say(500, b"<html><script>alert(1)</script>\x1b[31m</html>")
        return request.say(201, b"", Location=f"{self.url}queue/item/7/")


class Zuul(StandIn):
    """Enqueues for those who come with the token ``t1``."""

    def answer(self, request: Handler, body: bytes) -> None:
        if request.headers.get("Authorization") != "Bearer t1":
            return request.say(401, b'{"description": "Invalid token"}')
        return request.say(200, b"true" if json.loads(body)["pipeline"] == "check" else b"false")


class Bad(StandIn):
    """Answers as it was told: ``call(request, the stand-in)``."""

    def __init__(self, call: t.Callable[[Handler, StandIn], None]) -> None:
        super().__init__()
        self._call = call

    def answer(self, request: Handler, body: bytes) -> None:
        self._call(request, self)
