# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written down and returned about a transaction of oci_publish."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_registry import Registry
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_request import Item, Tag
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json

Json = dict[str, t.Any]


def rows_of(items: t.Iterable[Item]) -> list[Json]:
    """The artifacts as the journal keeps them."""
    return [
        {
            "name": item.name,
            "repository": item.repository,
            "digest": item.digest,
            "tags": [tag._asdict() for tag in item.tags],
        }
        for item in items
    ]


def tags_of(rows: t.Iterable[Json]) -> list[Tag]:
    """The tags of the artifacts, each once."""
    return list(dict.fromkeys(Tag(**tag) for row in rows for tag in row["tags"]))


def shaped(record: Json, registry: Registry, left: t.Sequence[str] = ()) -> Json:
    """The module's result."""
    rows = [] if record["phase"] == "undone" else record["items"]
    published = [
        {
            "name": row["name"],
            "digest": row["digest"],
            "address": registry.reference(row["repository"], row["digest"]),
            "tags": [registry.reference(row["repository"], tag["tag"]) for tag in row["tags"]],
        }
        for row in rows
    ]
    previous = [
        {"address": address, "digest": digest} for address, digest in sorted(record["before"].items())
    ]
    state = sorted([tag.repository, tag.tag, tag.digest] for tag in tags_of(rows))
    return {
        "published": published,
        "previous": previous,
        "state_digest": digest_json(state),
        "left": list(left),
    }


def nothing() -> Json:
    """The result of a call that publishes nothing."""
    return {"published": [], "previous": [], "state_digest": digest_json([]), "left": []}
