# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who we are at a registry: Basic, or a Bearer token from the server that the registry names."""

from __future__ import annotations

import base64
import os
import re
import stat
import threading
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_answer import Answer
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_http import Client
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_names import Origin, origin_of
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import parse_json

_PARAMETER = re.compile(r'([a-z_]{1,32})="([^"\\]{0,2048})"')
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,65536}")
_LIMIT = 1 << 20

Credentials = tuple[str, str]


def _basic(credentials: Credentials) -> str:
    return "Basic " + base64.b64encode(":".join(credentials).encode("utf-8")).decode("ascii")


def _bad_file(path: str, why: str) -> DistrogateError:
    return DistrogateError("bad_auth_file", f"The auth_file {path} {why}.")


def read_auth_file(path: str) -> dict[str, Credentials]:
    """The credentials in a file such as docker login and skopeo login write, by registry."""
    with open(path, "rb") as stream:
        if stat.S_IMODE(os.fstat(stream.fileno()).st_mode) & 0o077:
            raise _bad_file(path, "can be read by others: chmod 600 it")
        data = stream.read(_LIMIT + 1)
    try:
        entries = parse_json(data, path, _LIMIT)["auths"]
        return {_registry_name(name): _entry(path, name, entry) for name, entry in entries.items()}
    except DistrogateError as error:
        # Without the cause: a parser's message may quote what it read.
        why = "is no JSON" if error.reason == "bad_json" else error.message
        raise _bad_file(path, why) if error.reason == "bad_json" else error from None
    except (KeyError, TypeError, AttributeError, ValueError):
        raise _bad_file(path, "does not have the form of docker's config.json (auths, auth)") from None


def _registry_name(name: str) -> str:
    return name.partition("://")[2].partition("/")[0] if "://" in name else name


def _entry(path: str, name: str, entry: t.Any) -> Credentials:
    if not entry.get("auth"):
        raise _bad_file(path, f"has no password for {name}: helpers and identity tokens are not asked")
    user, colon, password = base64.b64decode(entry["auth"], validate=True).decode("utf-8").partition(":")
    if not colon:
        raise ValueError
    return user, password


class Access:
    """The headers that one registry is to see. What it challenged us with once is kept."""

    def __init__(
        self,
        client: Client,
        origin: Origin,
        credentials: Credentials | None = None,
        token_hosts: t.Collection[str] = (),
    ) -> None:
        self._client, self._origin = client, origin
        self._credentials, self._token_hosts = credentials, token_hosts
        self._lock = threading.Lock()
        self._scheme = ""  # until the registry asked for something: nothing is sent unasked
        self._realm: dict[str, str] = {}
        self._tokens: dict[tuple[str, ...], str] = {}

    def header(self, scopes: tuple[str, ...]) -> dict[str, str]:
        """The header for a request that needs these scopes."""
        with self._lock:
            if self._scheme == "basic" and self._credentials:
                return {"Authorization": _basic(self._credentials)}
            if self._scheme == "bearer":
                if scopes not in self._tokens:
                    self._tokens[scopes] = self._fetch(scopes)
                return {"Authorization": f"Bearer {self._tokens[scopes]}"}
        return {}

    def learn(self, answer: Answer, scopes: tuple[str, ...], sent: t.Mapping[str, str]) -> bool:
        """Take what a 401 says; whether asking again may help."""
        challenges = [text[:8192] for text in answer.headers.get_all("WWW-Authenticate", [])]
        with self._lock:
            for text in challenges:
                scheme, _space, rest = text.strip().partition(" ")
                if scheme.lower() == "bearer":
                    self._realm = dict(_PARAMETER.findall(rest))
                    # A token that another thread brought since is not thrown away.
                    if f"Bearer {self._tokens.get(scopes)}" in sent.values():
                        del self._tokens[scopes]
                    self._scheme = "bearer"
                    return True
                if scheme.lower() == "basic" and self._credentials:
                    self._scheme = "basic"
                    return "Authorization" not in sent
        return False

    def _fetch(self, scopes: tuple[str, ...]) -> str:
        realm = self._realm.get("realm", "")
        origin = origin_of(realm)
        if origin is None or (origin.scheme == "http" and self._origin.scheme != "http"):
            raise self._refused(f"wants a token from {realm[:200]!r}, which is no https address")
        headers = {}
        if self._credentials:
            if origin.host not in (self._origin.host, *self._token_hosts):
                raise self._refused(
                    f"wants the password sent to {origin.host}; name that in token_hosts if you trust it"
                )
            headers["Authorization"] = _basic(self._credentials)
        parts = urllib.parse.urlsplit(realm)
        query = urllib.parse.parse_qsl(parts.query)
        query += [("service", self._realm["service"])] if self._realm.get("service") else []
        query += [("scope", scope) for scope in scopes]
        path = (
            urllib.parse.quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
            + "?"
            + urllib.parse.urlencode(query)
        )
        answer = self._client.send(origin, "GET", path, headers, None, limit=_LIMIT)
        if not answer.ok:
            raise self._refused(f"sends us to {origin.url} for a token, which answers {answer.status}")
        found = parse_json(answer.data, f"the token of {origin.url}", _LIMIT)
        token = found.get("token") or found.get("access_token") if isinstance(found, dict) else None
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise self._refused(f"sends us to {origin.url} for a token, which gives none")
        return token

    def _refused(self, why: str) -> DistrogateError:
        return DistrogateError("registry_failed", f"{self._origin.url} {why}.", status=401)
