# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""glance_publish against a real cloud: in this process, or in one of its own that can be killed."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import typing as t
from pathlib import Path

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_options import GLANCE_SPEC
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_publish import GlancePublisher
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import Progress
from ansible_collections.distrogate.ci.tests.real.glance.service import PASSWORD, Cloud

Json = dict[str, t.Any]


class Call:
    """What a module's call has."""

    def __init__(self, params: Json, check_mode: bool = False) -> None:
        self.params, self.check_mode, self.difference = params, check_mode, Difference()


class Publisher:
    """One image name in one cloud."""

    def __init__(self, cloud: Cloud, folder: Path, name: str) -> None:
        self.cloud, self.folder, self.name = cloud, folder, name
        self.incoming = folder / "incoming"
        self.incoming.mkdir(parents=True)
        self.changed, self.difference = False, t.cast(Json, {})

    def artifact(self, word: str, size: int = 1 << 20) -> Json:
        """A disk with mostly nothing in it, as a bundle has it."""
        path = self.incoming / f"{word}.raw"
        with path.open("wb") as stream:
            stream.write(f"{self.name} {word}".encode())
            stream.truncate(size)
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        key = f"sha256:{hashlib.sha256(f'{self.name} {word}'.encode()).hexdigest()}"
        known = {"name": path.name, "path": path.name, "sha256": sha256, "size": size, "key": key}
        return {"type": "image", "format": "raw", "commits": {"openstack/nova": "1" * 40}, **known}

    def options(self, *artifacts: Json, **more: t.Any) -> Json:
        params = {name: rule.get("default") for name, rule in GLANCE_SPEC.items()}
        own = {"name": self.name, "artifacts": list(artifacts), "channel": "latest", "disk_format": "raw"}
        folders = {"incoming": str(self.incoming), "state_folder": str(self.folder / "state")}
        login = {"auth": self.cloud.auth, "password": PASSWORD, "region_name": "R1"}
        return {**params, **own, **folders, **login, "keep": 0, "keep_seconds": 0, **more}

    def __call__(self, *artifacts: Json, check: bool = False, **more: t.Any) -> Json:
        call = Call(self.options(*artifacts, **more), check)
        result = GlancePublisher(t.cast(t.Any, call), Progress(None)).run()
        self.changed, self.difference = not call.difference.empty, call.difference.as_result()
        return result

    def refused(self, *artifacts: Json, **more: t.Any) -> DistrogateError:
        try:
            self(*artifacts, **more)
        except DistrogateError as error:
            return error
        raise AssertionError("It did not fail.")

    def start(self, *artifacts: Json, **more: t.Any) -> subprocess.Popen[str]:
        """The same in a process of its own."""
        argv = [sys.executable, "-m", __name__]
        child = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if child.stdin is None:
            raise RuntimeError("There is no pipe.")
        child.stdin.write(json.dumps(self.options(*artifacts, **more)))
        child.stdin.close()
        child.stdin = None
        return child

    def names(self) -> dict[str, str]:
        """Every image of this name, as a reader meets it."""
        found: dict[str, str] = {}
        sdk = self.cloud.sdk()
        words = {hashlib.sha256(f"{self.name} {word}".encode()).hexdigest(): word for word in "abcdef"}
        for hidden in ("false", "true"):
            query = {"distrogate_name": self.name, "os_hidden": hidden}
            for image in sdk.image.get("/images", params=query).json()["images"]:
                assert image["status"] == "active" and image["distrogate_state"] == "published", image
                word = words[image["distrogate_key"].partition(":")[2]]
                assert word not in found, "two images of one key"
                found[word] = "hidden" if image["os_hidden"] else image["distrogate_channel_latest"]
        return found

    def current(self) -> list[str]:
        """Who asks for latest by the property finds these."""
        query = {"distrogate_name": self.name, "distrogate_channel_latest": "current"}
        images = self.cloud.sdk().image.get("/images", params=query).json()["images"]
        return [image["distrogate_key"] for image in images]


if __name__ == "__main__":
    GlancePublisher(t.cast(t.Any, Call(json.load(sys.stdin))), Progress(None)).run()
