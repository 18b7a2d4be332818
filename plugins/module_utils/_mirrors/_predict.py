# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode: the plan for each mirror. Mirrors are asked what they hold; nothing is written anywhere."""

from __future__ import annotations

import tempfile
import time

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import TEMPORARY
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._aims import Say
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._decisions import Decisions
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._fleet import Fleet
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal_state import (
    Held,
    Shown,
    Transaction,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._request import Outcome, Request
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._retire import Retirement
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._rows import Rows
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot_parts import Snapshot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._sync import Sync


class Prediction(Sync):
    """What ``Sync.run`` would do."""

    def __init__(self, request: Request, say: Say) -> None:
        super().__init__(request, say, write=False)

    def run(self) -> Outcome:
        """The plan."""
        self.journal.load()
        self.depot.snapshots.lists.in_memory = True
        with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
            fleet = Fleet(self.request.mirrors, self.depot, self.request.access, folder)
            rows = Rows(self.journal, fleet)
            if self.request.state in ("committed", "undone"):
                return self._decided(rows)
            return self._planned(rows)

    def _decided(self, rows: Rows) -> Outcome:
        state, before = self.journal.state, self.depot.committed()
        decided = Decisions(state, self.request).decided()
        if decided is None:
            return self._outcome(rows, rows.fleet, before, before)
        transaction, goes_on = decided
        name = transaction.snapshot if goes_on else transaction.before
        if transaction is state.transaction and not goes_on:
            name = state.committed
        after = self.depot.snapshots.load(name) if name else None
        moved = list(transaction.mirrors) if goes_on or transaction is state.last else []
        outcome = self._outcome(rows, rows.fleet, before, after, moved)
        outcome.held = rows.held(dict.fromkeys(moved, name))
        return outcome

    def _planned(self, rows: Rows) -> Outcome:
        state, request, fleet = self.journal.state, self.request, rows.fleet
        Decisions(state, request).refuse_other()
        target, before = self.aims.target(), self.depot.committed()
        fleet.look(self.aims.index())
        current = state.transaction
        opened = request.state == "prepared" and not (
            current and current.phase == "prepared" and current.snapshot == target.id
        )
        behind = self.aims.behind(fleet, target)
        self.aims.refuse(fleet, before, target)
        if behind:
            self._refuse_too_few(fleet)
            behind = self.aims.plan(fleet, behind, target)
            self._refuse_too_few(fleet)
        rows.planned(behind)
        moved = [work.address for work in behind]
        outcome = self._outcome(rows, fleet, before, target, moved, opened=opened, planned=True)
        if request.state != "prepared":
            outcome.held = rows.held({work.address: target.id for work in fleet.present})
            outcome.retired = self._retired(target, fleet, bool(behind))
        return outcome

    def _retired(self, target: Snapshot, fleet: Fleet, moves: bool) -> int:
        """How many files a mirror would lose: asked of the journal as it would be by then."""
        state = self.journal.state
        self.depot.snapshots.lend(target)
        if moves or state.committed != target.id:
            state.last = Transaction("", target.id, state.committed, 0)
            if state.committed != target.id:
                state.shown.append(Shown(target.id, int(time.time())))
        state.transaction = None
        for work in fleet.present:
            state.mirrors[work.address] = Held(target.id)
        return Retirement(self.depot, self.request.limits).predict(self.request.addresses)

    def _refuse_too_few(self, fleet: Fleet) -> None:
        needed = self.request.needed
        if len(fleet.present) < needed:
            raise fleet.too_few(needed, "quorum_not_met", "Nothing would be switched anywhere.")
