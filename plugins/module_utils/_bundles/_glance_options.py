# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What glance_publish is asked for: which file, under which key, with which properties."""

from __future__ import annotations

import json
import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._adapter import SPEC
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_set import File, file_set
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_images import (
    COMMITS,
    KEY,
    NAME,
    PREFIX,
    SHA256,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_login import CLOUD_SPEC, given
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import canonical_json, digest_json

Json = dict[str, t.Any]
FORMATS = ("qcow2", "raw", "vmdk", "vhd", "vhdx", "vdi", "iso")
GLANCE_SPEC: Json = {
    **{name: value for name, value in SPEC.items() if name != "root"},
    **CLOUD_SPEC,
    "name": {"type": "str", "required": True},
    "incoming": {"type": "path"},
    "disk_format": {"type": "str", "choices": list(FORMATS), "default": "qcow2"},
    "visibility": {
        "type": "str",
        "choices": ["private", "shared", "community", "public"],
        "default": "private",
    },
    "min_disk": {"type": "int", "default": 0},
    "min_ram": {"type": "int", "default": 0},
    "properties": {"type": "dict", "default": {}},
    "keep": {"type": "int", "default": 2},
    "keep_seconds": {"type": "int", "default": 86400},
    "keep_versions": {"type": "int", "default": 10},
    "pinned": {"type": "list", "elements": "str", "default": []},
    "state_folder": {"type": "path", "default": "/var/lib/distrogate/glance_publish"},
    "upload_timeout": {"type": "int", "default": 7200},
    "progress_file": {"type": "path"},
}
_LONGEST = 60_000  # bytes of a property: Glance keeps 65,535
_PROPERTY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,254}")
# What Glance itself says of an image, and what this module decides.
_OWN = frozenset(
    [
        "id",
        "name",
        "status",
        "visibility",
        "owner",
        "tags",
        "protected",
        "checksum",
        "size",
        "virtual_size",
        "min_ram",
        "min_disk",
        "os_hidden",
        "os_hash_algo",
        "os_hash_value",
        "disk_format",
        "container_format",
        "created_at",
        "updated_at",
        "locations",
        "self",
        "file",
        "schema",
        "direct_url",
        "stores",
    ]
)


class Wanted(t.NamedTuple):
    """One image: its file, the digits of its key, and the properties that a user gave it."""

    file: File
    identity: str
    commits: str
    properties: dict[str, str]


def wanted_image(params: Json) -> Wanted:
    """The one artifact of the wanted format."""
    kind = params["disk_format"]
    fitting = [one for one in params["artifacts"] if isinstance(one, dict) and _format(one) == kind]
    if len(fitting) != 1:
        named = ", ".join(
            str(one.get("name"))[:80] for one in params["artifacts"][:10] if isinstance(one, dict)
        )
        raise DistrogateError(
            "artifact_missing" if not fitting else "artifact_conflict",
            f"{len(fitting)} of the artifacts ({named or 'none'}) are images of the format {kind}: it takes"
            " one. Set disk_format, build that format, or name the artifacts.",
        )
    (artifact,) = fitting
    files = file_set([artifact])
    (file,) = files.files.values()
    identity = files.key or file.sha256
    return Wanted(file, identity, _commits(artifact), _properties(params["properties"]))


def _format(artifact: Json) -> str:
    return str(artifact.get("format") or os.path.splitext(str(artifact.get("name")))[1][1:])


def _commits(artifact: Json) -> str:
    """The commits that it was made from, as one text: those that it carries, else its origin's."""
    said, origin = artifact.get("commits"), artifact.get("origin")
    if not isinstance(said, dict):
        known = isinstance(origin, dict) and origin.get("project") and origin.get("commit")
        said = {origin["project"]: origin["commit"]} if known and isinstance(origin, dict) else {}
    text = canonical_json({str(name): str(value) for name, value in said.items()}).decode("utf-8")
    if len(text) > _LONGEST:
        raise DistrogateError(
            "bad_artifact", f"The commits of {artifact.get('name')} are too many for Glance."
        )
    return text


def _properties(said: Json) -> dict[str, str]:
    found = {}
    for name, value in said.items():
        if not _PROPERTY.fullmatch(name) or name in _OWN or name.startswith(PREFIX):
            raise DistrogateError(
                "bad_option", f"properties has {name[:80]!r}, which is no name, or which others set."
            )
        found[name] = value if isinstance(value, str) else json.dumps(value)
    return found


def values_of(params: Json, wanted: Wanted) -> Json:
    """What a published image has beside its names."""
    return {
        "visibility": params["visibility"],
        "min_disk": params["min_disk"],
        "min_ram": params["min_ram"],
        COMMITS: wanted.commits,
        SHA256: wanted.file.sha256,
        **wanted.properties,
    }


def new_values(params: Json, wanted: Wanted, more: Json) -> Json:
    """What an image is made with. Until it is published nobody else sees it."""
    return {
        **values_of(params, wanted),
        "name": f"{params['name']}-{wanted.identity[:12]}",
        "disk_format": params["disk_format"],
        "container_format": "bare",
        "visibility": "private",
        "os_hidden": True,
        NAME: params["name"],
        KEY: f"sha256:{wanted.identity}",
        **more,
    }


def place_of(params: Json) -> str:
    """The folder of one name in one cloud, below ``state_folder``."""
    auth = {
        name: value for name, value in given(params["auth"]).items() if "project" in name or "url" in name
    }
    said = [params["cloud"], params["config_file"], params["region_name"], auth]
    return f"{params['name']}-{digest_json(said)[7:23]}"
