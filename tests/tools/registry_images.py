# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small images, charts and indexes for tests, pushed without the code that is tested."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import typing as t
import urllib.parse

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
HELM = "application/vnd.cncf.helm.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

Json = dict[str, t.Any]


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Pusher:
    """Somebody who pushes to one registry, and looks at what is there."""

    def __init__(self, url: str, credentials: str = "") -> None:
        self.url = url
        self._headers = {}
        if credentials:
            self._headers["Authorization"] = "Basic " + base64.b64encode(credentials.encode()).decode()

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, Json, bytes]:
        """Status, headers in small letters, body."""
        parts = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, {**self._headers, **named})
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def blob(self, repository: str, data: bytes) -> str:
        status, headers, said = self.ask("POST", f"/v2/{repository}/blobs/uploads/")
        assert status == 202, said
        parts = urllib.parse.urlsplit(headers["location"])
        path = f"{parts.path}?{parts.query}&digest={digest_of(data)}"
        status, _headers, said = self.ask("PUT", path, data, Content_Type="application/octet-stream")
        assert status == 201, said
        return digest_of(data)

    def manifest(self, repository: str, tag: str | None, data: bytes, media_type: str) -> str:
        path = f"/v2/{repository}/manifests/{tag or digest_of(data)}"
        status, _headers, said = self.ask("PUT", path, data, Content_Type=media_type)
        assert status == 201, said
        return digest_of(data)

    def image(
        self, repository: str, tag: str | None, *layers: bytes, media_type: str = IMAGE, config: str = ""
    ) -> Json:
        """Push an image; returns the bundle's artifact of it."""
        kind = config or "application/vnd.oci.image.config.v1+json"
        name = json.dumps({"os": "linux", "architecture": "amd64", "name": f"{repository}:{tag}"}).encode()
        rows = [
            {"mediaType": row, "digest": self.blob(repository, data), "size": len(data)}
            for row, data in [(kind, name), *((LAYER, layer) for layer in layers)]
        ]
        value = {"schemaVersion": 2, "mediaType": media_type, "config": rows[0], "layers": rows[1:]}
        data = json.dumps(value, indent=3).encode()  # a spelling that is not ours, to be kept as it is
        self.manifest(repository, tag, data, media_type)
        size = len(data) + sum(row["size"] for row in rows)
        return self.artifact(
            repository, data, media_type, size, "helm_chart" if config == HELM else "oci_image"
        )

    def index(self, repository: str, tag: str | None, *images: Json) -> Json:
        """Push an index of images that are in the same repository."""
        children = []
        for image in images:
            path = f"/v2/{repository}/manifests/sha256:{image['sha256']}"
            status, headers, said = self.ask("GET", path, Accept=f"{IMAGE}, {INDEX}")
            assert status == 200, said
            row = {"mediaType": headers["content-type"], "digest": digest_of(said), "size": len(said)}
            children.append({**row, "platform": {"os": "linux", "architecture": f"a{len(children)}"}})
        data = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}).encode()
        self.manifest(repository, tag, data, INDEX)
        return self.artifact(repository, data, INDEX, len(data) + sum(image["size"] for image in images))

    def artifact(
        self, repository: str, data: bytes, media_type: str, size: int, kind: str = "oci_image"
    ) -> Json:
        """What a bundle says of a manifest."""
        return {
            "type": kind,
            "name": repository.replace("/", "-"),
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": size,
            "registry": self.url,
            "repository": repository,
            "media_type": media_type,
            "origin": {"stage": "build_image"},
        }

    def tagged(self, repository: str, tag: str) -> str | None:
        """The digest that a reader of a tag gets, of the bytes that it gets."""
        path = f"/v2/{repository}/manifests/{tag}"
        status, _headers, said = self.ask("GET", path, Accept=f"{IMAGE}, {INDEX}, {DOCKER}")
        assert status in (200, 404), said
        return digest_of(said) if status == 200 else None

    def tags(self, repository: str) -> list[str]:
        status, _headers, said = self.ask("GET", f"/v2/{repository}/tags/list")
        return sorted(json.loads(said)["tags"] or []) if status == 200 else []
