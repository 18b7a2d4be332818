# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The address of an etcd store: ``etcd://[user@]h1:p1,h2:p2[/namespace]?ca=…&cert=…&key=…&password_file=…&timeout=…``."""

from __future__ import annotations

import dataclasses
import re
import ssl
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

SCHEME = "etcd://"
_OPTIONS = ("ca", "cert", "key", "password_file", "timeout")
_FORM = "Use etcd://[user@]host:port,host:port[/namespace]?ca=/path&cert=/path&key=/path&password_file=/path."
_ENDPOINT = re.compile(r"(?:\[([0-9A-Fa-f:.%]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?")
_PORT = 2379
_NAMESPACE = "distrogate"
_MAXIMUM_PASSWORD = 4096


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """One node of the store."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclasses.dataclass(frozen=True)
class Address:
    """Where the store is, and how one is let in. ``prefix`` stands before every key."""

    endpoints: tuple[Endpoint, ...]
    prefix: bytes
    timeout: float
    context: ssl.SSLContext | None = None
    user: str = ""
    password: str = dataclasses.field(default="", repr=False)

    def __str__(self) -> str:
        return SCHEME + ",".join(str(endpoint) for endpoint in self.endpoints)


def parse_address(url: str, environment: t.Mapping[str, str]) -> Address:
    """Read the address; its files are read now, so that a wrong path is told at once."""
    place, _mark, query = url[len(SCHEME) :].partition("?")
    authority, _slash, namespace = place.partition("/")
    login, _at, hosts = authority.rpartition("@")
    if ":" in login:
        raise _bad(
            "it has a password in it, which lists of processes and logs would show; give the file of the"
            " password with password_file=, or set DISTROGATE_STORE_PASSWORD"
        )
    options = _options(query)
    user = urllib.parse.unquote(login)
    return Address(
        endpoints=tuple(_endpoint(text) for text in hosts.split(",")),
        prefix=_prefix(namespace),
        timeout=_timeout(options.get("timeout", "10")),
        context=_context(options),
        user=user,
        password=_password(user, options.get("password_file", ""), environment),
    )


def _bad(why: str) -> DistrogateError:
    # Never with the address itself: it may hold a secret.
    return DistrogateError("bad_store", f"The address of the etcd store cannot be used: {why}. {_FORM}")


def _options(query: str) -> dict[str, str]:
    try:
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError as error:
        raise _bad("what follows its question mark is not name=value&name=value") from error
    for name, value in pairs:
        if name not in _OPTIONS:
            raise _bad(f"it has the option {name[:40]!r}; known are {', '.join(_OPTIONS)}")
        if not value:
            raise _bad(f"its option {name} is empty")
    if len(dict(pairs)) < len(pairs):
        raise _bad("it gives one option twice")
    return dict(pairs)


def _endpoint(text: str) -> Endpoint:
    found = _ENDPOINT.fullmatch(text)
    port = int(found.group(3) or _PORT) if found else 0
    if not found or not 0 < port < 65536:
        raise _bad(f"{text[:80]!r} is not host:port")
    return Endpoint(found.group(1) or found.group(2), port)


def _prefix(namespace: str) -> bytes:
    text = urllib.parse.unquote(namespace).strip("/") or _NAMESPACE
    if "\0" in text or len(text) > 200:
        raise _bad("its namespace has a NUL or is over 200 characters")
    return text.encode() + b"/"


def _timeout(text: str) -> float:
    try:
        timeout = float(text)
    except ValueError:
        timeout = 0.0
    if not 0.5 <= timeout <= 600:
        raise _bad("its timeout is not a number of seconds from 0.5 to 600")
    return timeout


def _context(options: dict[str, str]) -> ssl.SSLContext | None:
    ca, cert, key = options.get("ca"), options.get("cert"), options.get("key")
    if not ca:
        if cert or key:
            raise _bad("it has cert or key without ca, so it would not use TLS; give the authority with ca=")
        return None
    if bool(cert) != bool(key):
        raise _bad("cert and key must be given together")
    try:
        context = ssl.create_default_context(cafile=ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if cert and key:
            # An encrypted key would make OpenSSL ask at the terminal.
            context.load_cert_chain(cert, key, password=str)
    except OSError as error:
        files = " or ".join(name for name in (ca, cert, key) if name)
        raise _bad(f"the TLS file {files} cannot be used: {error}") from error
    return context


def _password(user: str, path: str, environment: t.Mapping[str, str]) -> str:
    if not user:
        if path:
            raise _bad("it has password_file but no user; write the user before the hosts, as in user@host")
        return ""
    password = _read_password(path) if path else environment.get("DISTROGATE_STORE_PASSWORD", "")
    if not password:
        raise _bad(
            "it has a user but no password: give password_file= (a file that is not empty),"
            " or set DISTROGATE_STORE_PASSWORD"
        )
    return password


def _read_password(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read(_MAXIMUM_PASSWORD).rstrip("\r\n")
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise _bad(f"the password file {path} cannot be read: {said}") from error
