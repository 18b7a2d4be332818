# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one mirror lacks of a state: names to add now, names to switch later."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._classify import SWITCH, classify
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._lists import Change
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import Entry
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot_parts import Snapshot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshots import Snapshots

LISTS = b".distrogate/lists/"


@dataclasses.dataclass(frozen=True)
class Base:
    """What a mirror holds, as far as that is known.

    ``snapshot`` is None when it is not known. Unless ``certain``, its index files may be
    others than those of the snapshot. A ``blank`` one has nothing that we could overwrite.
    ``ours``: nobody else wrote to it since we did.
    """

    snapshot: Snapshot | None
    certain: bool = True
    blank: bool = False
    ours: bool = False


@dataclasses.dataclass(frozen=True)
class Plan:
    """The way from a base to a target, by full paths, sorted.

    ``added`` names are in the source, and new on the mirror. ``plain`` and ``switches`` are to wait
    there and then to be renamed, in this order; ``entries`` says what all of these are.
    ``lists`` are the files of the target's lists that the mirror lacks.
    """

    added: list[bytes]
    plain: list[bytes]
    switches: list[bytes]
    lists: list[bytes]
    entries: dict[bytes, Entry]
    checksum: bool
    size: int

    @property
    def waiting(self) -> list[bytes]:
        return [*self.plain, *self.switches]

    @property
    def empty(self) -> bool:
        return not (self.added or self.plain or self.switches)


def make_plan(snapshots: Snapshots, base: Base, target: Snapshot) -> Plan:
    """Compare lists; nothing else is looked at."""
    delta = snapshots.delta(base.snapshot, target)
    index = delta.index if base.certain else snapshots.changes(None, target, "index")
    # A name that is already there with other contents is switched, never overwritten before.
    waiting = {path: after for path, before, after in delta.content if before and after}
    waiting.update((path, after) for path, _before, after in index if after)
    added = {path: after for path, before, after in delta.content if after and not before}
    held = set(snapshots.names(base.snapshot)) if base.snapshot else set()
    switches = [path for path in waiting if classify(path) == SWITCH]
    entries = {**added, **waiting}
    return Plan(
        added=list(added),
        plain=sorted(waiting.keys() - set(switches)),
        switches=sorted(switches),
        lists=[LISTS + name.encode() for name in snapshots.names(target) if name not in held],
        entries=entries,
        checksum=base.snapshot is None and not base.blank,
        size=sum(entry.size for entry in entries.values()),
    )


def counts(changes: t.Iterable[Change]) -> dict[str, int]:
    """How many files were added, changed and removed."""
    found = {"added": 0, "changed": 0, "removed": 0}
    for _path, before, after in changes:
        found["removed" if after is None else "changed" if before else "added"] += 1
    return found
