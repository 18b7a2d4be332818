# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that gives tokens for a docker-registry ("token" authentication), signed as that wants them."""

from __future__ import annotations

import base64
import datetime
import http.server
import json
import pathlib
import threading
import time
import typing as t
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

_DAY = datetime.timedelta(days=1)


def _coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenServer:
    """Gives whoever knows the password what is asked for, except ``denied`` repositories."""

    def __init__(self, folder: pathlib.Path, credentials: str) -> None:
        self.asked: list[list[str]] = []
        self.denied: set[str] = set()
        self.seconds = 60
        self._basic = "Basic " + base64.b64encode(credentials.encode()).decode()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._certified()
        folder.mkdir(parents=True, exist_ok=True)
        self._bundle = folder / "tokens.pem"
        self._bundle.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/token?kind=test"

    @property
    def auth(self) -> str:
        """The section of the registry's configuration."""
        return (
            f"auth: {{token: {{realm: '{self.url}', service: tests, issuer: tests,"
            f" rootcertbundle: {self._bundle}}}}}\n"
        )

    def _certified(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
        builder = builder.public_key(self._key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - _DAY).not_valid_after(now + _DAY)
        return builder.sign(self._key, hashes.SHA256())

    def token(self, scopes: list[str]) -> str:
        """A JSON Web Token with these scopes."""
        rows = [scope.split(":") for scope in scopes]
        access = [
            {"type": kind, "name": name, "actions": actions.split(",")}
            for kind, name, actions in rows
            if name not in self.denied
        ]
        now = int(time.time())
        der = self._certificate.public_bytes(serialization.Encoding.DER)
        head = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
        times = {"nbf": now - 60, "iat": now, "exp": now + self.seconds}
        claims = {"iss": "tests", "sub": "promoter", "aud": "tests", "jti": "1", "access": access, **times}
        text = ".".join(_coded(json.dumps(part).encode()) for part in (head, claims))
        r, s = decode_dss_signature(self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{_coded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_words: object) -> None:
                pass

            def do_GET(self) -> None:
                asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                scopes = asked.get("scope", [])
                server.asked.append(scopes)
                good = self.headers.get("Authorization") == server._basic and asked["kind"] == ["test"]
                body = json.dumps({"token": server.token(scopes)} if good else {}).encode()
                self.send_response(200 if good else 401)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler

    def __enter__(self: T) -> T:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


T = t.TypeVar("T", bound=TokenServer)
