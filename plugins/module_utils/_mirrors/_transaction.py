# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The transaction: which mirrors are made ready, when they switch, and how it is finished after a kill."""

from __future__ import annotations

import dataclasses
import os
import time

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import Mirror, parse_mirror
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._classify import CONTENT, classify
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal import (
    Journal,
    Record,
    Transaction,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._listing import Listing
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._peer import Peer, each, quietly, stage
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._rsync import Access, Rsync

_HISTORY = 100


def _as_it_was(peer: Peer, record: Record) -> Record:
    """A mirror without a record that holds index files had an earlier life: it cannot be brought back."""
    return Record(None, certain=peer.blank) if record.snapshot is None else record


class Steps:
    """The steps of a transaction on all its mirrors; ``failures`` says why a mirror fell behind."""

    def __init__(self, journal: Journal, source: str, access: Access) -> None:
        self.journal = journal
        self.source = source
        self.access = access
        self.failures: dict[str, str] = {}
        self.transferred = 0

    def peer(self, mirror: Mirror, record: Record, target: Listing) -> Peer:
        """The mirror, as ``record`` says that it is."""
        base = self.journal.listing(record.snapshot) if record.certain and record.snapshot else None
        return Peer(Rsync(mirror, self.access, self.journal.work), base, target)

    def peers(self, transaction: Transaction) -> list[Peer]:
        """The mirrors of a transaction, as they were before it."""
        target = self.journal.listing(transaction.snapshot)
        return [
            self.peer(parse_mirror(address), record, target)
            for address, record in transaction.mirrors.items()
        ]

    def prepare(self, transaction: Transaction, mirrors: list[Mirror]) -> None:
        """Make every mirror ready that can be. Error ``quorum_not_met``: nothing was switched anywhere."""
        state = self.journal.state
        target = self.journal.listing(transaction.snapshot)
        records = {mirror.address: state.mirrors.get(mirror.address, Record()) for mirror in mirrors}
        transaction.mirrors = {address: dataclasses.replace(record) for address, record in records.items()}
        state.transaction = transaction
        self.journal.save()
        peers = [self.peer(mirror, records[mirror.address], target) for mirror in mirrors]
        paths = sorted({path for peer in peers for path in peer.switched})
        try:
            stage(self.journal.work, paths, self.journal.copies(transaction.snapshot), self.source)
        except FileNotFoundError as error:
            self._forget([])
            raise DistrogateError(
                "source_changing", f"{self.source} changed while it was read; run again."
            ) from error
        self.failures = each(peers, lambda peer: peer.prepare(self.source))
        self._count(peers)
        ready = [peer for peer in peers if peer.address not in self.failures]
        if len(ready) + len(transaction.holding) < transaction.needed:
            self._forget(peers)
            raise self._quorum("quorum_not_met", transaction, "Nothing was switched anywhere.")
        transaction.mirrors = {peer.address: _as_it_was(peer, records[peer.address]) for peer in ready}
        transaction.phase = "prepared"
        self.journal.save()

    def switch(self, transaction: Transaction) -> None:
        """Switch what is ready. Error ``quorum_lost``: what had switched went back."""
        transaction.phase = "switching"
        self.journal.save()
        peers = self.peers(transaction)
        failed = each(peers, lambda peer: peer.switch())
        again = [peer for peer in peers if peer.address in failed]
        failed = each(again, lambda peer: peer.switch())
        self._count(peers)
        self.failures.update(failed)
        if len(peers) - len(failed) + len(transaction.holding) < transaction.needed:
            transaction.phase = "restoring"
            self.journal.save()
            self.restore(transaction)
            raise self._quorum("quorum_lost", transaction, "The mirrors that had switched went back.")
        self._record(transaction, failed)

    def _record(self, transaction: Transaction, failed: dict[str, str]) -> None:
        state = self.journal.state
        for address, before in transaction.mirrors.items():
            done = address not in failed
            state.mirrors[address] = (
                Record(transaction.snapshot) if done else Record(before.snapshot, certain=False)
            )
        state.superseded = [(name, since) for name, since in state.superseded if name != transaction.snapshot]
        if transaction.before not in (None, transaction.snapshot):
            state.superseded.append((str(transaction.before), time.time()))
        state.committed = transaction.snapshot
        state.history = [*state.history[-_HISTORY:], transaction.id]
        state.last, state.transaction = transaction, None
        self.journal.save()

    def restore(self, transaction: Transaction) -> dict[str, str]:
        """Bring every mirror of the transaction back to what it was; returns why one could not."""
        peers = self.peers(transaction)
        after = self.journal.listing(transaction.snapshot)
        os.makedirs(self.journal.work, exist_ok=True)

        def back(peer: Peer) -> None:
            before = transaction.mirrors[peer.address].snapshot
            if before is None and not transaction.mirrors[peer.address].certain:
                # Deleting would lose what was there before us.
                why = "what it held before the first transaction is not known; it was left as it is"
                raise DistrogateError("mirror_failed", f"{peer.address}: {why}", why=why)
            copies = self.journal.copies(before) if before else self.journal.work
            peer.restore(copies, self.journal.listing(before), after)

        failed = each(peers, back)
        quietly([peer for peer in peers if peer.address not in failed], lambda peer: peer.discard())
        self._count(peers)
        for peer in peers:
            record = transaction.mirrors[peer.address]
            # Replaced content of a tree that is no repository is not kept: it is compared next time.
            whole = record.certain and not any(classify(path) == CONTENT for path in peer.switched)
            certain = whole and peer.address not in failed
            self.journal.state.mirrors[peer.address] = Record(record.snapshot, certain)
        self.journal.state.transaction = None
        self.journal.save()
        return failed

    def undo_last(self, last: Transaction) -> dict[str, str]:
        """Take back a committed transaction."""
        state = self.journal.state
        last.phase = "restoring"
        state.transaction, state.last, state.committed = last, None, last.before
        state.history = [name for name in state.history if name != last.id]
        state.superseded = [(name, since) for name, since in state.superseded if name != last.before]
        if last.before != last.snapshot:
            state.superseded.append((last.snapshot, time.time()))
        self.journal.save()
        return self.restore(last)

    def drop(self, transaction: Transaction) -> None:
        """Forget a transaction that switched nothing."""
        self._forget(self.peers(transaction))

    def _forget(self, peers: list[Peer]) -> None:
        os.makedirs(self.journal.work, exist_ok=True)
        quietly([peer for peer in peers if peer.address not in self.failures], lambda peer: peer.discard())
        self.journal.state.transaction = None
        self.journal.save()

    def recover(self) -> None:
        """Finish, or take back, what a killed run left; a prepared transaction waits for its decision."""
        transaction = self.journal.state.transaction
        if transaction is None or (transaction.phase == "prepared" and transaction.explicit):
            return
        if transaction.phase in ("preparing", "prepared"):
            self.drop(transaction)
        elif transaction.phase == "restoring":
            self.restore(transaction)
        else:
            try:
                self.switch(transaction)
            except DistrogateError as error:
                # Taken back; the present run decides for itself.
                if error.reason != "quorum_lost":
                    raise
        self.failures = {}

    def _count(self, peers: list[Peer]) -> None:
        for peer in peers:
            self.transferred += peer.rsync.transferred
            peer.rsync.transferred = 0

    def _quorum(self, reason: str, transaction: Transaction, then: str) -> DistrogateError:
        why = "; ".join(f"{address}: {text}" for address, text in sorted(self.failures.items()))
        addresses = sorted(transaction.mirrors.keys() | set(transaction.holding) | self.failures.keys())
        return DistrogateError(
            reason,
            f"{transaction.needed} of {len(addresses)} mirrors must follow, and too few could. {then} {why}",
            mirrors=[
                {
                    "address": address,
                    "outcome": "failed" if address in self.failures else "unchanged",
                    "message": self.failures.get(address, ""),
                }
                for address in addresses
            ],
        )
