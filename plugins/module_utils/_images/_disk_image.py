# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What disk_image does: the image of a channel, the one that is there, or a new one."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Call
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import STAGE_OPTIONS
from ansible_collections.distrogate.ci.plugins.module_utils._images import _published
from ansible_collections.distrogate.ci.plugins.module_utils._images._builders import (
    BUILDERS,
    Builder,
    builder_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._image_options import (
    request_of,
    wanted_channel,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._make import (
    Outcome,
    Settings,
    make,
    predict,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._published_files import Limits
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import (
    FORMATS,
    ImageRequest,
    size_in_bytes,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._store import Image, Store

IMAGE_OPTIONS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "builder": {"type": "str", "choices": list(BUILDERS), "required": True},
    "suite": {"type": "str"},
    "elements": {"type": "list", "elements": "str", "default": []},
    "element_path": {"type": "list", "elements": "path", "default": []},
    "packages": {"type": "list", "elements": "str", "default": []},
    "sources": {"type": "list", "elements": "str", "default": []},
    "repositories": {"type": "list", "elements": "raw", "default": []},
    "mirror": {"type": "str"},
    "base": {"type": "path"},
    "formats": {"type": "list", "elements": "str", "choices": list(FORMATS), "default": ["qcow2"]},
    "size": {"type": "str"},
    "architecture": {"type": "str"},
    "environment": {"type": "dict", "default": {}},
    "output": {"type": "path", "required": True},
    "snapshots": {"type": "dict", "default": {}},
    "when_unchanged": {"type": "str", "default": "build"},
    "projects": {"type": "list", "elements": "str", "default": []},
    "published": {"type": "str"},
    "published_key": {"type": "path"},
    "verify": {"type": "str", "choices": ["quick", "full"], "default": "quick"},
    "timeout": {"type": "int", "default": 7200},
    "free_space": {"type": "str", "default": "1G"},
    "run_dir": {"type": "path"},
    "stage": {"type": "str", "default": "image"},
    "progress_file": {"type": "path"},
    **STAGE_OPTIONS,
}

BUILT, REUSED = "built", "reused"  # where an image comes from that no channel or version has given
Say = t.Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Taken:
    """The image and where it comes from: ``built``, ``reused``, or the name of a channel or version."""

    outcome: Outcome
    origin: str

    def result(self, store: Store) -> dict[str, t.Any]:
        """What the module returns; of an image that is yet to be built only what is known."""
        image, key = self.outcome.image, self.outcome.key
        return {
            "image": image.path if image else (store.folder(key) if key else ""),
            "key": key,
            "reused": self.outcome.reused,
            "from": self.origin,
            "changed_inputs": self.outcome.changed_inputs,
            "files": _files(image),
        }

    def change(self, store: Store) -> tuple[t.Any, t.Any]:
        """Before and after: what was reused, or taken from where it is published, is no change."""
        if self.outcome.reused:
            return None, None
        return self.outcome.before, self.result(store)["image"]


def _files(image: Image | None) -> list[dict[str, t.Any]]:
    if image is None:
        return []
    return [{**one, "path": os.path.join(image.path, one["name"])} for one in image.facts["files"]]


@dataclasses.dataclass(frozen=True)
class Asked:
    """An image that may have to be built, and with what."""

    request: ImageRequest
    builder: Builder
    settings: Settings

    def key(self, store: Store) -> str:
        """Its key at this moment."""
        return predict(store, self.request, self.builder, self.settings).key


def asked(call: Call, run: Run | None, log: str, say: Say, pins: dict[str, str] | None = None) -> Asked:
    """What the options ask for; ``pins`` are states of the distribution that hold whatever it has become."""
    params = call.params
    given = {str(name): str(value) for name, value in params["snapshots"].items()}
    settings = Settings(
        log=log,
        timeout=params["timeout"],
        free_space=size_in_bytes(params["free_space"]),
        full=params["verify"] == "full",
        pins={**(pins or {}), **given},
        say=say,
    )
    return Asked(request_of(params, run), builder_of(params["builder"]), settings)


def take(call: Call, run: Run | None, log: str, say: Say) -> Taken:
    """The image that the options ask for; in check mode nothing is written."""
    params = call.params
    store = Store(params["output"], params["name"], read_only=call.check_mode)
    store.check()
    channel = wanted_channel(params, run)
    found = _published_image(call, store, channel, log, say) if channel else None
    if found is not None:
        return found
    wanted = asked(call, run, log, say)
    act = predict if call.check_mode else make
    outcome = act(store, wanted.request, wanted.builder, wanted.settings)
    for words in outcome.warnings:
        call.module.warn(words)
    return Taken(outcome, REUSED if outcome.reused else BUILT)


def _published_image(call: Call, store: Store, channel: str, log: str, say: Say) -> Taken | None:
    """The image of a channel or version; None when a channel has none yet: then the first one is built."""
    params = call.params
    place = _published.Place(
        params["published"], _published.checked_channel(channel), params["published_key"] or ""
    )
    limits = Limits(
        log=log or store.log(),
        timeout=params["timeout"],
        free_space=size_in_bytes(params["free_space"]),
        full=params["verify"] == "full",
        say=say,
    )
    found: tuple[str, Image | None] | None
    if call.check_mode:
        found = _published.predict(place, store, limits)
    else:
        image = _published.fetch(place, store, params["formats"], limits)
        found = None if image is None else (image.key, image)
    if found is not None:
        return Taken(Outcome(found[0], found[1], True, []), channel)
    if channel[0].isdigit():
        raise DistrogateError(
            "no_published_image",
            f"{params['published']} has no version {channel} of {store.name}. Correct when_unchanged.",
        )
    say(f"builds the first {store.name}: nothing is published as {channel} yet")
    call.module.warn(
        f"Nothing is published as {place.address(store, '')} yet, so {store.name} is built. Correct"
        " the option published if there ought to be an image."
    )
    return None


def image_alone(call: Call, say: Say) -> None:
    """The image for somebody who has no run; fills the module's result."""
    store = Store(call.params["output"], call.params["name"], read_only=call.check_mode)
    taken = take(call, None, "", say)
    call.difference.add("image", *taken.change(store))
    call.result.update(taken.result(store))
