# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task asks for: synced, prepared, committed, undone, rolled_back."""

from __future__ import annotations

import dataclasses
import secrets
import shutil
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._aims import Aims, Say, holds
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._decisions import Decisions
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._depot import Depot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._fleet import Fleet
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal_state import Held, Transaction
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._request import Outcome, Request
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._retire import Retirement
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._rows import Rows
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot_parts import Snapshot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshots import Delta
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._transaction import Steps
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._work import Work

_LOOKS = 5  # at a source that changes under our eyes


class Sync:
    """One task. ``run`` does it; ``_predict.Prediction`` says what it would do."""

    def __init__(self, request: Request, say: Say, write: bool = True) -> None:
        self.request = request
        self.say = say
        self.depot = Depot.of(request.source, request.name)
        self.journal = self.depot.journal
        self.aims = Aims(request, self.depot, say, write)
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
                    if error.reason not in ("source_changing", "list_damaged") or not left:
                        raise
                    self.aims.seen = None  # a publisher removed what was to be sent: its newer state will do
                    if error.reason == "list_damaged":
                        self.say("a list of files here is damaged: the mirrors are asked what they hold")
                        self._begin_anew()
                finally:
                    fleet.release()
                    self.journal.tidy()
        raise AssertionError("the last look either returns or raises")

    def _begin_anew(self) -> None:
        """Forget what is kept here, for a part of it is not what was written."""
        self.journal.forget()
        for folder in (self.depot.snapshots.folder, self.depot.snapshots.lists.folder):
            shutil.rmtree(folder, ignore_errors=True)
        fresh = Depot.of(self.request.source, self.request.name)
        self.depot = dataclasses.replace(fresh, journal=self.journal)
        self.aims = Aims(self.request, self.depot, self.say, True)

    def _run(self, fleet: Fleet) -> Outcome:
        state, request = self.journal.state, self.request
        rows = Rows(self.journal, fleet)
        self.before = state.committed
        if request.state in ("synced", "prepared"):
            target = self.aims.observe().snapshot
            if self.aims.at_rest(target):
                fleet.look(self.aims.index())
                if all(holds(work.base, target) for work in fleet.present):
                    return self._outcome(rows, fleet, target, target)
        self.say("claiming the mirrors")
        steps = Steps(self.depot, fleet)
        fleet.claim(self.aims.index(), request.access.timeout)
        committed = self.depot.committed()
        steps.recover()
        if request.state in ("committed", "undone"):
            return self._decide(steps, rows, committed)
        return self._go(steps, rows, committed)

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
        target = self.aims.target()
        current = state.transaction
        if current and request.state == "prepared" and current.snapshot == target.id:
            return self._outcome(rows, fleet, before, target)
        if current:
            steps.drop(current)
        behind = self.aims.behind(fleet, target)
        self.aims.refuse(fleet, before, target)
        if len(fleet.present) < request.needed:
            raise fleet.too_few(request.needed, "quorum_not_met", "Nothing was switched anywhere.")
        moved = [work.address for work in behind]
        opened = request.state == "prepared"
        if behind or opened or state.committed != target.id:  # the mirrors may have it, and we not know
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
            self._stage(steps, rows, transaction, behind)
            if opened:
                return self._outcome(rows, fleet, before, target, moved, opened=True)
            self.say("switching the mirrors")
            steps.switch(transaction, [work for work in behind if work.address in transaction.mirrors])
        else:
            self._name(target)
        return self._ended(steps, rows, before, moved)

    def _stage(self, steps: Steps, rows: Rows, transaction: Transaction, behind: list[Work]) -> None:
        target = self.depot.snapshots.load(transaction.snapshot)
        works = self.aims.plan(steps.fleet, behind, target) if behind else []
        rows.planned(works)
        total = sum(work.aimed.size for work in works)
        text = f"sending to {len(works)} mirror{'' if len(works) == 1 else 's'}"

        def told() -> None:
            done = sum(size for _files, size in steps.fleet.moved.values())
            self.say(text, done=min(done, total), total=total, unit="bytes")

        if works:
            told()
        steps.fleet.listen(told)
        steps.prepare(transaction, works)

    def _name(self, target: Snapshot) -> None:
        """Give the state that is shown already a name."""
        state, name = self.journal.state, self.request.snapshot
        shows = self.request.state == "synced" and state.committed == target.id
        if name and shows and name not in state.shown[-1].names:
            state.shown[-1].names.append(name)
            self.journal.save()

    def _ended(self, steps: Steps, rows: Rows, before: Snapshot | None, moved: t.Iterable[str]) -> Outcome:
        """Retire what is over, and leave every mirror that we reached with the record of what it holds."""
        known, committed = self.journal.state.mirrors, self.depot.committed()
        for work in steps.fleet.present:
            if committed is not None and holds(work.base, committed):
                known.setdefault(work.address, Held(committed.id))
        retirement = Retirement(self.depot, self.request.limits)
        retired = retirement.expire(self.request.addresses)
        self.say("writing down what the mirrors hold")
        steps.end([work for work in steps.fleet.present if work.address in known])
        self.depot.collect()
        return self._outcome(rows, steps.fleet, before, committed, moved, retired=retired)

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
        delta = self.depot.snapshots.delta(before, after) if after else Delta([], [])
        seen = self.aims.seen
        return Outcome(
            snapshot=after.id if after else None,
            delta=delta,
            rows=rows.rows(moved, opened, planned),
            held=rows.held(),
            transferred=fleet.transferred,
            opened=opened,
            retired=retired,
            walked=seen.walked if seen else [],
            packages=self.aims.packages(after, delta),
            found=rows.found(seen.deep if seen else None),
        )
