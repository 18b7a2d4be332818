# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publishing: one writer at a time, every change one transaction."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import Transaction
from ansible_collections.distrogate.ci.plugins.module_utils._core._tree import Tree
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import STATE, Format, State
from ansible_collections.distrogate.ci.plugins.module_utils._packages._outcome import finish
from ansible_collections.distrogate.ci.plugins.module_utils._packages._state import dump_state, load_state


class Repository(Tree):
    """One repository root on this host."""

    def __init__(
        self, root: str, fmt: Format, timeout: float, clock: t.Callable[[], float] = time.time
    ) -> None:
        super().__init__(root, timeout, clock)
        self.fmt = fmt

    def state(self) -> State:
        """The state as decided: what a killed writer committed counts, finished or not."""
        path = self.log.pending(STATE)
        return load_state(path, self.fmt.kind) or State(self.fmt.kind)

    def has_ended(self, identifier: str) -> bool:
        return identifier in self.state().finished

    def drop(self, waiting: Transaction, state: State) -> None:
        """Undo a prepared transaction: it is written down as undone first, then its files go."""
        state.finished[waiting.identifier] = {
            "state": "undone",
            "serial": state.serial,
            "scope": self.fmt.scope,
        }
        transaction = self.log.begin()
        transaction.put(STATE, dump_state(state))
        transaction.commit()
        waiting.discard()

    def remember(self, transaction: Transaction, state: State, outcome: str) -> None:
        """Stage nothing but the outcome of a transaction that changed no file."""
        finish(state, transaction.identifier, outcome, self.fmt.scope, None)
        transaction.put(STATE, dump_state(state))
