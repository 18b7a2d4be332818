# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the mirrors are to go, and whether they may; nothing is written to a mirror here."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._depot import Depot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._each import each
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._fleet import Fleet
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._guards import (
    refuse_deletion,
    refuse_lost,
    refuse_older,
    refuse_rolled_back,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._names import find_shown
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._package_changes import (
    PackageChanges,
    package_changes,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._plan import Base
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._request import Request
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._retire import Retirement
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot_parts import Snapshot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshots import Delta
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._source import Seen, Source
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._work import Work

Say = t.Callable[..., None]
_MANY = 5000  # files, beyond which the packages are listed only for a report


class Aims:
    """What a request means for what there is. The source is looked at once."""

    def __init__(self, request: Request, depot: Depot, say: Say, write: bool) -> None:
        self.request = request
        self.depot = depot
        self.say = say
        self.seen: Seen | None = None
        self._write = write

    def observe(self) -> Seen:
        """Look at the source, if that was not done yet."""
        if self.seen is None:
            state, depot, request = self.depot.journal.state, self.depot, self.request
            last = state.committed or state.observed
            known = depot.snapshots.load(last) if last and depot.snapshots.known(last) else None
            self.say("looking at the source")
            source = Source(request.source, depot.snapshots, depot.blobs, request.access.timeout)
            self.seen = source.observe(known, request.deep, self._write)
            state.observed = self.seen.snapshot.id
            if state.committed is None:  # what was told since a look is not told since a state of the mirrors
                self.seen = self.seen._replace(notes=dict.fromkeys(self.seen.notes))
        return self.seen

    def target(self) -> Snapshot:
        """Where the mirrors are to go. Errors ``unknown_snapshot``, ``source_damaged``, ``rolled_back``."""
        state, request = self.depot.journal.state, self.request
        if request.state == "rolled_back":
            return self.depot.snapshots.load(find_shown(state, request.snapshot).snapshot)
        seen = self.observe()
        refuse_lost(request.source, seen.deep, seen.snapshot)
        if not request.allow_rolled_back:
            refuse_rolled_back(state, seen.snapshot)
        return seen.snapshot

    def at_rest(self, target: Snapshot) -> bool:
        """Whether there is nothing to do but to see that the mirrors are as we left them."""
        journal, request = self.depot.journal, self.request
        state, addresses = journal.state, request.addresses
        if request.state != "synced" or request.deep or state.transaction is not None:
            return False
        if state.committed != target.id or state.mirrors.keys() != set(addresses):
            return False
        named = request.snapshot is None or request.snapshot in state.shown[-1].names
        helds = [self.depot.held(address) for address in addresses]
        hold = all(held.snapshot == target.id and held.certain and not held.folders for held in helds)
        doomed = any(journal.doomed(address) for address in addresses)
        return named and hold and not doomed and not Retirement(self.depot, request.limits).expires()

    def index(self) -> list[bytes]:
        """Index files of a state: a mirror without a record that has one of them had an earlier life."""
        if all(self.depot.held(address).serials for address in self.request.addresses):
            return []
        transaction = self.depot.journal.state.transaction
        target = self.depot.snapshot(transaction.snapshot if transaction else None)
        if self.seen is not None:
            target = self.seen.snapshot
        return [path for path, _before, _after in self.depot.snapshots.changes(None, target, "index")]

    def behind(self, fleet: Fleet, target: Snapshot) -> list[Work]:
        """The mirrors that answer and have something to get; ``deep`` has to find that out."""
        return [work for work in fleet.present if self.request.deep or not holds(work.base, target)]

    def refuse(self, fleet: Fleet, before: Snapshot | None, target: Snapshot) -> None:
        """The guards; going back on purpose is not stopped by them."""
        if self.request.state == "rolled_back":
            return
        delta = self.depot.snapshots.delta(before, target)
        refuse_deletion(self.depot.snapshots, before, delta, self.request.max_delete_ratio)
        if not self.request.allow_older:
            for work in fleet.present:
                refuse_older(work, target, self.seen.switches if self.seen else {})

    def plan(self, fleet: Fleet, works: list[Work], target: Snapshot) -> list[Work]:
        """Plan what each mirror gets; returns those that still answer."""
        if not self.request.deep:
            for work in works:
                work.aim(target)
            return works
        self.say(f"comparing every file on {len(works)} mirrors")
        snapshots = self.depot.snapshots
        known = {path for one in self.depot.referenced() for path, _entry in snapshots.entries(one)}
        fleet.away.update(each(works, lambda work: work.inspect(target, known)))
        return [work for work in works if work.address not in fleet.away]

    def packages(self, after: Snapshot | None, delta: Delta) -> PackageChanges | None:
        """What became of which package; None when that is a long list that nobody asked for."""
        if len(delta.content) > _MANY and not self.request.reports:
            return None
        unknown: dict[bytes, list[dict[str, t.Any]] | None] = dict.fromkeys(after.parts if after else ())
        return package_changes(self.seen.notes if self.seen else unknown, delta.content)


def holds(base: Base, target: Snapshot) -> bool:
    """Whether a mirror is known to have a state."""
    return base.certain and base.snapshot is not None and base.snapshot.id == target.id
