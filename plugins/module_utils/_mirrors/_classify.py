# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a file is to its readers: switch file, plain-name index file, or content that never changes."""

from __future__ import annotations

import functools
import re

CONTENT = "content"
PLAIN = "plain"
SWITCH = "switch"

_INDEX = re.compile(rb"^(Release(\.gpg)?|(Packages|Sources|Contents-[^/]+)(\.[a-z0-9]{1,5})?)$")
_CHECKSUM_NAMED = re.compile(rb"^[0-9a-f]{32,128}-")
_BY_HASH, _REPODATA, _DISTS = 1, 2, 3


def classify(path: bytes) -> str:
    """The class of one path.

    Switch files name all the others: a reader that has one finds the rest by
    content-addressed names. Plain-name files have names that the next state
    uses again. Everything else is taken as content: its name is never reused.
    """
    folder, _slash, name = path.rpartition(b"/")
    place = _place(folder)
    if name == b"InRelease" or (name == b"repomd.xml" and place == _REPODATA):
        return SWITCH
    if place == _BY_HASH:
        return CONTENT
    if place == _REPODATA:
        return CONTENT if _CHECKSUM_NAMED.match(name) else PLAIN
    if place == _DISTS or name == b"key.asc" or _INDEX.match(name):
        return PLAIN
    return CONTENT


@functools.lru_cache(maxsize=4096)
def _place(folder: bytes) -> int:
    """What a folder says of the files in it."""
    folders = folder.split(b"/")
    if b"by-hash" in folders:
        return _BY_HASH
    if folders[-1] == b"repodata":
        return _REPODATA
    return _DISTS if b"dists" in folders else 0
