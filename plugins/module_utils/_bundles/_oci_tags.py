# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags: who has them, giving them to ours, and giving them back."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_blobs import upload
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_manifest import (
    OCI_IMAGE,
    Descriptor,
    Manifest,
    digest_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_registry import Registry
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_request import Tag
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import canonical_json

EMPTY = b"{}"
EMPTY_CONFIG = Descriptor("application/vnd.oci.empty.v1+json", digest_of(EMPTY), len(EMPTY))

Before = dict[str, t.Optional[str]]  # by reference: the digest that a tag had, None for none


def described(descriptor: Descriptor) -> dict[str, t.Any]:
    """A descriptor as manifests have it."""
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}


def stand_in(reference: str) -> bytes:
    """A manifest that no other tag has, so that deleting it by digest deletes one tag."""
    value = {
        "schemaVersion": 2,
        "mediaType": OCI_IMAGE,
        "config": described(EMPTY_CONFIG),
        "layers": [],
        "annotations": {"ci.distrogate.removed": reference},
    }
    return canonical_json(value)


def _repository(tag: Tag) -> str:
    return tag.repository


class Stuck:
    """Tags that cannot go back: the others go first, and then all of these are told."""

    def __init__(self) -> None:
        self._errors: list[tuple[str, DistrogateError]] = []

    @contextlib.contextmanager
    def noted(self, reference: str) -> t.Iterator[None]:
        """Go on after what the registry says of one tag, but not where it fails as a whole."""
        try:
            yield
        except DistrogateError as error:
            failing = error.reason == "registry_failed" and int(error.details.get("status") or 500) >= 500
            if failing:
                raise
            self._errors.append((reference, error))

    def tell(self) -> None:
        """Raise the first error, with the names of all tags that stay."""
        if self._errors:
            first = self._errors[0][1]
            more = ", ".join(sorted(reference for reference, _error in self._errors[1:])[:20])
            said = f" The same keeps {more} from going back." if more else ""
            raise DistrogateError(first.reason, first.message + said, **first.details) from first


class Tags:
    """The tags of one registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def reference(self, tag: Tag) -> str:
        return self._registry.reference(tag.repository, tag.tag)

    def look(self, tags: t.Sequence[Tag]) -> Before:
        """What the tags have now. One whose removal was interrupted counts as free."""

        def one(tag: Tag) -> str | None:
            found = self._registry.tagged(tag.repository, tag.tag)
            return None if found == digest_of(stand_in(self.reference(tag))) else found

        found = self._registry.client.each(tags, one)
        return {self.reference(tag): digest for tag, digest in zip(tags, found)}

    def refuse_taken(self, tags: t.Sequence[Tag], before: Before) -> None:
        """No tag moves to another digest but a channel's own; all that would are named at once."""
        taken = [
            f"{self.reference(tag)} is {before[self.reference(tag)]} and not {tag.digest}"
            for tag in tags
            if not tag.movable and before[self.reference(tag)] not in (None, tag.digest)
        ]
        if taken:
            raise DistrogateError(
                "tag_taken",
                f"{'; '.join(taken[:20])}. Such a tag never moves: promote to another version.",
                tags=taken,
            )

    def give(self, tags: t.Sequence[Tag], before: Before, manifests: t.Mapping[str, Manifest]) -> None:
        """Give the tags that do not have them yet to these manifests: fixed names first, then channels."""
        for movable in (False, True):
            wanted = [
                tag for tag in tags if tag.movable is movable and before[self.reference(tag)] != tag.digest
            ]
            put = self._registry.client.each_apart
            put(wanted, lambda tag: self._put(tag, manifests[tag.digest]), _repository)

    def _put(self, tag: Tag, manifest: Manifest) -> None:
        self._registry.put_manifest(tag.repository, tag.tag, manifest.data, manifest.media_type)

    def give_back(self, tags: t.Sequence[Tag], before: Before) -> list[str]:
        """Let the tags have what they had; returns those that somebody else moved since, which stay.

        Channels first, in all repositories: readers resolve these, and a version's tag that cannot be
        removed must not keep them from going back.
        """
        now, stuck = self.look(tags), Stuck()

        def one(tag: Tag) -> str | None:
            with stuck.noted(self.reference(tag)):
                return self._back(tag, before, now)
            return None

        left: list[str | None] = []
        for movable in (True, False):
            group = [tag for tag in tags if tag.movable is movable]
            left += self._registry.client.each_apart(group, one, _repository)
        stuck.tell()
        return [found for found in left if found]

    def _back(self, tag: Tag, before: Before, now: Before) -> str | None:
        """One tag; its reference when it is somebody else's now."""
        reference = self.reference(tag)
        had, has = before[reference], now[reference]
        if has not in (had, None, tag.digest):
            return reference
        if had is None:
            self.remove(tag.repository, tag.tag)  # also of one that is perhaps half removed
        elif has != had:
            self._put(tag, self._had(tag, had))
        return None

    def _had(self, tag: Tag, digest: str) -> Manifest:
        found = self._registry.manifest(tag.repository, digest)
        if found is None:
            raise DistrogateError(
                "manifest_missing",
                f"{self.reference(tag)} was {digest} before, which the registry has lost: it stays.",
                digest=digest,
            )
        return found

    def remove(self, repository: str, tag: str) -> None:
        """Remove a tag alone. Deleting by digest would take every tag of that digest with it."""
        registry, reference = self._registry, self._registry.reference(repository, tag)
        if registry.tagged(repository, tag) is None:
            return
        answer = registry.delete(repository, tag)
        if answer.ok or answer.status == 404:
            return
        # A registry that deletes by digest only: the tag goes to a manifest of its own, which is deleted.
        data = stand_in(reference)
        digest = digest_of(data)
        upload(registry, repository, EMPTY_CONFIG, EMPTY)
        registry.put_manifest(repository, digest, data, OCI_IMAGE)
        tried = registry.delete(repository, digest)
        if not tried.ok:  # nothing is deleted there at all: the tag keeps what it has
            error = registry.failed(tried, f"removing {reference}")
            if tried.status != 405:
                raise error
            hint = "Let that registry delete (storage.delete.enabled of docker-registry), and undo it again."
            raise DistrogateError(error.reason, f"{error.message} {hint}", **error.details)
        registry.put_manifest(repository, tag, data, OCI_IMAGE)
        answer = registry.delete(repository, digest)
        if not answer.ok and answer.status != 404:
            raise registry.failed(answer, f"removing {reference}")
