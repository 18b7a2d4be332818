# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pieces: the entries of a list in files of about 512, cut where a path's own checksum says so.

So a path that comes, goes or changes makes one piece new (two when it is itself
such a border), and the same entries always give the same pieces, whatever the
order in which they came.
"""

from __future__ import annotations

import typing as t


class Entry(t.NamedTuple):
    """One file: its contents, and the time that readers see."""

    sha256: str
    size: int
    mtime_ns: int


class Ref(t.NamedTuple):
    """A piece as the list's root names it: all entries from the path ``first`` to the next piece's."""

    digest: str
    files: int
    bytes: int
    first: bytes
