# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists: what a part of a tree holds, named by a digest, in pieces that unchanged files share."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import Entry

Change = t.Tuple[bytes, t.Optional[Entry], t.Optional[Entry]]  # path, before, after


class Totals(t.NamedTuple):
    """How much a list names."""

    files: int
    bytes: int


class Lists:
    """The folder ``<source>/.distrogate/lists``: every file's name is the sha256 of its contents.

    What is read is checked against its name. Error ``list_damaged``: a file of
    the folder is missing or was rewritten; whoever can must make the list anew.
    With ``in_memory`` nothing is written: new pieces live as long as this object.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.in_memory = False

    def build(self, entries: t.Iterable[tuple[bytes, Entry]]) -> str:
        """A list from entries sorted by path; returns its digest (an empty list has one, too)."""
        raise NotImplementedError

    def update(self, digest: str, changes: t.Mapping[bytes, Entry | None]) -> str:
        """The list with other entries for some paths (None: without it); reads and writes only their pieces."""
        raise NotImplementedError

    def difference(self, before: str | None, after: str | None) -> t.Iterator[Change]:
        """What differs, sorted by path; None is the empty list. Reads only pieces that differ."""
        raise NotImplementedError

    def entries(self, digest: str) -> t.Iterator[tuple[bytes, Entry]]:
        """All entries, sorted by path."""
        raise NotImplementedError

    def find(self, digest: str, paths: t.Iterable[bytes]) -> dict[bytes, Entry]:
        """The entries of those paths that the list has."""
        raise NotImplementedError

    def totals(self, digest: str) -> Totals:
        """The number of files and their bytes; reads the root alone."""
        raise NotImplementedError

    def names(self, digest: str) -> list[str]:
        """The names of all files of a list, the root's first."""
        raise NotImplementedError

    def missing(self, digest: str) -> list[str]:
        """Of those, what is not here; only the root while that is missing."""
        raise NotImplementedError

    def take(self, name: str, data: bytes) -> None:
        """Keep a file from a mirror. Error ``bad_list``: it does not have that digest, or no list is like that."""
        raise NotImplementedError

    def hold(self, timeout: float = 60) -> contextlib.AbstractContextManager[None]:
        """While it is held nobody collects: from ``take`` or ``build`` until a snapshot that needs it is saved."""
        raise NotImplementedError

    def sync(self) -> None:
        """Make what was written durable."""
        raise NotImplementedError

    def collect(self, keep: t.Iterable[str]) -> None:
        """Remove what no list in ``keep`` needs; nothing while somebody holds the lists or one cannot be read."""
        raise NotImplementedError
