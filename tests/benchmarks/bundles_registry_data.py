# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images for the benchmark, laid into a docker-registry's folder as it would lay them itself.

They share no layer. Nothing of them compresses, and no block is there twice, so that nothing is cheaper for
whoever moves them than it would be with real ones.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import os
import typing as t
from pathlib import Path

from ansible_collections.distrogate.ci.tests.tools.registry_images import IMAGE, LAYER, Pusher

Json = dict[str, t.Any]
_MIB = 1 << 20
_GZIP = b"\x1f\x8b\x08\x00"  # else skopeo would compress them, and change their digests


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How many images, of how many layers of how many bytes."""

    images: int = 50
    layers: int = 4
    layer: int = 50 * _MIB

    @property
    def total(self) -> int:
        return self.images * self.layers * self.layer


def _layer(store: Path, repository: str, size: int) -> Json:
    """Write one layer; its bytes go to the folder that their digest names."""
    blobs = store / "docker/registry/v2/blobs/sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    digest, new = hashlib.sha256(), blobs / "new"
    seed = os.urandom(min(size, _MIB))
    with open(new, "wb") as stream:
        for number in range(0, size, len(seed)):
            block = _GZIP + number.to_bytes(8, "big") + seed[12 : min(len(seed), size - number)]
            digest.update(block)
            stream.write(block)
    name = digest.hexdigest()
    place = blobs / name[:2] / name
    place.mkdir(parents=True)
    new.rename(place / "data")
    link = store / "docker/registry/v2/repositories" / repository / "_layers/sha256" / name / "link"
    link.parent.mkdir(parents=True)
    link.write_text(f"sha256:{name}")
    return {"mediaType": LAYER, "digest": f"sha256:{name}", "size": size}


def make_images(store: Path, pusher: Pusher, sizes: Sizes) -> list[Json]:
    """Returns the bundle's artifacts; each image has the tag "built" in a repository of its own."""
    artifacts = []
    for number in range(sizes.images):
        repository = f"build/service{number:02}"
        rows = [_layer(store, repository, sizes.layer) for _layer_number in range(sizes.layers)]
        config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Env": [f"NUMBER={number}"]},
                "rootfs": {"type": "layers", "diff_ids": [row["digest"] for row in rows]},
            }
        ).encode()
        kind = "application/vnd.oci.image.config.v1+json"
        head = {"mediaType": kind, "digest": pusher.blob(repository, config), "size": len(config)}
        manifest = {"schemaVersion": 2, "mediaType": IMAGE, "config": head, "layers": rows}
        data = json.dumps(manifest).encode()
        pusher.manifest(repository, "built", data, IMAGE)
        size = len(data) + len(config) + sum(row["size"] for row in rows)
        lines = base64.encodebytes(data).decode().split()
        artifacts.append({**pusher.artifact(repository, data, IMAGE, size), "manifest": lines})
    return artifacts
