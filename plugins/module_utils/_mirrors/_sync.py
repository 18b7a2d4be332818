# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task asks for: synced, prepared, committed, undone; the plan of it, and its result."""

from __future__ import annotations

import dataclasses
import os
import secrets
import shutil
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import Mirror
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal import (
    Journal,
    Record,
    Transaction,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._listing import Listing, snapshot_id
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._retire import Retirement
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._rsync import Access
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot import Observer
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._transaction import Steps


@dataclasses.dataclass(frozen=True)
class Request:
    """A task's options, checked."""

    source: str
    name: str
    mirrors: list[Mirror]
    needed: int
    state: str
    transaction: str | None
    keep: int
    keep_seconds: float
    access: Access


@dataclasses.dataclass
class Outcome:
    """What was done, or would be. ``before`` and ``after`` are the states that the mirrors follow."""

    snapshot: str | None
    before: Listing
    after: Listing
    mirrors: list[dict[str, t.Any]]
    held: tuple[dict[str, str | None], dict[str, str | None]]
    transferred: int = 0
    opened: bool = False
    retired: int = 0


class Sync:
    """One task. ``run`` does it, ``predict`` says what ``run`` would do and writes nothing."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.journal = Journal(request.source, request.name)
        self.was: dict[str, str | None] = {}
        self.notes: dict[str, str] = {}

    def run(self) -> Outcome:
        """Do what was asked for, after finishing what a killed run left."""
        with self.journal.hold(self.request.access.timeout) as descriptor:
            access = dataclasses.replace(self.request.access, pass_fds=(descriptor,))
            steps = Steps(self.journal, self.request.source, access)
            self.was = self._held()
            before = self.journal.state.committed
            steps.recover()
            try:
                outcome = self._act(steps)
                outcome.before = self.journal.listing(before)
                outcome.retired = Retirement(self.journal, steps, self.request).run()
                return outcome
            finally:
                self.journal.tidy()

    def predict(self) -> Outcome:
        """The plan, from what is known here; no mirror is asked."""
        self.journal.load()
        self.was = self._held()
        state, request = self.journal.state, self.request
        before = self.journal.listing(state.committed)
        target = self._decided()
        if target is not None:
            transaction, goes_on = target
            snapshot = transaction.snapshot if goes_on else transaction.before
            return self._outcome(before, self.journal.listing(snapshot), snapshot, transaction.mirrors, None)
        if request.state in ("committed", "undone"):
            return self._outcome(before, before, state.committed, [], None)
        self._refuse_other()
        observer = Observer(request.source, self.journal.digests(), None, None)
        listing = observer.known() or observer.observe()
        snapshot = snapshot_id(listing)
        behind = self._behind(snapshot)
        steps = Steps(self.journal, request.source, request.access)
        for mirror in behind:
            peer = steps.peer(mirror, state.mirrors.get(mirror.address, Record()), listing)
            self.notes[mirror.address] = (
                f"would get {len(peer.added)} files and switch {len(peer.switched)},"
                f" {peer.size} bytes at most"
            )
        opened = request.state == "prepared" and not self._is_prepared(snapshot)
        return self._outcome(
            before, listing, snapshot, [mirror.address for mirror in behind], None, opened=opened
        )

    def _act(self, steps: Steps) -> Outcome:
        if self.request.state in ("committed", "undone"):
            return self._decide(steps)
        state, request = self.journal.state, self.request
        self._refuse_other()
        listing, snapshot = self._observe()
        before = self.journal.listing(state.committed)
        if request.state == "prepared" and self._is_prepared(snapshot):
            return self._outcome(before, listing, snapshot, [], steps)
        if state.transaction is not None:
            steps.drop(state.transaction)
        behind = self._behind(snapshot)
        if not behind and request.state == "synced":
            return self._outcome(before, listing, snapshot, [], steps)
        transaction = Transaction(
            id=request.transaction or "sync-" + secrets.token_hex(8),
            snapshot=snapshot,
            before=state.committed,
            needed=request.needed,
            explicit=request.state == "prepared",
            holding=[mirror.address for mirror in request.mirrors if mirror not in behind],
        )
        steps.prepare(transaction, behind)
        if request.state == "synced" and transaction.mirrors:
            steps.switch(transaction)
        elif request.state == "synced":
            steps.drop(transaction)  # a quorum holds the snapshot, and those that lack it are away
        return self._outcome(
            before, listing, snapshot, list(transaction.mirrors), steps, opened=request.state == "prepared"
        )

    def _decide(self, steps: Steps) -> Outcome:
        state = self.journal.state
        before, decided = self.journal.listing(state.committed), self._decided()
        if decided is None:
            return self._outcome(before, before, state.committed, [], steps)
        transaction, goes_on = decided
        if goes_on:
            steps.switch(transaction)
        elif transaction is state.transaction:
            steps.drop(transaction)
        else:
            steps.failures.update(steps.undo_last(transaction))
        after = self.journal.listing(state.committed)
        return self._outcome(before, after, state.committed, list(transaction.mirrors), steps)

    def _decided(self) -> tuple[Transaction, bool] | None:
        """The transaction that is committed (True) or undone (False) now; None when that was done before."""
        state, request = self.journal.state, self.request
        if request.state not in ("committed", "undone"):
            return None
        current, last = state.transaction, state.last
        goes_on = request.state == "committed"
        if current is not None and current.id == request.transaction:
            return current, goes_on
        if goes_on and request.transaction not in state.history:
            raise DistrogateError(
                "no_transaction", f"No transaction {request.transaction} is prepared here; prepare it first."
            )
        if goes_on or request.transaction not in state.history:
            return None
        self._refuse_other()
        if last is not None and last.id == request.transaction:
            return last, False
        raise DistrogateError(
            "transaction_superseded",
            f"Transaction {request.transaction} was followed by another one;"
            " undo that one first, or publish anew.",
        )

    def _refuse_other(self) -> None:
        current = self.journal.state.transaction
        if (
            current is not None
            and current.phase == "prepared"
            and current.explicit
            and current.id != self.request.transaction
        ):
            raise DistrogateError(
                "transaction_open",
                f"Transaction {current.id} is prepared and waits for state committed or undone;"
                " decide it first.",
                transaction=current.id,
            )

    def _observe(self) -> tuple[Listing, str]:
        state = self.journal.state
        digests = self.journal.digests()
        known = Observer(self.request.source, digests, None, None).known()
        if known is not None and os.path.isdir(self.journal.copies(snapshot_id(known))):
            return known, snapshot_id(known)
        earlier = self.journal.copies(state.committed) if state.committed else None
        copies = self.journal.new_copies()
        try:
            listing = Observer(self.request.source, digests, copies, earlier).observe()
        except BaseException:
            shutil.rmtree(os.path.dirname(copies))
            raise
        return listing, self.journal.keep(listing, copies)

    def _is_prepared(self, snapshot: str) -> bool:
        current = self.journal.state.transaction
        return current is not None and current.phase == "prepared" and current.snapshot == snapshot

    def _behind(self, snapshot: str) -> list[Mirror]:
        known = self.journal.state.mirrors
        return [mirror for mirror in self.request.mirrors if known.get(mirror.address) != Record(snapshot)]

    def _held(self) -> dict[str, str | None]:
        known = self.journal.state.mirrors
        return {
            mirror.address: known.get(mirror.address, Record()).snapshot for mirror in self.request.mirrors
        }

    def _outcome(
        self,
        before: Listing,
        after: Listing,
        snapshot: str | None,
        switched: t.Iterable[str],
        steps: Steps | None,
        *,
        opened: bool = False,
    ) -> Outcome:
        failures = steps.failures if steps is not None else {}
        moved = set(switched) - failures.keys()
        switches = self.request.state != "prepared"
        rows = []
        for mirror in self.request.mirrors:
            outcome = "switched" if mirror.address in moved and switches else "unchanged"
            if mirror.address in failures:
                outcome = "away"
            note = failures.get(mirror.address) or self.notes.get(mirror.address, "")
            if mirror.address in moved and not switches and not note:
                note = "ready to switch"
            rows.append({"address": mirror.address, "outcome": outcome, "message": note})
        held = self._held()
        if steps is None and switches:
            held = {address: snapshot if address in moved else name for address, name in held.items()}
        return Outcome(
            snapshot, before, after, rows, (self.was, held), steps.transferred if steps else 0, opened
        )
