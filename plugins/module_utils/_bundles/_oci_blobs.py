# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blobs: whether a repository has them, mounts from its neighbours, and copies where nothing else helps."""

from __future__ import annotations

import hashlib
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_answer import Answer, blocks
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_manifest import Descriptor
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_names import (
    is_digest,
    joined,
    origin_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_registry import (
    Registry,
    path_of,
    pull,
    push,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_STREAM = "application/octet-stream"


def missing(registry: Registry, repository: str, blob: Descriptor) -> DistrogateError:
    """A blob that a manifest names and the registry has lost."""
    return DistrogateError(
        "blob_missing",
        f"{registry.reference(repository, blob.digest)} is not there, though a manifest names it."
        " Push the image anew.",
        digest=blob.digest,
    )


def has_blob(registry: Registry, repository: str, blob: Descriptor) -> bool:
    """Whether a repository has a blob, of the size that was said."""
    answer = registry.ask("HEAD", _path(repository, blob.digest), (pull(repository),))
    if answer.status == 404:
        return False
    if answer.status != 200:
        place = registry.reference(repository, blob.digest)
        raise registry.failed(answer, f"HEAD {place}", digest=blob.digest)
    size = answer.headers.get("Content-Length", "")
    if size != str(blob.size):
        raise DistrogateError(
            "digest_mismatch",
            f"{registry.reference(repository, blob.digest)} has {size[:20]} bytes, not {blob.size}.",
            digest=blob.digest,
        )
    return True


def mount(registry: Registry, source: str, repository: str, blob: Descriptor) -> None:
    """Make a blob of ``source`` one of ``repository`` as well; nothing is moved."""
    query = urllib.parse.urlencode({"mount": blob.digest, "from": source})
    scopes = (push(repository), pull(source))
    answer = registry.ask("POST", f"/v2/{repository}/blobs/uploads/?{query}", scopes, {"Content-Length": "0"})
    if answer.status == 201:
        return
    what = f"mounting {blob.digest} of {source} in {repository}"
    if answer.status != 202:
        raise registry.failed(answer, what, digest=blob.digest)
    _forget(registry, repository, answer)  # it offers an upload instead
    if not has_blob(registry, source, blob):
        raise missing(registry, source, blob)
    raise DistrogateError(
        "mount_refused",
        f"{registry.origin.url} has {blob.digest} in {source} and does not mount it in {repository}:"
        " the user may not read the one, or the registry cannot. Promote within one repository instead.",
        digest=blob.digest,
    )


def _forget(registry: Registry, repository: str, answer: Answer) -> None:
    location = _upload(registry, answer)
    if location:
        registry.ask("DELETE", location, (push(repository),))


def _upload(registry: Registry, answer: Answer) -> str | None:
    """Where an upload goes; only this registry itself will do, for it is told who we are."""
    address = joined(registry.origin.url, answer.headers.get("Location", ""))
    return path_of(address) if origin_of(address) == registry.origin else None


def _begin(registry: Registry, repository: str, digest: str) -> str:
    """Open an upload; returns the path for its one PUT."""
    path = f"/v2/{repository}/blobs/uploads/"
    answer = registry.ask("POST", path, (push(repository),), {"Content-Length": "0"})
    location = _upload(registry, answer) if answer.status == 202 else None
    if location is None:
        raise registry.failed(answer, f"an upload to {repository}", digest=digest)
    return f"{location}{'&' if '?' in location else '?'}digest={urllib.parse.quote(digest)}"


def upload(registry: Registry, repository: str, blob: Descriptor, data: bytes) -> bool:
    """Store a small blob of ours; whether it was not there."""
    if has_blob(registry, repository, blob):
        return False
    location = _begin(registry, repository, blob.digest)
    answer = registry.ask("PUT", location, (push(repository),), {"Content-Type": _STREAM}, data)
    if answer.status != 201:
        raise registry.failed(answer, f"the upload of {blob.digest} to {repository}", digest=blob.digest)
    return True


def copy(
    source: Registry, source_repository: str, registry: Registry, repository: str, blob: Descriptor
) -> None:
    """Bring a blob from another registry, through us, a block at a time."""
    if has_blob(registry, repository, blob):
        return

    def once() -> Answer:
        location = _begin(registry, repository, blob.digest)
        length = {"Content-Type": _STREAM, "Content-Length": str(blob.size)}
        headers = {**length, **registry.header((push(repository),))}
        body = _stream(source, source_repository, blob)
        try:
            return registry.client.put_stream(registry.origin, location, headers, body)
        finally:
            body.close()

    what = f"copying {blob.digest} to {registry.origin.url}/{repository}"
    answer = registry.client.persist(what, once)
    if answer.status != 201:
        raise registry.failed(answer, what, digest=blob.digest)


def _stream(source: Registry, repository: str, blob: Descriptor) -> t.Generator[bytes, None, None]:
    """The bytes of a blob, which are hashed on their way: the last block only goes out when all is right."""
    address, origin = source.origin.url + _path(repository, blob.digest), source.origin
    scopes = (pull(repository),)
    headers = source.header(scopes)
    for hop in range(4):
        connection, response = source.client.open_stream(origin, path_of(address), headers)
        try:
            answer = Answer(response.status, response.headers)
            if response.status in (301, 302, 303, 307, 308):
                (origin, address), headers = source.redirect(answer, address), {}
                continue
            if response.status == 401 and hop == 0 and source.learn(answer, scopes, headers):
                headers = source.header(scopes)  # the token was from when the manifests were read
                continue
            if response.status == 404:
                raise missing(source, repository, blob)
            if response.status != 200:
                raise source.failed(answer, f"GET {address}", digest=blob.digest)
            yield from _checked(blocks(response, blob.size), source.reference(repository, blob.digest), blob)
            return
        finally:
            source.client.close(connection)
    raise DistrogateError("registry_failed", f"{address[:200]} is redirected again and again.")


def _checked(found: t.Iterator[bytes], place: str, blob: Descriptor) -> t.Iterator[bytes]:
    digest, total = hashlib.sha256(), 0
    for block in found:
        digest.update(block)
        total += len(block)
        if total == blob.size and digest.hexdigest() != blob.digest[len("sha256:") :]:
            raise DistrogateError(
                "digest_mismatch",
                f"{place} has other contents: sha256:{digest.hexdigest()}.",
                digest=blob.digest,
            )
        yield block
    if total != blob.size:
        raise ConnectionError(f"{place} ended after {total} of {blob.size} bytes")


def _path(repository: str, digest: str) -> str:
    if not is_digest(digest):
        raise DistrogateError("bad_manifest", f"{digest[:100]!r} is no digest.")
    return f"/v2/{repository}/blobs/{digest}"
