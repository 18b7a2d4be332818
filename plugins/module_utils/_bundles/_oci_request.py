# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What oci_publish was asked for: its options, and its artifacts with the places and tags they are to get."""

from __future__ import annotations

import base64
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_manifest import (
    IMAGES,
    INDEXES,
    Manifest,
    digest_of,
    read_manifest,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_names import (
    Origin,
    checked_registry,
    checked_repository,
    checked_tag,
    filled,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json

Json = dict[str, t.Any]
HELM_CHART = "helm_chart"
KINDS = ("oci_image", HELM_CHART)
_HEX = re.compile(r"[0-9a-f]{64}")
_MOST = 10_000  # artifacts in one call

SPEC: Json = {
    "registry": {"type": "str", "required": True},
    "repository": {"type": "str", "default": "{repository}"},
    "artifacts": {"type": "list", "elements": "dict", "default": []},
    "channel": {"type": "str"},
    "version": {"type": "str"},
    "tags": {"type": "list", "elements": "str", "default": ["{channel}", "{version}"]},
    "immutable": {"type": "bool", "default": False},
    "copy": {"type": "bool", "default": False},
    "attach": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "envelope": {"type": "json", "required": True},
        },
    },
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "auth_file": {"type": "path"},
    "token_hosts": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "ca_path": {"type": "path"},
    "state": {
        "type": "str",
        "choices": ["published", "prepared", "committed", "undone", "attached"],
        "required": True,
    },
    "transaction": {"type": "str"},
    "state_folder": {"type": "path", "default": "/var/lib/distrogate/oci_publish"},
    "threads": {"type": "int", "default": 8},
    "retries": {"type": "int", "default": 5},
    "timeout": {"type": "int", "default": 600},
}
REQUIRED_IF = [
    ("state", "published", ["artifacts"]),
    ("state", "prepared", ["transaction", "artifacts"]),
    ("state", "committed", ["transaction"]),
    ("state", "undone", ["transaction"]),
    ("state", "attached", ["artifacts", "attach"]),
]
REQUIRED_TOGETHER = [("username", "password")]


class Tag(t.NamedTuple):
    """A tag that a manifest is to have. One that is not movable never goes to another digest."""

    repository: str
    tag: str
    digest: str
    movable: bool


class Item(t.NamedTuple):
    """One artifact: where it is, and where it is to be."""

    name: str
    kind: str
    digest: str
    media_type: str
    source: Origin
    source_repository: str
    repository: str
    tags: tuple[Tag, ...]
    manifest: Manifest | None = None  # where the bundle has it


def _checked(artifact: t.Any) -> Json:
    """An artifact of a bundle, as a stranger's."""
    name = artifact.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= 255 or not name.isprintable():
        raise DistrogateError("bad_artifact", f"An artifact has no usable name: {str(name)[:100]!r}.")
    kind, sha256, media_type = (artifact.get(key) for key in ("type", "sha256", "media_type"))
    if kind not in KINDS:
        raise DistrogateError("bad_artifact", f"{name} is {str(kind)[:100]!r}, and not {' or '.join(KINDS)}.")
    if not isinstance(sha256, str) or not _HEX.fullmatch(sha256):
        raise DistrogateError("bad_artifact", f"{name} has no sha256 of 64 digits.")
    if media_type not in IMAGES + INDEXES:
        raise DistrogateError("bad_artifact", f"{name} has the unknown media_type {str(media_type)[:100]!r}.")
    return t.cast(Json, artifact)


def _manifest(artifact: Json) -> Manifest | None:
    """The manifest that a bundle may carry. Its digest is the artifact's own."""
    if artifact.get("manifest") is None:
        return None
    try:
        data = base64.b64decode("".join(list(artifact["manifest"])), validate=True)
    except (TypeError, ValueError) as error:
        message = f"The manifest of {artifact['name']} is not lines of base64."
        raise DistrogateError("bad_artifact", message) from error
    digest = "sha256:" + artifact["sha256"]
    if digest_of(data) != digest:
        message = f"The bundle's manifest of {artifact['name']} is not {digest} but {digest_of(data)}."
        raise DistrogateError("digest_mismatch", f"{message} Record the image anew.", digest=digest)
    return read_manifest(data, artifact["media_type"], f"that the bundle has of {artifact['name']}")


def items_of(params: t.Mapping[str, t.Any]) -> list[Item]:
    """The artifacts of a call. Two that would get one tag for two digests are refused."""
    target = checked_registry(params["registry"])
    if len(params["artifacts"]) > _MOST:
        raise DistrogateError("bad_artifact", f"There are more than {_MOST} artifacts.")
    items = [_item(params, _checked(artifact), target) for artifact in params["artifacts"]]
    digests: dict[tuple[str, str], str] = {}
    for item in items:
        for tag in item.tags:
            if digests.setdefault((tag.repository, tag.tag), tag.digest) != tag.digest:
                raise DistrogateError(
                    "tag_conflict",
                    f"Two artifacts of one call would be {tag.repository}:{tag.tag}, {item.name} is the"
                    " second. Let repository name them apart, as with {basename} or {name}.",
                )
    return items


def _item(params: t.Mapping[str, t.Any], artifact: Json, target: Origin) -> Item:
    source, repository = (
        checked_registry(artifact.get("registry")),
        checked_repository(artifact.get("repository")),
    )
    if source != target and not params["copy"]:
        raise DistrogateError(
            "other_registry",
            f"{artifact['name']} is in {source.url} and not in {target.url}. Say copy to have its layers"
            " copied, which promotion within one registry never does.",
        )
    places = {
        "repository": repository,
        "basename": repository.rpartition("/")[2],
        "name": artifact["name"],
    }
    digest = "sha256:" + artifact["sha256"]
    goal = checked_repository(filled(params["repository"], places))
    return Item(
        artifact["name"],
        artifact["type"],
        digest,
        artifact["media_type"],
        source,
        repository,
        goal,
        _tags(params, goal, digest),
        _manifest(artifact),
    )


def _tags(params: t.Mapping[str, t.Any], repository: str, digest: str) -> tuple[Tag, ...]:
    """The tags by their templates; those without a value, such as a promotion without a version, drop out."""
    values = {"channel": params["channel"], "version": params["version"]}
    found: dict[str, bool] = {}
    for template in params["tags"]:
        tag = filled(template, values)
        if tag is not None:
            moves = "{channel}" in template and "{version}" not in template and not params["immutable"]
            found[checked_tag(tag)] = moves and found.get(tag, True)
    if not found and params["state"] in ("published", "prepared"):
        raise DistrogateError("no_tags", "No tag is asked for: give channel, version, or other tags.")
    return tuple(Tag(repository, tag, digest, movable) for tag, movable in found.items())


def request_digest(params: t.Mapping[str, t.Any], items: t.Sequence[Item]) -> str:
    """What a transaction was asked to do, so that the same question gets the same answer."""
    asked = [item[:-1] for item in items]  # without the manifest: the digest says which it is
    return digest_json({"items": asked, "attach": params["attach"]})
