# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mirrors that fail: the error says so with the log's last lines, and nothing is left."""

from __future__ import annotations

import http.server
import pathlib
import threading
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images._build_mmdebstrap import (
    MmdebstrapBuilder,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

if t.TYPE_CHECKING:
    from conftest import Output

_RELEASE = """-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Origin: Debian
Suite: bookworm
Codename: bookworm
Date: Sat, 01 Nov 2025 00:00:00 UTC
SHA256:
-----BEGIN PGP SIGNATURE-----

iHUEARYIAB0WIQQ=
-----END PGP SIGNATURE-----
"""


class _Mirror(http.server.BaseHTTPRequestHandler):
    contents: t.ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        text = self.contents.get(self.path)
        self.send_response(200 if text else 404)
        self.send_header("Content-Length", str(len(text or "")))
        self.end_headers()
        self.wfile.write((text or "").encode())

    def log_message(self, *_words: t.Any) -> None:
        pass


@pytest.fixture
def mirror() -> t.Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Mirror)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("contents", "words"),
    [({}, "404"), ({"/dists/bookworm/InRelease": _RELEASE}, "sign")],
    ids=["not-found", "bad-signature"],
)
def test_mirror(
    output: Output, mirror: str, monkeypatch: t.Any, contents: dict[str, str], words: str
) -> None:
    monkeypatch.setattr(_Mirror, "contents", contents)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    key = "/usr/share/keyrings/debian-archive-keyring.gpg"
    text = f"Types: deb\nURIs: {mirror}\nSuites: bookworm\nComponents: main\nSigned-By: {key}\n"
    request = ImageRequest("small", "mmdebstrap", "bookworm", mirror=text, formats=("tar",))
    with output.place() as place, pytest.raises(DistrogateError) as caught:
        MmdebstrapBuilder().build(request, place, 1700000000)
    error = caught.value
    assert error.reason == "command_failed" and words in error.message.lower(), error.message
    assert mirror in error.message and error.details["log"] == output.log
    assert output.work() == []
    layers = pathlib.Path(output.path, ".cache", "layers")
    assert [one.name for one in layers.iterdir() if not one.name.endswith(".lock")] == []
