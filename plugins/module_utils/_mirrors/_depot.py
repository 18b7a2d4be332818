# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that is kept at the source: the journal, the states, and the frozen files."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._blobs import Blobs
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal import Journal
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal_state import Held
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._lists import Lists
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import Entry
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot_parts import Snapshot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshots import Snapshots


@dataclasses.dataclass(frozen=True)
class Depot:
    """What is kept in ``<source>/.distrogate`` for the mirrors that are synchronised under one name."""

    source: str
    journal: Journal
    snapshots: Snapshots
    blobs: Blobs

    @classmethod
    def of(cls, source: str, name: str) -> Depot:
        """The depot of a source; nothing is read or made yet."""
        journal = Journal(source, name)
        lists = Lists(os.path.join(source, ".distrogate", "lists"))
        snapshots = Snapshots(os.path.join(journal.folder, "snapshots"), lists)
        return cls(source, journal, snapshots, Blobs(os.path.join(journal.folder, "blobs")))

    def held(self, address: str) -> Held:
        """What the journal says that a mirror holds."""
        return self.journal.state.mirrors.get(address, Held())

    def snapshot(self, snapshot_id: str | None) -> Snapshot | None:
        """A state by its id; None for none."""
        return self.snapshots.load(snapshot_id) if snapshot_id else None

    def committed(self) -> Snapshot | None:
        """What the mirrors follow."""
        return self.snapshot(self.journal.state.committed)

    def referenced(self) -> list[Snapshot]:
        """Every state that something still needs."""
        names = sorted(self.journal.state.referenced())
        return [self.snapshots.load(name) for name in names if self.snapshots.known(name)]

    def collect(self) -> None:
        """Remove the lists and the frozen files that nothing needs any more."""
        self.snapshots.collect(self.journal.state.referenced())
        self.blobs.collect({entry for one in self.referenced() for entry in self._index(one)})

    def _index(self, snapshot: Snapshot) -> t.Iterator[Entry]:
        return (after for _path, _before, after in self.snapshots.changes(None, snapshot, "index") if after)
