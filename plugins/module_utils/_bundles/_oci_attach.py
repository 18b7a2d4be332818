# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DSSE envelopes as OCI artifacts whose subject is an image (distribution-spec 1.1)."""

from __future__ import annotations

import base64
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_blobs import upload
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_manifest import (
    OCI_IMAGE,
    OCI_INDEX,
    Descriptor,
    Manifest,
    digest_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_registry import Registry
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_tags import (
    EMPTY,
    EMPTY_CONFIG,
    Tags,
    described,
    stand_in,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import canonical_json, parse_json

ENVELOPE = "application/vnd.dsse.envelope.v1+json"
_PAYLOAD = "application/vnd.in-toto+json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_LIMIT = 1 << 20  # bytes of an envelope
_MOST = 1000  # referrers of one subject in a fallback tag

Json = dict[str, t.Any]


class Envelope(t.NamedTuple):
    """A signed statement. Its signature was looked at by whoever gave it to us."""

    name: str
    data: bytes
    predicate_type: str


def read_envelopes(given: t.Sequence[Json]) -> list[Envelope]:
    """The envelopes of the option ``attach``, in the spelling that they have beside the bundle."""
    found = [_envelope(entry["name"], entry["envelope"]) for entry in given]
    if len({one.name for one in found}) != len(found):
        raise DistrogateError("bad_statement", "Two envelopes to attach have one name.")
    return found


def _envelope(name: str, text: str) -> Envelope:
    if not _NAME.fullmatch(name):
        raise DistrogateError("bad_name", f"{name[:100]!r} is no name of an envelope's file.")
    try:
        value = parse_json(text, name, _LIMIT)
        if value["payloadType"] != _PAYLOAD or not value["signatures"]:
            raise ValueError("no signed in-toto statement")
        payload = parse_json(
            base64.b64decode(value["payload"], validate=True), f"the payload of {name}", _LIMIT
        )
        predicate_type = payload["predicateType"]
        if (
            not isinstance(predicate_type, str)
            or not predicate_type.isprintable()
            or len(predicate_type) > 500
        ):
            raise ValueError("no type of predicate")
    except (KeyError, TypeError, ValueError, DistrogateError) as error:
        said = str(error)[:200]
        raise DistrogateError(
            "bad_statement", f"{name} does not have the form of an envelope: {said}"
        ) from error
    return Envelope(name, canonical_json(value) + b"\n", predicate_type)


class Attachment(t.NamedTuple):
    """One envelope at one image in one repository."""

    repository: str
    subject: Descriptor
    envelope: Envelope

    @property
    def annotations(self) -> Json:
        return {
            "in-toto.io/predicate-type": self.envelope.predicate_type,
            "org.opencontainers.image.title": self.envelope.name,
        }

    @property
    def blob(self) -> Descriptor:
        return Descriptor(ENVELOPE, digest_of(self.envelope.data), len(self.envelope.data))

    @property
    def data(self) -> bytes:
        """The manifest: no time in it, so that attaching twice is attaching once."""
        value = {
            "schemaVersion": 2,
            "mediaType": OCI_IMAGE,
            "artifactType": ENVELOPE,
            "config": described(EMPTY_CONFIG),
            "layers": [{**described(self.blob), "annotations": self.annotations}],
            "subject": described(self.subject),
            "annotations": self.annotations,
        }
        return canonical_json(value)

    @property
    def digest(self) -> str:
        return digest_of(self.data)

    @property
    def descriptor(self) -> Json:
        """As an index of referrers names it."""
        whole = Descriptor(OCI_IMAGE, self.digest, len(self.data))
        return {**described(whole), "artifactType": ENVELOPE, "annotations": self.annotations}


def attachments(
    places: t.Iterable[tuple[str, Manifest]], envelopes: t.Sequence[Envelope]
) -> list[list[Attachment]]:
    """Every envelope for every subject, those of one subject together."""
    subjects = {
        (repository, one.digest): Descriptor(one.media_type, one.digest, len(one.data))
        for repository, one in places
    }
    groups = [
        [Attachment(repository, subject, envelope) for envelope in envelopes]
        for (repository, _digest), subject in subjects.items()
    ]
    return [group for group in groups if group]


class Attached:
    """What is attached in one registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def missing(self, group: t.Sequence[Attachment]) -> list[Attachment]:
        """Those of one subject that are not attached yet."""
        known, _native = self._known(group[0].repository, group[0].subject.digest)
        return [one for one in group if one.digest not in known]

    def attach(self, group: t.Sequence[Attachment]) -> None:
        """Attach these, all of one subject."""
        repository, subject = group[0].repository, group[0].subject.digest
        upload(self._registry, repository, EMPTY_CONFIG, EMPTY)
        for one in group:
            upload(self._registry, repository, one.blob, one.envelope.data)
            self._registry.put_manifest(repository, one.digest, one.data, OCI_IMAGE)
        known, native = self._known(repository, subject)
        if not native:
            self._write(
                repository, subject, {**known, **{one.digest: one.descriptor for one in group}}, known
            )

    def detach(self, repository: str, subject: str, digests: t.Collection[str]) -> None:
        """Take attachments away again; what the registry does not delete is named by nothing any more."""
        known, native = self._known(repository, subject)
        if not native:
            left = {digest: row for digest, row in known.items() if digest not in digests}
            self._write(repository, subject, left, known)
        for digest in sorted(set(digests) & set(known)):
            answer = self._registry.delete(repository, digest)
            if native and not answer.ok and answer.status != 404:
                what = f"taking the attachment {digest} from {repository}"
                raise self._registry.failed(answer, what, digest=digest)

    def _write(self, repository: str, subject: str, rows: Json, known: Json) -> None:
        if not rows:  # also where nothing is known: a removal may have been interrupted
            Tags(self._registry).remove(repository, _fallback(subject))
        if not rows or rows == known:
            return
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(rows.values())}
        self._registry.put_manifest(repository, _fallback(subject), canonical_json(index), OCI_INDEX)

    def _known(self, repository: str, subject: str) -> tuple[Json, bool]:
        """The referrers' descriptors by digest, and whether the registry keeps them by itself."""
        rows = self._registry.referrers(repository, subject)
        native = rows is not None
        if rows is None:
            rows = self._fallback_rows(repository, subject)
        good = [row for row in rows if isinstance(row, dict) and isinstance(row.get("digest"), str)]
        return {row["digest"]: row for row in good}, native

    def _fallback_rows(self, repository: str, subject: str) -> list[t.Any]:
        tag = _fallback(subject)
        index = self._registry.manifest(repository, tag)
        place = self._registry.reference(repository, tag)
        if index is None or index.digest == digest_of(stand_in(place)):
            return []
        if index.media_type != OCI_INDEX or len(index.children) > _MOST:
            raise DistrogateError(
                "tag_taken",
                f"{place} is no index of referrers with at most {_MOST} of them. Remove that tag.",
                digest=index.digest,
            )
        return list(parse_json(index.data, tag)["manifests"])


def _fallback(subject: str) -> str:
    """The tag in which clients look where the referrers API is not there."""
    return subject.replace(":", "-")
