# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One look at a part: what is the same for parts that are followed and parts that are walked."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._blobs import Blobs
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._classify import CONTENT, classify
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._lists import Lists
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import Entry
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot_parts import Part, Snapshot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshots import Snapshots

_SHOWN = 100


class Found(t.NamedTuple):
    """What rehashing everything found; full paths, sorted.

    ``damaged``: other contents with the size and time of the list; ``changed``: other size or time.
    """

    damaged: list[bytes]
    changed: list[bytes]
    missing: list[bytes]
    unlisted: list[bytes]


class PartSeen(t.NamedTuple):
    """What was observed of one part; ``switches`` by full path."""

    part: Part
    walked: bool
    notes: list[dict[str, t.Any]] | None
    switches: dict[bytes, bytes]
    found: Found


def unchanged(part: Part, walked: bool, notes: list[dict[str, t.Any]] | None) -> PartSeen:
    """Nothing changed."""
    return PartSeen(part, walked, notes, {}, Found([], [], [], []))


class Look(t.NamedTuple):
    """The part ``prefix`` of the tree ``source``, and where what is seen of it is kept."""

    source: str
    prefix: bytes
    snapshots: Snapshots
    blobs: Blobs
    timeout: float
    write: bool

    @property
    def root(self) -> bytes:
        return (os.fsencode(self.source) + b"/" + self.prefix).rstrip(b"/")

    @property
    def lists(self) -> Lists:
        return self.snapshots.lists

    def is_content(self, path: bytes) -> bool:
        return classify(self.prefix + path) == CONTENT

    def find(self, part: Part) -> t.Callable[[t.Iterable[bytes]], dict[bytes, Entry]]:
        """What finds full paths in this part."""
        snapshot = Snapshot({self.prefix: part})

        def find(paths: t.Iterable[bytes]) -> dict[bytes, Entry]:
            return self.snapshots.find(snapshot, [one for one in paths if one.startswith(self.prefix)])

        return find

    def compare(self, before: Part | None, after: Part) -> Found:
        """What the lists said, and what is there; nothing when there are none, or they are damaged."""
        found = Found([], [], [], [])
        if before is None:
            return found
        was, now = Snapshot({self.prefix: before}), Snapshot({self.prefix: after})
        try:
            for kind in ("content", "index"):
                for path, old, new in self.snapshots.changes(was, now, kind):
                    _sort(found, path, old, new)
        except DistrogateError as error:
            if error.reason != "list_damaged":
                raise
            return Found([], [], [], [])
        return Found(*(sorted(paths) for paths in found))


def _sort(found: Found, path: bytes, old: Entry | None, new: Entry | None) -> None:
    if old is None or new is None:
        (found.unlisted if old is None else found.missing).append(path)
    else:
        (found.damaged if old[1:] == new[1:] else found.changed).append(path)


def incomplete(source: str, problems: list[str]) -> DistrogateError:
    """The source names what is not there."""
    return DistrogateError(
        "source_incomplete",
        f"{source} is not whole; publish it again. {'; '.join(problems[:5])}.",
        missing=problems[:_SHOWN],
    )
