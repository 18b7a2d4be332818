# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which paths the operations of a transaction touch, and what lies there afterwards."""

from __future__ import annotations

import os
import stat
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._touched import Touched

_PRIVATE = ".distrogate/"


def touched_paths(
    root: str, folder: str, operations: t.Iterable[dict[str, t.Any]], digests: t.Mapping[str, str]
) -> t.Iterator[Touched]:
    """One record for each path but private ones; ``digests`` has those of files in the folder ``trees``.

    ``folder`` is the transaction's. What an earlier attempt has moved out of ``trees`` is not
    found any more: that attempt has logged it.
    """
    for one in operations:
        name, action = one["name"], one["action"]
        if name.startswith(_PRIVATE):
            continue
        if action == "drop":
            yield Touched(os.fsencode(name))
        elif action == "tree":
            yield from _tree(os.path.join(folder, "trees", name), name, digests)
        else:
            staged = os.path.join(folder, "new", one["staged"])
            yield _file(name, (staged, os.path.join(root, name)), one.get("sha256", ""))


def _tree(path: str, name: str, digests: t.Mapping[str, str]) -> t.Iterator[Touched]:
    try:
        with os.scandir(path) as entries:
            found = list(entries)
    except FileNotFoundError:
        return
    for entry in found:
        below = f"{name}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _tree(entry.path, below, digests)
        else:
            yield _known(below, digests.get(below, ""), entry.stat(follow_symlinks=False))


def _file(name: str, places: t.Iterable[str], sha256: str) -> Touched:
    """A file that is staged still, or that an earlier attempt has given its name already."""
    for place in places if sha256 else ():
        try:
            return _known(name, sha256, os.lstat(place))
        except FileNotFoundError:
            continue
    return Touched(os.fsencode(name))


def _known(name: str, sha256: str, status: os.stat_result) -> Touched:
    if sha256 and stat.S_ISREG(status.st_mode):
        return Touched(os.fsencode(name), sha256, status.st_size, status.st_mtime_ns)
    return Touched(os.fsencode(name))
