# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for Glance, for tests of what is decided; tests/real has the real one."""

from __future__ import annotations

import copy
import hashlib
import json
import pathlib
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _glance_images as known
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_options import GLANCE_SPEC
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_publish import GlancePublisher
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import Progress

Json = dict[str, t.Any]


class Killed(BaseException):
    """The process is gone."""


class MemoryGlance:
    """Images in memory. ``left`` requests are answered, then whoever asks is killed, or refused."""

    url = "http://127.0.0.1:9292/v2"
    project = "ours"

    def __init__(self) -> None:
        self.stored: dict[str, Json] = {}
        self.used: set[str] = set()  # by machines: they cannot be removed
        self.left: int | None = None
        self.ends: BaseException = Killed()
        self.refuses: set[str] = set()  # keys of images that nobody may change
        self.patches: int | None = None  # so many changes are made, then whoever asks for one is killed
        self.seen: list[list[str]] = []  # what a reader of latest finds after each request
        self._made = 0

    def _ask(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise self.ends

    def _read(self) -> None:
        found = self.readers()
        if found or self.seen:
            self.seen.append(found)

    def readers(self, channel: str = "latest") -> list[str]:
        """Names of what somebody finds who asks by the property."""
        images = [
            one for one in self.stored.values() if one.get(f"distrogate_channel_{channel}") == "current"
        ]
        whole = ("active", "deactivated")  # the latter as an operator left it
        assert all(one["status"] in whole and not one["os_hidden"] for one in images)
        assert all(one[known.STATE] == known.PUBLISHED for one in images)
        newest_last = sorted(images, key=known.serial_of)
        return [one["name"] for one in newest_last]

    def images(self, **wanted: str) -> list[Json]:
        self._ask()
        found = [one for one in self.stored.values() if all(one.get(k) == v for k, v in wanted.items())]
        return copy.deepcopy(found)

    def show(self, identifier: str) -> Json | None:
        self._ask()
        return copy.deepcopy(self.stored.get(identifier))

    def create(self, values: Json) -> Json:
        self._ask()
        self._made += 1
        identifier = f"{self._made:032x}"
        updated = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        image = {"status": "queued", "tags": [], "updated_at": updated, **values, "id": identifier}
        self.stored[identifier] = image
        return copy.deepcopy(image)

    def upload(self, identifier: str, data: t.Iterable[bytes], _seconds: float) -> None:
        image, digest = self.stored[identifier], hashlib.sha512()
        image["status"] = "saving"
        for block in data:
            self._ask()
            digest.update(block)
        self._ask()
        image.update(status="active", os_hash_algo="sha512", os_hash_value=digest.hexdigest())

    def patch(self, identifier: str, operations: t.Sequence[Json]) -> Json:
        self._ask()
        image = self.stored[identifier]
        if image[known.KEY] in self.refuses:
            raise DistrogateError("cloud_refused", "Glance answered 403.", status=403)
        if self.patches is not None:
            self.patches -= 1
            if self.patches < 0:
                self.patches = None
                raise Killed
        for one in json.loads(json.dumps(list(operations))):
            name = one["path"][1:]
            assert (name in image) == (one["op"] != "add"), one
            if one["op"] == "remove":
                del image[name]
            else:
                image[name] = one["value"]
        self._read()
        return image

    def remove(self, identifier: str) -> bool:
        self._ask()
        if identifier in self.used:
            return False
        self.stored.pop(identifier, None)
        self._read()
        return True


class FakeCall:
    """What a module's call has."""

    def __init__(self, params: Json, check_mode: bool) -> None:
        self.params, self.check_mode, self.difference = params, check_mode, Difference()


class Place:
    """A folder for state, one that files come in by, and a Glance."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.glance = MemoryGlance()
        self.incoming, self.state = folder / "incoming", folder / "state"
        self.incoming.mkdir(parents=True)
        self.changed, self.difference = False, t.cast(Json, {})

    def artifact(self, name: str, **more: t.Any) -> Json:
        """An image, as a bundle has it."""
        data = name.encode() * 100
        (self.incoming / f"{name}.raw").write_bytes(data)
        return {
            "type": "image",
            "format": "raw",
            "name": f"{name}.raw",
            "path": f"{name}.raw",
            "sha256": hashlib.sha256(data).hexdigest(),
            "key": f"sha256:{hashlib.sha256(name.encode()).hexdigest()}",
            **more,
        }

    def __call__(self, *artifacts: Json, check: bool = False, **options: t.Any) -> Json:
        params = {name: rule.get("default") for name, rule in GLANCE_SPEC.items()}
        own = {"name": "img", "artifacts": list(artifacts), "channel": "latest", "disk_format": "raw"}
        folders = {"incoming": str(self.incoming), "state_folder": str(self.state)}
        params.update({**own, **folders, "auth": {}, "keep": 0, "keep_seconds": 0, "timeout": 0, **options})
        call = FakeCall(params, check)
        publisher = GlancePublisher(t.cast(t.Any, call), Progress(None), t.cast(t.Any, self.glance))
        result = publisher.run()
        self.changed, self.difference = not call.difference.empty, call.difference.as_result()
        return result

    def refused(self, *artifacts: Json, **options: t.Any) -> DistrogateError:
        """The error of a call that fails."""
        try:
            self(*artifacts, **options)
        except DistrogateError as error:
            return error
        raise AssertionError("It did not fail.")

    def names(self) -> dict[str, str]:
        """Every image that is there, and how a reader of latest meets it."""
        found = {}
        for image in self.glance.stored.values():
            said = str(image.get("distrogate_channel_latest", "hidden" if image["os_hidden"] else "listed"))
            found[bytes.fromhex(known.identity_of(image)).hex()] = said
        assert len(found) == len(self.glance.stored), "two images of one key"
        return {self.word(key): said for key, said in found.items()}

    def stored(self, word: str) -> Json:
        """The image of that letter, as Glance has it."""
        return next(one for one in self.glance.stored.values() if self.word(known.identity_of(one)) == word)

    def lose(self, word: str) -> None:
        """Let somebody delete that image."""
        del self.glance.stored[self.stored(word)["id"]]

    @staticmethod
    def word(key: str) -> str:
        """The letter that a test gave the image."""
        return next(one for one in "abcdef" if hashlib.sha256(one.encode()).hexdigest() == key)
