# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests of images, charts and indexes, as strangers' bytes: digest and form are looked at."""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_answer import LIMIT
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_names import is_digest
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import parse_json

Json = dict[str, t.Any]

OCI_IMAGE = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
IMAGES = (OCI_IMAGE, "application/vnd.docker.distribution.manifest.v2+json")
INDEXES = (OCI_INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")
ACCEPTED = ", ".join((*IMAGES, *INDEXES))
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"
_MOST = 1000  # blobs of an image, children of an index
_LARGEST = 1 << 50  # bytes of a blob: more is no size but an attack on who adds them up
_ELSEWHERE = ("foreign", "nondistributable")  # layers that registries need not have


class Descriptor(t.NamedTuple):
    """What a manifest says about something else."""

    media_type: str
    digest: str
    size: int


class Manifest(t.NamedTuple):
    """A manifest whose bytes have this digest."""

    digest: str
    media_type: str
    data: bytes
    blobs: tuple[Descriptor, ...]
    children: tuple[Descriptor, ...]
    config_type: str

    @property
    def descriptor(self) -> Json:
        """As others name it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.data)}


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _bad(place: str, why: str, digest: str) -> DistrogateError:
    return DistrogateError("bad_manifest", f"The manifest {place} {why}. Push the image anew.", digest=digest)


def read_manifest(data: bytes, content_type: str, place: str, expected: str = "") -> Manifest:
    """Check a manifest that came from ``place``; ``expected`` is the digest that it must have."""
    digest = digest_of(data)
    if expected and digest != expected:
        raise DistrogateError(
            "digest_mismatch",
            f"{place} is {digest}: the registry gave something else than {expected}.",
            digest=expected,
            found=digest,
        )
    try:
        value = parse_json(data.decode("utf-8"), f"the manifest {place}", LIMIT)
    except (DistrogateError, UnicodeDecodeError) as error:
        raise _bad(place, f"cannot be read ({str(error)[:300]})", digest) from error
    media_type = content_type.partition(";")[0].strip()
    if not isinstance(value, dict) or value.get("schemaVersion") != 2 or media_type not in IMAGES + INDEXES:
        raise _bad(place, f"is none of schema 2, but {media_type[:100]!r}", digest)
    if value.get("mediaType", media_type) != media_type:
        raise _bad(place, f"is sent as {media_type} and says that it is something else", digest)
    try:
        if media_type in INDEXES:
            children = _descriptors(value["manifests"])
            if any(child.media_type not in IMAGES + INDEXES for child in children):
                raise ValueError("a child of a kind that is not known")
            return Manifest(digest, media_type, data, (), children, "")
        blobs = _descriptors([value["config"], *value["layers"]])
    except (KeyError, TypeError, ValueError) as error:
        raise _bad(place, f"does not have the form of one ({str(error)[:200]})", digest) from error
    here = [blob for blob in blobs[1:] if not any(word in blob.media_type for word in _ELSEWHERE)]
    # Some builders name one layer twice, and the empty one often.
    return Manifest(
        digest, media_type, data, tuple(dict.fromkeys([blobs[0], *here])), (), blobs[0].media_type
    )


def _descriptors(values: t.Any) -> tuple[Descriptor, ...]:
    if not isinstance(values, list) or len(values) > _MOST:
        raise ValueError(f"no list of at most {_MOST}")
    found = []
    for value in values:
        kind, digest, size = value["mediaType"], value["digest"], value["size"]
        if not is_digest(digest):
            raise ValueError(f"{str(digest)[:100]!r} is no sha256 digest")
        if not isinstance(kind, str) or isinstance(size, bool) or not isinstance(size, int):
            raise ValueError(f"{digest} lacks a type or a size")
        if not 0 <= size <= _LARGEST:
            raise ValueError(f"{digest} has an impossible size")
        found.append(Descriptor(kind, digest, size))
    return tuple(found)
