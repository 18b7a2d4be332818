# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publishing: one writer at a time, every change one transaction."""

from __future__ import annotations

import contextlib
import os
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside, sync_directory
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._core._staging import make_directories
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import PRIVATE, Transaction
from ansible_collections.distrogate.ci.plugins.module_utils._core._transactions import Transactions
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import STATE, Format, State
from ansible_collections.distrogate.ci.plugins.module_utils._packages._outcome import finish
from ansible_collections.distrogate.ci.plugins.module_utils._packages._state import dump_state, load_state


class Repository:
    """One repository root on this host."""

    def __init__(
        self, root: str, fmt: Format, timeout: float, clock: t.Callable[[], float] = time.time
    ) -> None:
        self.root = os.path.abspath(root)
        self.fmt = fmt
        self.timeout = timeout
        self.clock = clock
        self.log = Transactions(self.root, clock)

    def state(self) -> State:
        """The state as decided: what a killed writer committed counts, finished or not."""
        path = self.log.pending(STATE)
        return load_state(path, self.fmt.kind) or State(self.fmt.kind)

    @contextlib.contextmanager
    def held(self, identifier: str) -> t.Iterator[None]:
        """Be the one writer; waits for others, and for transactions other than ``identifier``."""
        if not os.path.isdir(self.root):
            os.makedirs(self.root, exist_ok=True)
            os.chmod(self.root, 0o755)  # readers are other users, whatever the umask
            sync_directory(os.path.dirname(self.root))
        make_directories(self.root, PRIVATE)
        deadline = time.monotonic() + self.timeout
        while True:
            with file_lock(inside(self.root, f"{PRIVATE}/lock"), max(0.0, deadline - time.monotonic())):
                self.log.recover()
                other = self._other(identifier)
                if other is None:
                    yield
                    return
            if time.monotonic() >= deadline:
                raise self._reserved(other)
            time.sleep(min(0.2, max(0.0, deadline - time.monotonic())))

    def _reserved(self, other: Transaction) -> DistrogateError:
        record = other.record
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(float(record["expires"])))
        return DistrogateError(
            "reserved",
            f"{self.root} is reserved by the transaction {other.identifier}, prepared by"
            f" {record['holder']} at {record['since']}, until {until}; waited {self.timeout:g} s."
            " Commit or undo it, or wait.",
            holder={
                "transaction": other.identifier,
                "holder": record["holder"],
                "since": record["since"],
            },
        )

    def _other(self, identifier: str) -> Transaction | None:
        waiting = self.log.reservation()
        if waiting is None or waiting.identifier == identifier:
            return None
        if waiting.identifier in self.state().finished:  # undone, and killed before its files were removed
            waiting.discard()
            return None
        return waiting

    def find(self, identifier: str) -> Transaction | None:
        """A transaction that is prepared under this id."""
        waiting = self.log.reservation()
        return waiting if waiting is not None and waiting.identifier == identifier else None

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
