# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moving names in Glance: what is asked before the first one moves, and the way back."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _glance_images as known
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_state import links, restore
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_api import Glance
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

Json = dict[str, t.Any]
LOST, DEACTIVATED, SUPERSEDED = "image_lost", "image_deactivated", "superseded"


class UnmovedError(DistrogateError):
    """Glance refused the first change of a move: all is as it was."""


class DroppedError(DistrogateError):
    """What was decided cannot be so any more, and is forgotten."""


def send(glance: Glance, images: t.Sequence[Json], work: Json) -> None:
    """Let the images have the names that were decided."""
    for number, move in enumerate(known.moves(images, work)):
        try:
            glance.patch(move.image, move.operations)
        except DistrogateError as error:
            if number == 0 and 400 <= error.details.get("status", 0) < 500:
                message = f"{error.message} No name has moved."
                raise UnmovedError(error.reason, message, **error.details) from error
            raise


def against(images: t.Sequence[Json], work: Json) -> tuple[str, str] | None:
    """Why names cannot move as they were decided: a reason, and a sentence. None when they can."""
    newer = [one for one in images if known.is_there(one) and _is_newer(one, work)]
    if newer:
        return SUPERSEDED, (
            f"Another host has published since this was prepared (the image {newer[0]['id']} has the serial"
            f" {known.serial_of(newer[0])}, this one {work['serial']}), and that is not taken back."
        )
    if work["goal"] and not any(_is_goal(one, work) for one in images):
        return LOST, (
            f"Glance does not have the image of the key sha256:{work['goal']} any more, though it was"
            " brought: somebody removed or deactivated it."
        )
    return None


def _is_newer(image: Json, work: Json) -> bool:
    serial, own = known.serial_of(image), known.identity_of(image) == work["goal"]
    own = own and work["image"] in (None, image["id"])  # another host may have brought the same
    return serial > work["serial"] or (serial == work["serial"] and not own)


def _is_goal(image: Json, work: Json) -> bool:
    there = known.is_whole(image) and known.identity_of(image) == work["goal"]
    return there or (image["id"] == work["image"] and image.get("status") == "active")


def way_back(images: t.Sequence[Json], work: Json, strict: bool = True) -> Json:
    """The work that takes ``work`` back. What it brought is retired, nothing else is."""
    data = gone_back(images, work["undo"], strict)
    if work["image"] and work["goal"] not in links(data).values():
        data["sets"].pop(work["goal"], None)
    return {
        "data": data,
        "serial": known.last_serial(images) + 1,
        "goal": "",
        "values": {},
        "image": None,
    }


def gone_back(images: t.Sequence[Json], undo: Json, strict: bool = True) -> Json:
    """What there is, with the names that there were.

    An image that is not there, or deactivated, gets none: ``strict`` refuses it, else its channel has none.
    """
    data, there = known.data_of(images), known.chosen(images)
    restore(data, undo)
    for channel in undo["channels"]:
        entry = data["channels"].get(channel)
        if entry is None:
            continue
        fault = _fault_of(there, entry["set"])
        if fault is not None and strict:
            reason, what = fault
            raise DistrogateError(
                reason,
                f"{channel} cannot name again what it had: the image of the key sha256:{entry['set']} {what}."
                " Nothing was changed. Publish another image.",
                key=f"sha256:{entry['set']}",
            )
        if fault is not None:
            del data["channels"][channel]
        elif entry["previous"] not in there:
            data["channels"][channel] = {**entry, "previous": None}
    return data


def _fault_of(there: t.Mapping[str, Json], identity: str) -> tuple[str, str] | None:
    if identity not in there:
        return LOST, "is not in Glance any more"
    if not known.is_whole(there[identity]):
        return DEACTIVATED, f"({there[identity]['id']}) is deactivated"
    return None
