# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Glance keeps of the images of one name, in their properties: pure functions, nothing is sent.

distrogate_name, _key, _sha256, _commits   what it is
distrogate_state       incoming (no reader is shown it), published, or retired (to be removed)
distrogate_writer      which folder's run brings it
distrogate_channel_C   current or previous
distrogate_serial      grows with every move: of two that are current the larger one counts
distrogate_versions    its versions, which are tags as well
distrogate_unused      since when nothing names it: a serial, and a moment
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_state import fresh

Json = dict[str, t.Any]
PREFIX = "distrogate_"
NAME, KEY, SHA256, COMMITS = "distrogate_name", "distrogate_key", "distrogate_sha256", "distrogate_commits"
STATE, WRITER, SERIAL = "distrogate_state", "distrogate_writer", "distrogate_serial"
VERSIONS, UNUSED, CHANNEL = "distrogate_versions", "distrogate_unused", "distrogate_channel_"
INCOMING, PUBLISHED, RETIRED = "incoming", "published", "retired"
CURRENT, PREVIOUS = "current", "previous"
DEACTIVATED = "deactivated"  # a status that an operator gives, so that nobody starts a machine from it
_HEX = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


def identity_of(image: Json) -> str:
    """The key's digits; empty when somebody else's image has our name."""
    match = _HEX.fullmatch(str(image.get(KEY)))
    return match[1] if match else ""


def serial_of(image: Json) -> int:
    text = str(image.get(SERIAL) or "0")
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else 0


def is_whole(image: Json) -> bool:
    """Whether it was published, and Glance has all of it."""
    return image.get(STATE) == PUBLISHED and image.get("status") == "active" and bool(identity_of(image))


def is_there(image: Json) -> bool:
    """Whether it counts: one that an operator deactivated keeps its names, and its time to stay."""
    return is_whole({**image, "status": "active"} if image.get("status") == DEACTIVATED else image)


def chosen(images: t.Iterable[Json]) -> dict[str, Json]:
    """One image for each key: of two, one that is active, and of these the one that was named last."""
    there = sorted(filter(is_there, images), key=lambda one: (serial_of(one), str(one["id"])))
    found: dict[str, Json] = {}
    for image in there:
        if is_whole(image) or not is_whole(found.get(identity_of(image), {})):
            found.pop(identity_of(image), None)  # the order is that of the serials
            found[identity_of(image)] = image
    return found


def last_serial(images: t.Iterable[Json]) -> int:
    return max(map(serial_of, images), default=0)


def data_of(images: t.Iterable[Json]) -> Json:
    """Sets, channels and versions, as _file_state decides about them."""
    data = fresh({})
    for identity, image in chosen(images).items():
        sha256 = str(image.get(SHA256) or "")
        data["sets"][identity] = {
            "files": {str(image.get("name")): [sha256, image.get("size")]},
            "unused": _unused(image),
        }
        for version in str(image.get(VERSIONS) or "").split():
            data["versions"][version] = {"set": identity, "linked": True}
        for name in image:
            if name.startswith(CHANNEL):
                _name(data["channels"], name[len(CHANNEL) :], identity, str(image[name]))
    data["channels"] = {name: one for name, one in data["channels"].items() if one["set"]}
    return data


def _name(channels: Json, channel: str, identity: str, word: str) -> None:
    """Images come in the order of their serials: a killed run may have left two that are current."""
    entry = channels.setdefault(channel, {"set": None, "previous": None})
    if word == CURRENT:
        entry["previous"] = entry["set"] or entry["previous"]
        entry["set"] = identity
    elif entry["set"] is None:
        entry["previous"] = identity


def _unused(image: Json) -> list[int] | None:
    words = str(image.get(UNUSED) or "").split()
    known = len(words) == 2 and all(re.fullmatch(r"[0-9]{1,15}", word) for word in words)
    return [int(word) for word in words] if known else None


def marks(data: Json, identity: str) -> dict[str, str]:
    """The properties that say which names an image has."""
    found = {}
    for channel, entry in data["channels"].items():
        if identity == entry["set"]:
            found[CHANNEL + channel] = CURRENT
        elif identity == entry["previous"]:
            found[CHANNEL + channel] = PREVIOUS
    versions = [name for name, one in data["versions"].items() if one["set"] == identity and one["linked"]]
    if versions:
        found[VERSIONS] = " ".join(sorted(versions))
    unused = data["sets"][identity]["unused"]
    if unused is not None:
        found[UNUSED] = " ".join(map(str, unused))
    return found


def is_shown(found: t.Mapping[str, str]) -> bool:
    """What a channel names, or named before, is listed; all else is hidden, and found by its id."""
    return any(name.startswith(CHANNEL) for name in found)


def patch_of(image: Json, found: t.Mapping[str, str], more: t.Mapping[str, t.Any]) -> list[Json]:
    """What turns an image's names into these; ``more`` are other values that it is to have."""
    ours = [name for name in image if name.startswith(CHANNEL) or name in (VERSIONS, UNUSED)]
    wanted: Json = {**more, **found, "os_hidden": not is_shown(found)}
    had = set(str(image.get(VERSIONS) or "").split())
    wanted["tags"] = sorted({*found.get(VERSIONS, "").split(), *(set(image.get("tags") or []) - had)})
    operations = [{"op": "remove", "path": _path(name)} for name in sorted(ours) if name not in found]
    for name, value in sorted(wanted.items()):
        there = sorted(image.get("tags") or []) if name == "tags" else image.get(name)
        if there != value:
            operation = "replace" if name in image else "add"
            operations.append({"op": operation, "path": _path(name), "value": value})
    return operations


def _path(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


class Move(t.NamedTuple):
    """The changes of one image."""

    image: str
    identity: str
    operations: list[Json]
    rank: int

    @property
    def changed(self) -> list[str]:
        """What they change."""
        return sorted(one["path"][1:] for one in self.operations)


def moves(images: t.Sequence[Json], work: Json) -> list[Move]:
    """What to send, in order: what becomes current first, so that a reader always finds one that is.

    ``work`` has the ``data`` that is to be, the ``serial``, and of the image with the key ``goal`` its
    further ``values`` and the id ``image``, when it is new. What nothing keeps is retired.
    """
    kept, found = chosen(images), []
    new = [image for image in images if work["image"] and image["id"] == work["image"]]
    if new and work["goal"]:
        kept[work["goal"]] = new[0]
    for image in images:
        identity = identity_of(image)
        if image is kept.get(identity) and identity in work["data"]["sets"]:
            found += _named(image, identity, work)
        elif image.get(STATE) == PUBLISHED:
            # A second one of a key that somebody deactivated loses its names; nobody decided that it goes.
            spared = image.get("status") == DEACTIVATED and identity in kept and image is not kept[identity]
            operations = patch_of(image, {}, {} if spared else {STATE: RETIRED})
            found += [Move(str(image["id"]), identity, operations, 3)] if operations else []
    return sorted(found, key=lambda move: move.rank)


def _named(image: Json, identity: str, work: Json) -> list[Move]:
    found = marks(work["data"], identity)
    gains = [name for name, word in found.items() if word == CURRENT and image.get(name) != CURRENT]
    more = {STATE: PUBLISHED, **(work["values"] if identity == work["goal"] else {})}
    if gains or not image.get(SERIAL):
        more[SERIAL] = str(work["serial"])
    operations = patch_of(image, found, more)
    rank = 0 if gains else 1 if is_shown(found) else 2
    return [Move(str(image["id"]), identity, operations, rank)] if operations else []
