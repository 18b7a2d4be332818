# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tree on this host with one writer at a time, which a prepared transaction may reserve."""

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


class Tree:
    """One root on this host."""

    def __init__(self, root: str, timeout: float, clock: t.Callable[[], float] = time.time) -> None:
        self.root = os.path.abspath(root)
        self.timeout = timeout
        self.clock = clock
        self.log = Transactions(self.root, clock)

    def has_ended(self, identifier: str) -> bool:
        """Whether this transaction's end is written down, whatever its folder says."""
        raise NotImplementedError

    def recover(self, _identifier: str) -> None:
        """Finish or forget what a killed writer left; the lock is held by the one of this id."""
        self.log.recover()

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
                self.recover(identifier)
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
        if waiting is not None and self.has_ended(waiting.identifier):
            waiting.discard()  # undone, and killed before its files were removed
            return None
        return None if waiting is None or waiting.identifier == identifier else waiting

    def find(self, identifier: str) -> Transaction | None:
        """A transaction that is prepared under this id."""
        waiting = self.log.reservation()
        return waiting if waiting is not None and waiting.identifier == identifier else None
