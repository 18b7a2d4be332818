# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots: the state of a whole source, as the lists of its parts, named by a digest."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._lists import Change, Lists, Totals
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import Entry


class Part(t.NamedTuple):
    """The lists of one part, by digest; ``log`` and ``offset`` say up to where its touch log was followed.

    Without a log the part was walked.
    """

    content: str
    index: str
    log: str = ""
    offset: int = 0


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """The parts by their prefix: empty for the source itself or what is in no other part, else ``apt/``."""

    parts: dict[bytes, Part]

    @property
    def id(self) -> str:
        """A digest of the prefixes and the lists, nothing else."""
        raise NotImplementedError


class Delta(t.NamedTuple):
    """What differs between two snapshots: full paths, sorted."""

    content: list[Change]
    index: list[Change]


def to_json(snapshot: Snapshot) -> dict[str, t.Any]:
    """As a JSON object."""
    raise NotImplementedError


def from_json(value: t.Any) -> Snapshot:
    """From a JSON object by a stranger. Error ``bad_snapshot``: it is not just what ``to_json`` writes."""
    raise NotImplementedError


class Snapshots:
    """The folder ``<source>/.distrogate/mirrors/<name>/snapshots``, one file ``<id>.json`` each."""

    def __init__(self, folder: str, lists: Lists) -> None:
        self.folder = folder
        self.lists = lists

    def load(self, id: str) -> Snapshot:
        """Error ``unknown_snapshot`` when there is none of that id."""
        raise NotImplementedError

    def save(self, snapshot: Snapshot) -> None:
        """Keep a snapshot and make its lists durable; saving it again keeps its newer positions."""
        raise NotImplementedError

    def known(self, id: str) -> bool:
        """Whether it is kept here."""
        raise NotImplementedError

    def ids(self) -> list[str]:
        """All that are kept here."""
        raise NotImplementedError

    def delta(self, before: Snapshot | None, after: Snapshot | None) -> Delta:
        """What differs; None is the empty tree."""
        raise NotImplementedError

    def find(self, snapshot: Snapshot, paths: t.Iterable[bytes]) -> dict[bytes, Entry]:
        """The entries of those full paths that the snapshot has."""
        raise NotImplementedError

    def entries(self, snapshot: Snapshot) -> t.Iterator[tuple[bytes, Entry]]:
        """All entries with full paths, sorted."""
        raise NotImplementedError

    def totals(self, snapshot: Snapshot) -> Totals:
        """The number of files and their bytes."""
        raise NotImplementedError

    def names(self, snapshot: Snapshot) -> list[str]:
        """The names of all files of its lists, each once."""
        raise NotImplementedError

    def missing(self, snapshot: Snapshot) -> list[str]:
        """Of those, what is not here (a root that is missing hides its pieces: ask again)."""
        raise NotImplementedError

    def collect(self, keep: t.Collection[str]) -> None:
        """Remove the snapshots that are not in ``keep``, and lists that no snapshot of any name needs."""
        raise NotImplementedError
