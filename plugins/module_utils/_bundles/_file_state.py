# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a tree of files keeps: its sets, and which channel and version names which of them.

    sets      by identity: the sizes of the files, since when nothing names it (serial, moment), and by
              which key it is signed
    channels  by name: the set, and the one before it
    versions  by name: the set, and whether the link is still there; a version is never forgotten
    gone      sets whose folders are to be removed: their files

Pure decisions, nothing is written.
"""

from __future__ import annotations

import copy
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_set import SIGNATURE
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_tree import PREVIOUS
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

Json = dict[str, t.Any]


def fresh(data: Json) -> Json:
    """A copy that can be changed."""
    empty: Json = {"sets": {}, "channels": {}, "versions": {}, "gone": {}}
    return {**empty, **copy.deepcopy(data)}


def links(data: Json) -> dict[str, str]:
    """Every link that there is to be, and the set that it points to."""
    found = {name: one["set"] for name, one in data["versions"].items() if one["linked"]}
    for name, one in data["channels"].items():
        found[name] = one["set"]
        if one["previous"]:
            found[name + PREVIOUS] = one["previous"]
    return found


def point(data: Json, channel: str | None, version: str | None, identity: str) -> None:
    """Let a channel and a version name a set; a version never names another one than before."""
    if version:
        old = data["versions"].get(version)
        if old is not None and old["set"] != identity:
            raise DistrogateError(
                "tag_taken",
                f"The version {version} is the set {old['set']}, and never another one ({identity} is asked"
                " for). Use the next version.",
                taken_by=f"sha256:{old['set']}",
            )
        data["versions"][version] = {"set": identity, "linked": True}
    if channel:
        entry = data["channels"].get(channel)
        if entry is None or entry["set"] != identity:
            previous = entry["set"] if entry else None
            data["channels"][channel] = {"set": identity, "previous": previous}


def restore(data: Json, undo: Json) -> None:
    """Let the channel be what it was; the version's link goes, but the version stays taken."""
    for channel, entry in undo["channels"].items():
        if entry is None:
            data["channels"].pop(channel, None)
        else:
            data["channels"][channel] = entry
    for version in undo["versions"]:
        if version in data["versions"]:
            data["versions"][version]["linked"] = False


def undo_record(before: Json, after: Json) -> Json:
    """What ``restore`` needs later."""
    moved = [name for name, one in after["channels"].items() if before["channels"].get(name) != one]
    linked = [
        name
        for name, one in after["versions"].items()
        if one["linked"] and not before["versions"].get(name, {"linked": False})["linked"]
    ]
    return {"channels": {name: before["channels"].get(name) for name in moved}, "versions": linked}


class Retention(t.NamedTuple):
    """How long sets stay that nothing names, and how many versions do (0: all)."""

    keep: int
    keep_seconds: int
    keep_versions: int
    pinned: t.Collection[str]

    def apply(self, data: Json, undo: Json, serial: int, moment: int) -> None:
        """Drop old versions' links, and the sets that nothing has named for long enough."""
        if self.keep_versions:
            linked = sorted((name for name, one in data["versions"].items() if one["linked"]), key=_order)
            for name in linked[: -self.keep_versions]:
                data["versions"][name]["linked"] = False
        named = {*links(data).values(), *_needed(undo)}
        data["gone"] = {}
        for identity, one in list(data["sets"].items()):
            if identity in named or self._is_pinned(identity, one):
                one["unused"] = None
            elif one["unused"] is None:
                one["unused"] = [serial, moment]
            if one["unused"] is not None and self._is_over(serial, moment, *one["unused"]):
                data["gone"][identity] = sorted([*one["files"], *([SIGNATURE] if one.get("signed") else [])])
                del data["sets"][identity]

    def _is_pinned(self, identity: str, one: Json) -> bool:
        pinned = {digest.rpartition(":")[2] for digest in self.pinned}
        return bool(pinned & {identity, *(sha256 for sha256, _size in one["files"].values())})

    def _is_over(self, serial: int, moment: int, since: int, at: int) -> bool:
        return serial - since >= self.keep and moment - at >= self.keep_seconds


def _needed(undo: Json) -> set[str]:
    """Sets that going back would point to."""
    entries = [entry for entry in undo.get("channels", {}).values() if entry]
    return {one for entry in entries for one in (entry["set"], entry["previous"]) if one}


def _order(version: str) -> tuple[list[int], str]:
    return [int(number[:18]) for number in re.findall(r"[0-9]+", version)], version
