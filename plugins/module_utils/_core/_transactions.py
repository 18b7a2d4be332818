# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All transactions of one tree: beginning one, and finishing or forgetting what a killed writer left."""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside, sync_file_system
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import (
    PRIVATE,
    Transaction,
    checked_identifier,
)


class Transactions:
    """All transactions of one tree. Everything but ``pending`` asks for the tree's lock to be held."""

    def __init__(self, root: str, clock: t.Callable[[], float] = time.time) -> None:
        self.root = root
        self.folder = os.path.join(root, PRIVATE, "transactions")
        self._clock = clock

    def all(self) -> list[Transaction]:
        """Everything that was begun and not ended."""
        names = sorted(os.listdir(self.folder)) if os.path.isdir(self.folder) else []
        return [Transaction(self.root, name) for name in names]

    def begin(self, identifier: str = "") -> Transaction:
        """A new transaction; without an id it is a one-shot that nobody can ask for later."""
        name = checked_identifier(identifier) if identifier else f".once-{os.getpid()}-{time.time_ns()}"
        transaction = Transaction(self.root, name)
        transaction.make()
        return transaction

    def recover(self) -> list[str]:
        """Finish what was committed, drop what was not decided or has expired; returns what was finished."""
        finished = []
        for transaction in self.all():
            if transaction.load() is None or self._expired(transaction):
                transaction.discard()
            elif transaction.committed:
                sync_file_system(self.root)  # what a killed process renamed comes before the switch, too
                transaction.apply()
                finished.append(transaction.identifier)
        return finished

    def _expired(self, transaction: Transaction) -> bool:
        return not transaction.committed and float(transaction.record["expires"]) <= self._clock()

    def reservation(self) -> Transaction | None:
        """The prepared transaction that the tree waits for, if there is one."""
        for transaction in self.all():
            if transaction.load() and not transaction.committed and not self._expired(transaction):
                return transaction
        return None

    def pending(self, name: str) -> str:
        """Where the decided contents of ``name`` are to be read without the lock."""
        for transaction in self.all():
            if transaction.load() and transaction.committed:
                for operation in transaction.operations:
                    if operation["name"] == name and operation["action"] == "put":
                        staged = transaction.staged(operation)
                        if os.path.exists(staged):
                            return staged
        return inside(self.root, name)
