# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Helpers of file_publish: orders, differences, sizes, addresses, and what may not be gone."""

from __future__ import annotations

import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_set import SUMS, File, FileSet
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_tree import PREVIOUS, FileTree
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

Json = dict[str, t.Any]


def check_known(root: str, files: FileSet, known: t.Mapping[str, t.Sequence[t.Any]]) -> None:
    """What lies under a key never becomes something else."""
    had = {name: sha256 for name, (sha256, _size) in known.items()}
    wants = {name: one.sha256 for name, one in files.files.items()}
    if had and had != wants:
        names = sorted(name for name in {*had, *wants} if had.get(name) != wants.get(name))
        raise DistrogateError(
            "key_taken",
            f"{root}/{files.identity} has other files than are to be published under that key"
            f" ({', '.join(names[:5])}). What was built twice by one key differs: publish the one that was"
            " published first, or build by a new key.",
            key=f"sha256:{files.identity}",
        )


def check_back(tree: FileTree, channel: str, data: Json) -> None:
    """No link goes back to a set that somebody removed; what was before it may be gone."""
    entry = data["channels"].get(channel)
    if entry is None:
        return
    lacks = _lacks(tree, data, entry["set"])
    if lacks:
        raise DistrogateError(
            "set_gone",
            f"{channel} cannot point again to what it had: {tree.root}/{entry['set']} lacks"
            f" {', '.join(lacks[:5])}. Nothing was changed. Put them back, or publish another set.",
            key=f"sha256:{entry['set']}",
        )
    if entry["previous"] and _lacks(tree, data, entry["previous"]):
        data["channels"][channel] = {**entry, "previous": None}


def _lacks(tree: FileTree, data: Json, identity: str) -> list[str]:
    known = data["sets"].get(identity)
    return tree.lacks(identity, known["files"]) if known else [SUMS]


def last_of_all(name: str) -> tuple[bool, bool, str]:
    """Versions, then what was before, then channels."""
    return (name[0].isalpha(), not name.endswith(PREVIOUS), name)


def pairs(old: t.Mapping[str, t.Any], new: t.Mapping[str, t.Any]) -> tuple[Json, Json]:
    """What differs, on both sides."""
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return {name: old.get(name) for name in names}, {name: new.get(name) for name in names}


def listed(files: FileSet) -> dict[str, list[t.Any]]:
    return {name: [one.sha256, one.size] for name, one in files.files.items()}


def with_sizes(files: FileSet, known: t.Mapping[str, t.Sequence[t.Any]]) -> FileSet:
    """Sizes that nobody said, from when the files came."""
    sized: dict[str, File] = {}
    for name, one in files.files.items():
        found = known[name][1] if name in known and one.size is None else one.size
        sized[name] = one._replace(size=found)
    return FileSet(sized, files.key)


def address_of(url: str | None, root: str) -> str:
    found: str = url or "file://" + urllib.parse.quote(root)
    if not found.isprintable() or " " in found:
        raise DistrogateError("bad_name", f"url {found!r} has spaces or control characters.")
    return found.rstrip("/")
