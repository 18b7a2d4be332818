# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real registry behind a proxy that can go wrong, and oci_publish without a process of its own."""

from __future__ import annotations

import base64
import json
import pathlib
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_publish import perform
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_request import SPEC
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.tests.tools.registry import Registry
from ansible_collections.distrogate.ci.tests.tools.registry_images import Pusher
from ansible_collections.distrogate.ci.tests.tools.registry_proxy import RegistryProxy

Json = dict[str, t.Any]


def envelope(word: str = "verdict") -> str:
    """Text of an envelope; nobody looks at its signature here."""
    payload = base64.b64encode(json.dumps({"predicateType": f"urn:test:{word}"}).encode()).decode()
    value = {"payload": payload, "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "x"}]}
    return json.dumps(value)


class World:
    """Everything goes by way of the proxy."""

    def __init__(self, folder: pathlib.Path, registry: Registry, proxy: RegistryProxy) -> None:
        self.folder, self.registry, self.proxy = folder, registry, proxy
        self.pusher = Pusher(proxy.url)
        self.difference = Difference()
        self.options: Json = {"threads": 2, "retries": 2, "timeout": 30}

    def publish(self, state: str, *artifacts: Json, check_mode: bool = False, **options: t.Any) -> Json:
        """One call; its result with ``changed``."""
        params = {name: option.get("default") for name, option in SPEC.items()}
        given = {
            "registry": self.proxy.url,
            "artifacts": list(artifacts),
            "channel": "stable",
            "version": "4.0.0",
            "transaction": "t1",
            "state_folder": str(self.folder / "state"),
            "state": state,
        }
        self.difference = Difference()
        result = perform({**params, **given, **self.options, **options}, check_mode, self.difference)
        return {"changed": not self.difference.empty, **result}

    def promote(self, *artifacts: Json, **options: t.Any) -> Json:
        self.publish("prepared", *artifacts, **options)
        return self.publish("committed", *artifacts, **options)

    def moved(self) -> int:
        """Bytes of blobs that passed."""
        return sum(one.blob_bytes for one in self.proxy.exchanges)
