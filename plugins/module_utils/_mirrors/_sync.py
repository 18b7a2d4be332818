# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task asks for: synced, prepared, committed, undone, rolled_back."""

from __future__ import annotations

import dataclasses
import secrets
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._decisions import Decisions
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._depot import Depot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._fleet import Fleet
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._guards import (
    refuse_deletion,
    refuse_lost,
    refuse_older,
    refuse_rolled_back,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal_state import (
    Held,
    Transaction,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._names import find_shown
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._package_changes import (
    PackageChanges,
    package_changes,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._plan import Base
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._request import Outcome, Request
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._retire import Retirement
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._rows import Rows
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot_parts import Snapshot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshots import Delta
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._source import Seen, Source
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._transaction import Steps

Say = t.Callable[..., None]
_LOOKS = 5  # at a source that changes under our eyes
_MANY = 5000  # files, beyond which the packages are listed only for a report


class Sync:
    """One task. ``run`` does it; ``_predict.Prediction`` says what it would do."""

    def __init__(self, request: Request, say: Say) -> None:
        self.request = request
        self.say = say
        self.depot = Depot.of(request.source, request.name)
        self.journal = self.depot.journal
        self.snapshots = self.depot.snapshots
        self.seen: Seen | None = None
        self.before: str | None = None

    def run(self) -> Outcome:
        """Do what was asked for, after finishing what a killed run left."""
        with self.journal.hold(self.request.access.timeout) as descriptor:
            access = dataclasses.replace(self.request.access, pass_fds=(descriptor,))
            for left in reversed(range(_LOOKS)):
                fleet = Fleet(self.request.mirrors, self.depot, access)
                try:
                    return self._run(fleet)
                except DistrogateError as error:
                    if error.reason != "source_changing" or not left:
                        raise
                    self.seen = None  # a publisher removed what was to be sent: its newer state will do
                finally:
                    fleet.release()
                    self.journal.tidy()
        raise AssertionError("the last look either returns or raises")

    def _run(self, fleet: Fleet) -> Outcome:
        state, request = self.journal.state, self.request
        rows = Rows(self.journal, fleet)
        self.before = state.committed
        if request.state in ("synced", "prepared"):
            seen = self.observe()
            if self._at_rest(seen.snapshot):
                fleet.look(self._index())
                if all(holds(work.base, seen.snapshot) for work in fleet.present):
                    return self._outcome(rows, fleet, seen.snapshot, seen.snapshot)
        self.say("claiming the mirrors")
        steps = Steps(self.depot, fleet)
        fleet.claim(self._index(), request.access.timeout)
        committed = self.depot.committed()
        steps.recover()
        if request.state in ("committed", "undone"):
            return self._decide(steps, rows, committed)
        return self._go(steps, rows, committed)

    def observe(self, write: bool = True) -> Seen:
        """Look at the source, once."""
        if self.seen is None:
            state = self.journal.state
            last = state.committed or state.observed
            known = self.snapshots.load(last) if last and self.snapshots.known(last) else None
            source = Source(
                self.request.source, self.snapshots, self.depot.blobs, self.request.access.timeout
            )
            self.say("looking at the source")
            self.seen = source.observe(known, self.request.deep, write)
            state.observed = self.seen.snapshot.id
        return self.seen

    def _at_rest(self, target: Snapshot) -> bool:
        """Whether there is nothing to do but to see that the mirrors are as we left them."""
        state = self.journal.state
        named = not self.request.snapshot or (state.shown and self.request.snapshot in state.shown[-1].names)
        mirrors = self._helds()
        holds = all(held.snapshot == target.id and held.certain and not held.folders for held in mirrors)
        doomed = any(self.journal.doomed(address) for address in self.request.addresses)
        others = state.mirrors.keys() - set(self.request.addresses)
        expires = Retirement(self.depot, self.request.limits).expires()
        wanted = self.request.state == "synced" and not self.request.deep and state.transaction is None
        rest = holds and named and not (doomed or others or expires)
        return bool(wanted and state.committed == target.id and rest)

    def _index(self) -> list[bytes]:
        """Index files of a state: a mirror without a record that has one of them had an earlier life."""
        if all(held.serials for held in self._helds()):
            return []
        transaction = self.journal.state.transaction
        target = (
            self.seen.snapshot
            if self.seen
            else self.depot.snapshot(transaction.snapshot if transaction else None)
        )
        return [path for path, _before, _after in self.snapshots.changes(None, target, "index")]

    def _helds(self) -> list[Held]:
        return [self.depot.held(address) for address in self.request.addresses]

    def _decide(self, steps: Steps, rows: Rows, before: Snapshot | None) -> Outcome:
        """committed and undone."""
        state = self.journal.state
        decided = Decisions(state, self.request).decided()
        moved: t.Iterable[str] = ()
        if decided is not None:
            transaction, goes_on = decided
            moved = list(transaction.mirrors)
            if goes_on:
                steps.switch(transaction, steps.rejoin(transaction))
            elif transaction is state.transaction and transaction.phase != "restoring":
                steps.drop(transaction)
            else:
                steps.undo(transaction)
        return self._ended(steps, rows, before, moved)

    def _go(self, steps: Steps, rows: Rows, before: Snapshot | None) -> Outcome:
        """synced, prepared and rolled_back."""
        fleet, state, request = steps.fleet, self.journal.state, self.request
        Decisions(state, request).refuse_other()
        target = self.target()
        current = state.transaction
        if current and request.state == "prepared" and current.snapshot == target.id:
            return self._outcome(rows, fleet, before, target)
        if current:
            steps.drop(current)
        behind = [work for work in fleet.present if request.deep or not holds(work.base, target)]
        self.refuse(fleet, before, target)
        if len(fleet.present) < request.needed:
            raise fleet.too_few(request.needed, "quorum_not_met", "Nothing was switched anywhere.")
        moved = [work.address for work in behind]
        opened = request.state == "prepared"
        if behind or opened:
            transaction = Transaction(
                id=request.transaction or "sync-" + secrets.token_hex(8),
                snapshot=target.id,
                before=state.committed,
                needed=request.needed,
                explicit=opened,
                back=request.state == "rolled_back",
                holding=[work.address for work in fleet.present if work not in behind],
                name=request.snapshot if request.state == "synced" else None,
            )
            self._stage(steps, rows, transaction, behind, target)
            if opened:
                return self._outcome(rows, fleet, before, target, moved, opened=True)
            self.say(f"switching {len(transaction.mirrors)} mirrors")
            steps.switch(transaction, [work for work in behind if work.address in transaction.mirrors])
        else:
            self._name(target)
        return self._ended(steps, rows, before, moved)

    def target(self, write: bool = True) -> Snapshot:
        """Where the mirrors are to go."""
        if self.request.state == "rolled_back":
            return self.snapshots.load(find_shown(self.journal.state, self.request.snapshot).snapshot)
        seen = self.observe(write)
        refuse_lost(self.request.source, seen.deep, seen.snapshot)
        if not self.request.allow_rolled_back:
            refuse_rolled_back(self.journal.state, seen.snapshot)
        return seen.snapshot

    def refuse(self, fleet: Fleet, before: Snapshot | None, target: Snapshot) -> None:
        """The guards; going back on purpose is not stopped by them."""
        if self.request.state == "rolled_back":
            return
        delta = self.snapshots.delta(before, target)
        refuse_deletion(self.snapshots, before, delta, self.request.max_delete_ratio)
        if not self.request.allow_older:
            for work in fleet.present:
                refuse_older(work, target, self.seen.switches if self.seen else {})

    def _stage(
        self, steps: Steps, rows: Rows, transaction: Transaction, behind: list[t.Any], target: Snapshot
    ) -> None:
        total = 0
        for work in behind:
            if self.request.deep:
                work.inspect(target, self.depot.referenced())
            total += work.aim(target).size if not work.found else 0
        rows.planned(behind)
        self.say(f"sending to {len(behind)} mirrors", done=0, total=total, unit="bytes")
        steps.fleet.listen(
            lambda: self.say(
                f"sending to {len(behind)} mirrors",
                done=sum(size for _files, size in steps.fleet.moved.values()),
                total=total,
                unit="bytes",
            )
        )
        steps.prepare(transaction, behind)

    def _name(self, target: Snapshot) -> None:
        """Give the state that is shown already a name."""
        state, name = self.journal.state, self.request.snapshot
        shows = self.request.state == "synced" and state.committed == target.id
        if name and shows and name not in state.shown[-1].names:
            state.shown[-1].names.append(name)
            self.journal.save()

    def _ended(self, steps: Steps, rows: Rows, before: Snapshot | None, moved: t.Iterable[str]) -> Outcome:
        """Retire what is over, and leave every mirror that we reached with the record of what it holds."""
        retirement = Retirement(self.depot, self.request.limits)
        retired = retirement.expire(self.request.addresses)
        self.say("writing down what the mirrors hold")
        known = self.journal.state.mirrors
        steps.end([work for work in steps.fleet.present if work.address in known])
        self.depot.collect()
        return self._outcome(rows, steps.fleet, before, self.depot.committed(), moved, retired=retired)

    def _outcome(
        self,
        rows: Rows,
        fleet: Fleet,
        before: Snapshot | None,
        after: Snapshot | None,
        moved: t.Iterable[str] = (),
        *,
        opened: bool = False,
        planned: bool = False,
        retired: int = 0,
    ) -> Outcome:
        delta = self.snapshots.delta(before, after) if after else Delta([], [])
        return Outcome(
            snapshot=after.id if after else None,
            delta=delta,
            rows=rows.rows(moved, opened, planned),
            held=rows.held(),
            transferred=fleet.transferred,
            opened=opened,
            retired=retired,
            walked=self.seen.walked if self.seen else [],
            packages=self._packages(delta),
            found=rows.found(self.seen.deep if self.seen else None),
        )

    def _packages(self, delta: Delta) -> PackageChanges | None:
        if len(delta.content) > _MANY and not self.request.reports:
            return None
        return package_changes(self.seen.notes if self.seen else {}, delta.content)


def holds(base: Base, target: Snapshot) -> bool:
    """Whether a mirror is known to have a state."""
    return base.certain and base.snapshot is not None and base.snapshot.id == target.id
