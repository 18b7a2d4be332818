# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The transaction: which mirrors are made ready, when they switch, and how it is finished after a kill."""

from __future__ import annotations

import time

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._depot import Depot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._each import each
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._fleet import Fleet
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal_state import (
    Held,
    Shown,
    State,
    Transaction,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._plan import Base, Plan
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._record import Record
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot_parts import Snapshot, to_json
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._work import Work

_ENDED = 100


class Steps:
    """The steps of a transaction on all its mirrors; ``fleet.away`` says why one fell behind."""

    def __init__(self, depot: Depot, fleet: Fleet) -> None:
        self.depot = depot
        self.journal = depot.journal
        self.snapshots = depot.snapshots
        self.fleet = fleet

    @property
    def state(self) -> State:
        return self.journal.state

    def prepare(self, transaction: Transaction, works: list[Work]) -> None:
        """Make every mirror ready that can be. Error ``quorum_not_met``: nothing was switched anywhere."""
        state = self.state
        state.transaction = transaction
        state.serial += 1
        for work in works:
            held = state.mirrors.setdefault(work.address, Held())
            base = work.base
            held.snapshot, held.certain = (base.snapshot.id if base.snapshot else None), base.certain
            held.serials.append(state.serial)
            # One without a record that holds index files had an earlier life: it cannot be brought back.
            kept = base.certain or base.blank
            transaction.mirrors[work.address] = Held(held.snapshot, kept)
        self.journal.save()
        next_id = transaction.snapshot
        failed = each(
            works, lambda work: work.prepare(self._record(work.base.snapshot, next_id), transaction.back)
        )
        self.fleet.away.update(failed)
        ready = [work for work in works if work.address not in failed]
        if len(ready) + len(transaction.holding) < transaction.needed:
            self.drop(transaction)
            raise self.fleet.too_few(transaction.needed, "quorum_not_met", "Nothing was switched anywhere.")
        for work in works:
            if work.address in failed:
                del transaction.mirrors[work.address]
                state.leave(work.address, work.folders())
        transaction.phase = "prepared"
        self.journal.save()

    def switch(self, transaction: Transaction, works: list[Work]) -> None:
        """Switch what is ready. Error ``quorum_lost``: what had switched went back."""
        transaction.phase = "switching"
        self.journal.save()
        failed = each(works, Work.switch)
        again = each([work for work in works if work.address in failed], Work.switch)
        self.fleet.away.update(again)
        absent = transaction.mirrors.keys() - {work.address for work in works}
        switched = [work for work in works if work.address not in again]
        if len(switched) + len(transaction.holding) < transaction.needed:
            transaction.phase = "restoring"
            self.journal.save()
            self.restore(transaction, works)
            went = "The mirrors that had switched went back."
            raise self.fleet.too_few(transaction.needed, "quorum_lost", went)
        self._committed(transaction, {*again, *absent})

    def _committed(self, transaction: Transaction, failed: set[str]) -> None:
        state, now = self.state, int(time.time())
        for address, before in transaction.mirrors.items():
            held = state.mirrors[address]
            if address in failed:
                held.snapshot, held.certain = before.snapshot, False
            else:
                held.snapshot, held.certain = transaction.snapshot, True
        if state.committed != transaction.snapshot:
            state.shown.append(Shown(transaction.snapshot, now))
        if transaction.name and transaction.name not in state.shown[-1].names:
            state.shown[-1].names.append(transaction.name)
        if transaction.back:
            left = {*state.refused, *([transaction.before] if transaction.before else [])}
            state.refused = sorted(left - {transaction.snapshot})
        else:
            state.refused = []
        state.ended = [*state.ended[-_ENDED:], transaction.id]
        state.last, state.transaction = transaction, None
        self.journal.save()

    def restore(self, transaction: Transaction, works: list[Work]) -> None:
        """Bring every mirror of the transaction back to what it was; those that are away, later."""
        after = self.snapshots.load(transaction.snapshot)

        def back(work: Work) -> None:
            was = transaction.mirrors[work.address]
            if was.snapshot is None and not was.certain:
                # Deleting would lose what was there before us.
                why = "what it held before the first transaction is not known; it was left as it is"
                raise DistrogateError("mirror_failed", f"{work.address}: {why}", why=why)
            before = self.depot.snapshot(was.snapshot)
            work.base = Base(before, was.certain, blank=was.snapshot is None)
            gone = work.restore(before, after)
            work.end(self._record(before, None), gone, [])

        concerned = [work for work in works if work.address in transaction.mirrors]
        failed = each(concerned, back)
        self.fleet.away.update(failed)
        left: dict[str, Held] = {}
        for address, was in transaction.mirrors.items():
            done = any(work.address == address for work in concerned) and address not in failed
            held = self.state.mirrors.setdefault(address, Held())
            held.snapshot, held.certain = was.snapshot, was.certain and done
            if self._replaces(was, after):
                held.snapshot, held.certain = None, False  # replaced contents are not kept: compare all
            if not done and (was.snapshot is not None or was.certain):
                left[address] = was
        # Whoever comes next goes on with those that could not be brought back now.
        transaction.mirrors = left
        self.state.transaction = transaction if left else None
        self.journal.save()

    def _replaces(self, was: Held, after: Snapshot) -> bool:
        before = self.depot.snapshot(was.snapshot)
        changes = self.snapshots.delta(before, after).content
        return any(old and new for _path, old, new in changes)

    def undo(self, last: Transaction) -> None:
        """Take back a committed transaction, or go on with that. Error ``quorum_not_met``: too few did."""
        state = self.state
        if last is not state.transaction:
            last.phase = "restoring"
            state.transaction, state.last = last, None
            state.ended = [name for name in state.ended if name != last.id]
            state.refused = [name for name in state.refused if name != last.before]
            if last.before is None:
                state.shown = []
            elif last.before != state.committed:
                state.shown.append(Shown(last.before, int(time.time())))
            self.journal.save()
        self.restore(last, [work for work in self.fleet.present if work.address in last.mirrors])
        if len(self.fleet.works) - len(last.mirrors) < last.needed:
            then = "The others went back; the next run goes on with these."
            raise self.fleet.too_few(last.needed, "quorum_not_met", then)

    def drop(self, transaction: Transaction) -> None:
        """Forget a transaction that switched nothing; what waits on a mirror that is away goes later."""
        concerned = [work for work in self.fleet.works.values() if work.address in transaction.mirrors]
        for work in concerned:
            if work.plan is None:
                self._aim(transaction, work)
            self.state.leave(work.address, work.folders())
        self.state.transaction = None
        self.journal.save()
        self.end([work for work in concerned if work.address not in self.fleet.away])

    def recover(self) -> None:
        """Finish, or take back, what a killed run left; a prepared transaction waits for its decision."""
        transaction = self.state.transaction
        if transaction is None or (transaction.phase == "prepared" and transaction.explicit):
            return
        works = [work for work in self.fleet.present if work.address in transaction.mirrors]
        if transaction.phase in ("preparing", "prepared"):
            self.drop(transaction)
        elif transaction.phase == "restoring":
            self.restore(transaction, works)
        else:
            try:
                self.switch(transaction, self.rejoin(transaction))
            except DistrogateError as error:
                # Taken back; the present run decides for itself.
                if error.reason != "quorum_lost":
                    raise
        for work in works:
            held = self.state.mirrors[work.address]
            snapshot = self.depot.snapshot(held.snapshot)
            work.base = Base(snapshot, held.certain, blank=False)
            work.plan = None

    def rejoin(self, transaction: Transaction) -> list[Work]:
        """The mirrors of a transaction of an earlier process that answer, aimed as they were then."""
        works = [work for work in self.fleet.present if work.address in transaction.mirrors]
        for work in works:
            if not work.base.ours:
                self.fleet.away[work.address] = "somebody else wrote to it since it was made ready"
        works = [work for work in works if work.address not in self.fleet.away]
        for work in works:
            plan = self._aim(transaction, work)
            work.layout.lay_ready(plan.waiting, plan.entries)
        return works

    def _aim(self, transaction: Transaction, work: Work) -> Plan:
        was = transaction.mirrors[work.address]
        before = self.depot.snapshot(was.snapshot)
        work.base = Base(before, was.certain and before is not None, blank=was.certain)
        return work.aim(self.snapshots.load(transaction.snapshot))

    def end(self, works: list[Work]) -> None:
        """Write down on the mirrors what they hold, and let them lose what nothing needs any more."""
        state = self.state
        state.serial += 1
        for work in works:
            state.mirrors[work.address].serials.append(state.serial)
        self.journal.save()

        def end(work: Work) -> None:
            held = state.mirrors[work.address]
            snapshot = self.depot.snapshot(held.snapshot)
            doomed = self.journal.doomed(work.address)
            work.end(self._record(snapshot, None), doomed, held.folders)

        failed = each(works, end)
        for work in works:
            self.fleet.untidy.pop(work.address, None)
            if work.address in failed:
                self.fleet.untidy[work.address] = failed[work.address]
            else:
                held = state.mirrors[work.address]
                held.serials, held.folders = [state.serial], []
                self.journal.doom(work.address, ())
        self.journal.save()

    def _record(self, snapshot: Snapshot | None, following: str | None) -> Record:
        state = self.state
        return Record(
            name=self.journal.name,
            origin=state.origin,
            snapshot=snapshot.id if snapshot else None,
            next=following,
            parts=to_json(snapshot) if snapshot else {},
            serial=state.serial,
            time=time.time(),
        )
