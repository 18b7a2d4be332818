# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A builder that takes no time, and what a test of images needs around it."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._images._builders import Built, Package
from ansible_collections.distrogate.ci.plugins.module_utils._images._make import Outcome, Settings, make
from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest
from ansible_collections.distrogate.ci.plugins.module_utils._images._store import Image, Store

RELEASE = "Origin: Test\nDate: Sat, 01 Aug 2026 10:00:00 UTC\n"


class FakeBuilder:
    """Writes what it was asked for; ``during`` is called in the middle of each build."""

    def __init__(self) -> None:
        self.version = "1"
        self.builds = 0
        self.during: t.Callable[[BuildPlace], t.Any] = lambda _place: None

    def tools(self) -> dict[str, str]:
        return {"fake": self.version}

    def elements(self, request: ImageRequest) -> dict[str, str]:
        folders = request.element_path
        return {name: os.path.join(folders[0], name) for name in request.elements}

    def build(self, request: ImageRequest, place: BuildPlace, epoch: int) -> Built:
        self.builds += 1
        place.note("builds")
        files = {}
        for name in request.formats:
            files[name] = os.path.join(place.out, f"a.{name}")
            if name == "root":
                os.makedirs(os.path.join(files[name], "etc"))
                pathlib.Path(files[name], "etc/hostname").write_text("image\n")
                os.symlink("/proc/mounts", os.path.join(files[name], "etc/mtab"))
            else:
                pathlib.Path(files[name]).write_text(f"{name} of {request.packages} at {epoch}\n" * 100)
        pathlib.Path(place.out, "vmlinuz-6").write_text("kernel")
        self.during(place)
        packages = [Package("b", "2", "amd64"), Package("a", "1", "all")]
        return Built(files, packages, kernel=os.path.join(place.out, "vmlinuz-6"), append="root=/dev/vda")


@dataclasses.dataclass
class World:
    """A place for images, a mirror in a folder, elements, and what was said."""

    path: pathlib.Path
    builder: FakeBuilder = dataclasses.field(default_factory=FakeBuilder)
    said: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.release("bookworm", RELEASE)
        self.element("service", "install.d/10-service", "echo service\n")

    @property
    def output(self) -> str:
        return str(self.path / "images")

    @property
    def mirror(self) -> str:
        return f"Types: deb\nURIs: file://{self.path}/mirror\nSuites: bookworm\nComponents: main\n"

    def release(self, suite: str, text: str) -> None:
        file = self.path / "mirror/dists" / suite / "InRelease"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def element(self, name: str, file: str, text: str) -> pathlib.Path:
        path = self.path / "elements" / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def request(self, **more: t.Any) -> ImageRequest:
        given: dict[str, t.Any] = {
            "name": "appliance",
            "builder": "dib",
            "suite": "bookworm",
            "elements": ("service",),
            "element_path": (str(self.path / "elements"),),
            "mirror": self.mirror,
        }
        return ImageRequest(**{**given, **more})

    def store(self, output: str = "") -> Store:
        return Store(output or self.output, "appliance")

    def settings(self, **more: t.Any) -> Settings:
        return Settings(**{"timeout": 20.0, "free_space": 1 << 20, "say": self.said.append, **more})

    def make(self, request: ImageRequest | None = None, output: str = "", **more: t.Any) -> Outcome:
        wanted = request or self.request()
        return make(self.store(output), wanted, t.cast(t.Any, self.builder), self.settings(**more))

    def image(self, request: ImageRequest | None = None, **more: t.Any) -> Image:
        found = self.make(request, **more).image
        assert found is not None
        return found

    def checkout(self, name: str = "service") -> tuple[str, str]:
        """A repository with one commit."""
        path = self.path / "src" / name
        path.mkdir(parents=True)
        (path / "file").write_text("x")
        identity = ["-c", "user.name=x", "-c", "user.email=x@x"]
        for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"]):
            subprocess.run(["git", "-C", str(path), *words], check=True, env=git_environment())
        words = ["git", "-C", str(path), "rev-parse", "HEAD"]
        done = subprocess.run(words, check=True, env=git_environment(), capture_output=True, text=True)
        return str(path), done.stdout.strip()


def git_environment() -> dict[str, str]:
    date = "2026-11-01T00:00:00Z"
    return {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": os.devnull, "GIT_COMMITTER_DATE": date}


def unpack(image: Image) -> dict[str, bytes]:
    """The plain files of an image."""
    return {path.name: path.read_bytes() for path in pathlib.Path(image.path).iterdir() if path.is_file()}
