# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings everything that a tag will need to its repository, by digest: nobody's tag changes here."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_blobs import (
    copy,
    has_blob,
    missing,
    mount,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_http import Client
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_manifest import (
    CONFIG,
    HELM_CONFIG,
    LAYER,
    OCI_IMAGE,
    Descriptor,
    Manifest,
    digest_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_names import Origin
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_registry import Registry
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_request import HELM_CHART, Item
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import canonical_json

_DEEPEST = 3  # indexes within indexes
_UNKNOWN = b"MANIFEST_BLOB_UNKNOWN"
_MOST = 20_000  # manifests of one call
_LARGEST = 256 << 20  # their bytes together

Registries = t.Callable[[Origin], Registry]
_Place = tuple[Origin, str]  # a repository
_Name = tuple[Origin, str, str]  # a manifest there


def _probe() -> bytes:
    """A manifest of a blob that nobody has."""
    blob = {"mediaType": LAYER, "digest": "sha256:" + os.urandom(32).hex(), "size": 1}
    value = {
        "schemaVersion": 2,
        "mediaType": OCI_IMAGE,
        "config": {**blob, "mediaType": CONFIG},
        "layers": [blob],
    }
    return canonical_json(value)


def _too_deep() -> DistrogateError:
    return DistrogateError("bad_manifest", f"An index names indexes deeper than {_DEEPEST} levels.")


class Contents:
    """The manifests and blobs of some artifacts. With ``dry`` it only looks whether all are there."""

    def __init__(self, client: Client, registries: Registries, target: Registry, dry: bool) -> None:
        self._client, self._registries, self._target, self._dry = client, registries, target, dry
        self._found: dict[_Name, Manifest] = {}
        self._given: dict[_Name, Manifest] = {}

    def bring(self, items: t.Sequence[Item]) -> dict[str, Manifest]:
        """Returns the artifacts' own manifests, by digest."""
        verified = not self._dry and self._verifies(items)
        self._take(items, verified)
        self._walk(items)
        blobs: dict[tuple[_Place, str, Descriptor], None] = {}
        puts: list[dict[tuple[str, str], Manifest]] = [{} for _level in range(_DEEPEST + 1)]
        for item in items:
            place = (item.source, item.source_repository)
            for level, manifest in self._tree(place, item.digest):
                same = place == (self._target.origin, item.repository)
                if not (same and verified):
                    blobs.update(dict.fromkeys((place, item.repository, blob) for blob in manifest.blobs))
                if verified or not same:
                    puts[level][item.repository, manifest.digest] = manifest
        self._client.each(list(blobs), lambda work: self._blob(*work))
        if not self._dry:
            for found in reversed(puts):  # children first: a registry refuses an index without them
                puts_now = [(repository, one) for (repository, _digest), one in found.items()]
                self._client.each_apart(puts_now, lambda put: self._put(*put), lambda put: put[0])
        return {item.digest: self._found[item.source, item.source_repository, item.digest] for item in items}

    def _take(self, items: t.Sequence[Item], verified: bool) -> None:
        """Take the manifests that the bundle has, where they are put back or put elsewhere, and so proven."""
        for item in items:
            same = (item.source, item.source_repository) == (self._target.origin, item.repository)
            if item.manifest and not self._dry and (verified or not same):
                self._given[item.source, item.source_repository, item.digest] = item.manifest

    def _verifies(self, items: t.Sequence[Item]) -> bool:
        """Whether the registry refuses a manifest whose blobs it has not, as it should and need not.

        If so, putting back the manifest that is there asks for all its blobs at once, and
        whether we may write. Else each blob is asked for.
        """
        origin = self._target.origin
        for item in items:
            if (item.source, item.source_repository) == (origin, item.repository):
                data = _probe()
                answer = self._target.put(item.repository, digest_of(data), data, OCI_IMAGE)
                if answer.ok:
                    self._target.delete(item.repository, digest_of(data))
                return _UNKNOWN in answer.data
        return False

    def _walk(self, items: t.Sequence[Item]) -> None:
        """Read the manifests, and those that they name, level by level."""
        wanted: dict[_Name, Descriptor] = {
            (item.source, item.source_repository, item.digest): Descriptor(item.media_type, item.digest, -1)
            for item in items
        }
        for _level in range(_DEEPEST + 1):
            names = [name for name in wanted if name not in self._found]
            if len(self._found) + len(names) > _MOST:
                raise DistrogateError("bad_manifest", f"The artifacts name more than {_MOST} manifests.")
            read = self._client.each([(name, wanted[name]) for name in names], lambda row: self._read(*row))
            self._found.update(zip(names, read))
            if sum(len(manifest.data) for manifest in self._found.values()) > _LARGEST:
                raise DistrogateError(
                    "bad_manifest", f"The manifests have more than {_LARGEST} bytes together."
                )
            wanted = {
                (*name[:2], child.digest): child
                for name, manifest in zip(names, read)
                for child in manifest.children
            }
        if wanted:
            raise _too_deep()
        for item in items:
            manifest = self._found[item.source, item.source_repository, item.digest]
            if item.kind == HELM_CHART and manifest.config_type != HELM_CONFIG:
                raise DistrogateError(
                    "bad_manifest", f"{item.name} ({item.digest}) is no Helm chart.", digest=item.digest
                )

    def _read(self, name: _Name, expected: Descriptor) -> Manifest:
        origin, repository, digest = name
        if name in self._given:
            return self._given[name]
        registry = self._registries(origin)
        manifest, place = registry.manifest(repository, digest), registry.reference(repository, digest)
        if manifest is None:
            raise DistrogateError(
                "manifest_missing", f"{place} is not there. Push the image anew.", digest=digest
            )
        if manifest.media_type != expected.media_type or expected.size not in (-1, len(manifest.data)):
            raise DistrogateError(
                "bad_manifest",
                f"{place} is sent as {manifest.media_type} with {len(manifest.data)} bytes; it was named as"
                f" {expected.media_type}{f' with {expected.size}' if expected.size >= 0 else ''}.",
                digest=digest,
            )
        return manifest

    def _tree(self, place: _Place, digest: str) -> t.Iterator[tuple[int, Manifest]]:
        """What an artifact consists of, by levels; each manifest once a level, however often it is named."""
        origin, repository = place
        level, digests = 0, [digest]
        while digests:
            if level > _DEEPEST:  # by another way than it was read
                raise _too_deep()
            found = [self._found[origin, repository, one] for one in digests]
            yield from ((level, manifest) for manifest in found)
            digests = list(dict.fromkeys(child.digest for one in found for child in one.children))
            level += 1

    def _blob(self, place: _Place, repository: str, blob: Descriptor) -> None:
        origin, source = place
        registry = self._registries(origin)
        if self._dry or (origin, source) == (self._target.origin, repository):
            if not has_blob(registry, source, blob):
                raise missing(registry, source, blob)
        elif origin == self._target.origin:
            mount(self._target, source, repository, blob)
        else:
            copy(registry, source, self._target, repository, blob)

    def _put(self, repository: str, manifest: Manifest) -> None:
        try:
            self._target.put_manifest(repository, manifest.digest, manifest.data, manifest.media_type)
        except DistrogateError:
            for blob in manifest.blobs:  # the registry may have said which, in words of its own
                if not has_blob(self._target, repository, blob):
                    raise missing(self._target, repository, blob) from None
            raise
