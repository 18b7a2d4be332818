# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for Keystone and Glance on a free port: ``cloud.py start|stop|images FOLDER``.

The real ones take longer to start than a test may; tests/real has them.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t
import urllib.parse
import urllib.request
import uuid

IMAGES: dict[str, dict[str, t.Any]] = {}
PASSWORD = "integration-secret"
PROJECT = "0123456789abcdef0123456789abcdef"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: t.Any) -> None:
        """Quiet."""

    def _answer(self, status: int, value: t.Any = None, **headers: str) -> None:
        data = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **headers,
        }.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(data)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = []
        while size := int(self.rfile.readline(), 16):
            found.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(found)

    @property
    def _own(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def do_POST(self) -> None:
        body = json.loads(self._body())
        if self.path.endswith("/auth/tokens"):
            self._login(body)
            return
        image = {
            "tags": [],
            "os_hidden": False,
            "owner": PROJECT,
            **body,
            "id": str(uuid.uuid4()),
            "status": "queued",
        }
        IMAGES[image["id"]] = {**image, "updated_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        self._answer(201, IMAGES[image["id"]])

    def _login(self, body: dict[str, t.Any]) -> None:
        if body["auth"]["identity"]["password"]["user"]["password"] != PASSWORD:
            self._answer(401, {"error": {"message": "No.", "code": 401, "title": "Unauthorized"}})
            return
        endpoints = [
            {"interface": kind, "region": "R1", "region_id": "R1", "url": self._own, "id": kind}
            for kind in ("public", "internal", "admin")
        ]
        token = {
            "methods": ["password"],
            "expires_at": "2099-01-01T00:00:00.000000Z",
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "project": {"id": PROJECT, "name": "images", "domain": {"id": "default", "name": "Default"}},
            "user": {"id": "publisher", "name": "publisher", "domain": {"id": "default", "name": "Default"}},
            "roles": [],
            "catalog": [{"type": "image", "name": "glance", "id": "glance", "endpoints": endpoints}],
        }
        self._answer(201, {"token": token}, X_Subject_Token="token")

    def do_GET(self) -> None:
        address = urllib.parse.urlsplit(self.path)
        if address.path.startswith("/v2/images/"):
            image = IMAGES.get(address.path.rpartition("/")[2])
            self._answer(200 if image else 404, image)
        elif address.path == "/v2/images":
            asked = {key: value for key, (value,) in urllib.parse.parse_qs(address.query).items()}
            hidden = asked.pop("os_hidden", "false") == "true"
            ours = {key: value for key, value in asked.items() if key.startswith("distrogate_")}
            found = [one for one in IMAGES.values() if one["os_hidden"] == hidden]
            self._answer(200, {"images": [one for one in found if ours.items() <= one.items()]})
        elif address.path.startswith("/v3"):
            link = [{"rel": "self", "href": f"{self._own}/v3/"}]
            self._answer(200, {"version": {"id": "v3.14", "status": "stable", "links": link}})
        else:
            link = [{"rel": "self", "href": f"{self._own}/v2/"}]
            self._answer(300, {"versions": [{"id": "v2.16", "status": "CURRENT", "links": link}]})

    def do_PUT(self) -> None:
        data, image = self._body(), IMAGES[self.path.split("/")[3]]
        sha512 = hashlib.sha512(data).hexdigest()
        image.update(status="active", os_hash_algo="sha512", os_hash_value=sha512, size=len(data))
        self._answer(204)

    def do_PATCH(self) -> None:
        image = IMAGES[self.path.rpartition("/")[2]]
        for one in json.loads(self._body()):
            if one["op"] == "remove":
                del image[one["path"][1:]]
            else:
                image[one["path"][1:]] = one["value"]
        self._answer(200, image)

    def do_DELETE(self) -> None:
        self._answer(204 if IMAGES.pop(self.path.rpartition("/")[2], None) else 404)


def serve(folder: pathlib.Path) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    (folder / "port.new").write_text(str(server.server_address[1]))
    (folder / "port.new").rename(folder / "port")
    server.serve_forever()


def start(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "log", "ab") as log:
        argv = [sys.executable, __file__, "serve", str(folder)]
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    (folder / "pid").write_text(str(process.pid))
    for _attempt in range(200):
        with contextlib.suppress(FileNotFoundError):
            print(f"http://127.0.0.1:{(folder / 'port').read_text()}")
            return
        time.sleep(0.05)
    raise SystemExit("the stand-in did not start")


def stop(folder: pathlib.Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        pid = int((folder / "pid").read_text())
        (folder / "pid").unlink()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def images(folder: pathlib.Path) -> None:
    """What readers find: by the name of the file that the key is made of, how it is named or hidden."""
    url, found = f"http://127.0.0.1:{(folder / 'port').read_text()}/v2/images", {}
    for hidden in ("false", "true"):
        with urllib.request.urlopen(f"{url}?os_hidden={hidden}", timeout=30) as answer:
            for image in json.load(answer)["images"]:
                said = "hidden" if image["os_hidden"] else image.get("distrogate_channel_latest", "listed")
                found[image["distrogate_key"]] = [said, *image["tags"]]
    print(json.dumps(found))


if __name__ == "__main__":
    {"serve": serve, "start": start, "stop": stop, "images": images}[sys.argv[1]](pathlib.Path(sys.argv[2]))
