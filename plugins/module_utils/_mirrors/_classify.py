# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a file is to its readers: switch file, plain-name index file, or content that never changes."""

from __future__ import annotations

import re

CONTENT = "content"
PLAIN = "plain"
SWITCH = "switch"

_INDEX = re.compile(rb"^(Release(\.gpg)?|(Packages|Sources|Contents-[^/]+)(\.[a-z0-9]{1,5})?)$")
_CHECKSUM_NAMED = re.compile(rb"^[0-9a-f]{32,128}-")
_PACKED = re.compile(r"\.(gz|xz|bz2|zst|lzma|lz4|lz)$")
_SHA256_LINE = re.compile(r"^ ([0-9a-f]{64}) +([0-9]+) +(\S+)$")


def classify(path: bytes) -> str:
    """The class of one path.

    Switch files name all the others: a reader that has one finds the rest by
    content-addressed names. Plain-name files have names that the next state
    uses again. Everything else is taken as content: its name is never reused.
    """
    folders, name = path.split(b"/")[:-1], path.split(b"/")[-1]
    if name == b"InRelease" or (name == b"repomd.xml" and folders[-1:] == [b"repodata"]):
        return SWITCH
    if b"by-hash" in folders:
        return CONTENT
    if folders[-1:] == [b"repodata"]:
        return CONTENT if _CHECKSUM_NAMED.match(name) else PLAIN
    if b"dists" in folders or _INDEX.match(name) or name == b"key.asc":
        return PLAIN
    return CONTENT
