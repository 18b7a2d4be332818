# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One registry, in the words of the OCI distribution specification."""

from __future__ import annotations

import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_answer import Answer
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_auth import Access
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_http import Client
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_manifest import (
    ACCEPTED,
    Manifest,
    digest_of,
    read_manifest,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_names import (
    Origin,
    is_digest,
    joined,
    origin_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import parse_json

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 3
_AGENT = {"User-Agent": "distrogate.ci"}


def pull(repository: str) -> str:
    return f"repository:{repository}:pull"


def push(repository: str) -> str:
    return f"repository:{repository}:pull,push"


def remove(repository: str) -> str:
    return f"repository:{repository}:delete"


class Registry:
    """Asks one registry; every error names what was asked for."""

    def __init__(self, client: Client, origin: Origin, access: Access) -> None:
        self.client, self.origin, self._access = client, origin, access

    def reference(self, repository: str, name: str) -> str:
        """HOST/REPOSITORY:TAG or HOST/REPOSITORY@DIGEST, as people and other tools write it."""
        return f"{self.origin.netloc}/{repository}{'@' if is_digest(name) else ':'}{name}"

    def ask(
        self,
        method: str,
        path: str,
        scopes: tuple[str, ...],
        headers: t.Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """One request, with what the registry wants to know of us."""
        for attempt in range(3):  # unasked, with a token, and once more when that token was too old
            sent = {**_AGENT, **(headers or {}), **self._access.header(scopes)}
            answer = self.client.send(self.origin, method, path, sent, body)
            if answer.status != 401 or attempt == 2 or not self._access.learn(answer, scopes, sent):
                break
        if answer.status in _REDIRECTS and method in ("GET", "HEAD"):
            return self._follow(answer, method, path, headers or {})
        return answer

    def header(self, scopes: tuple[str, ...]) -> dict[str, str]:
        """The headers for a request that the caller sends itself, to this registry alone."""
        return {**_AGENT, **self._access.header(scopes)}

    def learn(self, answer: Answer, scopes: tuple[str, ...], sent: t.Mapping[str, str]) -> bool:
        """After a 401 to such a request: whether asking again, with new headers, may help."""
        return self._access.learn(answer, scopes, sent)

    def _follow(self, answer: Answer, method: str, path: str, headers: t.Mapping[str, str]) -> Answer:
        """Go where the registry points, and tell nobody there who we are."""
        address = self.origin.url + path
        for _hop in range(_MOST_REDIRECTS):
            origin, address = self.redirect(answer, address)
            answer = self.client.send(origin, method, path_of(address), {**_AGENT, **headers}, None)
            if answer.status not in _REDIRECTS:
                return answer
        raise DistrogateError("registry_failed", f"{self.origin.url}{path} is redirected again and again.")

    def redirect(self, answer: Answer, address: str) -> tuple[Origin, str]:
        """Where an answer redirects to, if that is a place to go to."""
        location = answer.headers.get("Location", "")
        target = joined(address, location)
        origin = origin_of(target)
        if origin is None or (origin.scheme == "http" and self.origin.scheme == "https"):
            raise DistrogateError(
                "registry_failed",
                f"{address} is redirected to {location[:200]!r}, which is no https address.",
            )
        return origin, target

    def failed(self, answer: Answer, what: str, **details: t.Any) -> DistrogateError:
        """What the registry said about ``what``."""
        hint = ""
        if answer.status in (401, 403):
            hint = " Give username and password, or an auth_file, of a user who may."
        said = f": {_said(answer.data)}" if answer.data else ""
        return DistrogateError(
            "registry_failed",
            f"{self.origin.url} answered {answer.status} to {what}{said}.{hint}",
            status=answer.status,
            **details,
        )

    def manifest(self, repository: str, name: str) -> Manifest | None:
        """The manifest of a tag or a digest; None when there is none."""
        place = self.reference(repository, name)
        path = f"/v2/{repository}/manifests/{name}"
        answer = self.ask("GET", path, (pull(repository),), {"Accept": ACCEPTED})
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise self.failed(answer, f"GET {place}", digest=name)
        kind = answer.headers.get("Content-Type", "")
        return read_manifest(answer.data, kind, place, name if is_digest(name) else "")

    def tagged(self, repository: str, tag: str) -> str | None:
        """The digest that a tag has; None when there is no such tag."""
        path = f"/v2/{repository}/manifests/{tag}"
        answer = self.ask("HEAD", path, (pull(repository),), {"Accept": ACCEPTED})
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise self.failed(answer, f"HEAD {self.reference(repository, tag)}")
        digest = answer.headers.get("Docker-Content-Digest", "")
        if is_digest(digest):
            return digest
        manifest = self.manifest(repository, tag)  # a registry may leave the header out
        return manifest.digest if manifest else None

    def put(self, repository: str, name: str, data: bytes, media_type: str) -> Answer:
        """Offer a manifest; the caller looks at the status."""
        path = f"/v2/{repository}/manifests/{name}"
        return self.ask("PUT", path, (push(repository),), {"Content-Type": media_type}, data)

    def put_manifest(self, repository: str, name: str, data: bytes, media_type: str) -> Answer:
        """Store these bytes, under a tag or by their digest."""
        expected = digest_of(data)
        answer = self.put(repository, name, data, media_type)
        what = f"PUT {self.reference(repository, name)}"
        if answer.status != 201:
            raise self.failed(answer, f"{what} ({expected})", digest=expected)
        found = answer.headers.get("Docker-Content-Digest", expected)
        if found != expected:
            raise DistrogateError(
                "digest_mismatch",
                f"{self.origin.url} stored {found[:100]!r} on {what}, not {expected}.",
                digest=expected,
            )
        return answer

    def delete(self, repository: str, name: str) -> Answer:
        """Delete a manifest, or a tag where the registry can; the caller looks at the status."""
        return self.ask("DELETE", f"/v2/{repository}/manifests/{name}", (remove(repository),))

    def referrers(self, repository: str, digest: str) -> list[t.Any] | None:
        """The descriptors of what names ``digest`` as its subject; None when the registry cannot tell."""
        answer = self.ask("GET", f"/v2/{repository}/referrers/{digest}", (pull(repository),))
        if answer.status in (404, 405):
            return None
        what = f"the referrers of {self.reference(repository, digest)}"
        if answer.status != 200:
            raise self.failed(answer, what, digest=digest)
        value = parse_json(answer.data, what)
        found = value.get("manifests") if isinstance(value, dict) else None
        return found if isinstance(found, list) else None


def path_of(address: str) -> str:
    """What stands in the request line for an address."""
    parts = urllib.parse.urlsplit(address)
    path = urllib.parse.quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = urllib.parse.quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    return f"{path}?{query}" if query else path


def _said(data: bytes) -> str:
    """The first error of a registry's answer, for a person; a stranger's text, so it is cut and cleaned."""
    text = ""
    try:
        error = parse_json(data, "the answer", 1 << 16)["errors"][0]
        text = f"{error['code']} {error.get('message', '')}"
    except (DistrogateError, KeyError, TypeError, IndexError, AttributeError):
        text = data[:200].decode("utf-8", "replace")
    return "".join(character if character.isprintable() else " " for character in text)[:200].strip()
