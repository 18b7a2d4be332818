# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known about the mirrors, and the transaction under way: one folder in the source."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import read_json, write_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._listing import (
    Digests,
    Listing,
    read_listing,
    snapshot_id,
    write_listing,
)

FORMAT = 1


@dataclasses.dataclass
class Record:
    """What a mirror holds. ``certain`` is false when a switch broke off: then all of it is compared."""

    snapshot: str | None = None
    certain: bool = True


@dataclasses.dataclass
class Transaction:
    """One step from ``before`` to ``snapshot``; ``mirrors`` are those that were made ready, as they were.

    ``phase``: preparing, prepared, switching, restoring. ``holding`` mirrors
    had the snapshot already. Only an ``explicit`` one waits for a decision when it is prepared.
    """

    id: str
    snapshot: str
    before: str | None
    needed: int
    explicit: bool = False
    phase: str = "preparing"
    mirrors: dict[str, Record] = dataclasses.field(default_factory=dict)
    holding: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class State:
    """The journal's contents. ``superseded``: [snapshot, since when], the oldest first."""

    committed: str | None = None
    superseded: list[tuple[str, float]] = dataclasses.field(default_factory=list)
    mirrors: dict[str, Record] = dataclasses.field(default_factory=dict)
    transaction: Transaction | None = None
    last: Transaction | None = None
    history: list[str] = dataclasses.field(default_factory=list)

    def referenced(self) -> set[str]:
        """Every snapshot that something still needs."""
        names = {self.committed, *(name for name, since in self.superseded)}
        names |= {record.snapshot for record in self.mirrors.values()}
        for transaction in (self.transaction, self.last):
            if transaction is not None:
                names |= {transaction.snapshot, transaction.before}
                names |= {record.snapshot for record in transaction.mirrors.values()}
        return {name for name in names if name is not None}


def _transaction(value: dict[str, t.Any] | None) -> Transaction | None:
    if value is None:
        return None
    records = {address: Record(**record) for address, record in value.pop("mirrors").items()}
    return Transaction(mirrors=records, **value)


class Journal:
    """The folder ``<source>/.distrogate/mirrors/<name>``."""

    def __init__(self, source: str, name: str) -> None:
        self.folder = os.path.join(source, ".distrogate", "mirrors", name)
        self.work = os.path.join(self.folder, "work")
        self.state = State()

    @contextlib.contextmanager
    def hold(self, timeout: float) -> t.Iterator[int]:
        """One at a time; yields a descriptor that every transfer must keep open.

        A killed run leaves its transfers behind. They hold this second lock, so
        that we do not write to a mirror while one of them still does.
        """
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        deadline = time.monotonic() + timeout
        with file_lock(os.path.join(self.folder, "lock"), timeout):
            descriptor = os.open(
                os.path.join(self.folder, "transfers"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
            try:
                _wait_for(descriptor, deadline, self.folder)
                self.load()
                yield descriptor
            finally:
                os.close(descriptor)

    def load(self) -> None:
        """Read the journal; a missing one is a beginning."""
        try:
            value = read_json(os.path.join(self.folder, "journal.json"))
        except DistrogateError as error:
            if error.reason != "not_found":
                raise
            self.state = State()
            return
        if value.pop("version", None) != FORMAT:
            raise DistrogateError(
                "journal_version",
                f"{self.folder}/journal.json is not of version {FORMAT}; use the code that wrote it.",
            )
        self.state = State(
            committed=value["committed"],
            superseded=[(entry[0], entry[1]) for entry in value["superseded"]],
            mirrors={address: Record(**record) for address, record in value["mirrors"].items()},
            transaction=_transaction(value["transaction"]),
            last=_transaction(value["last"]),
            history=value["history"],
        )

    def save(self) -> None:
        """Make the state durable."""
        write_json(
            os.path.join(self.folder, "journal.json"), {"version": FORMAT, **dataclasses.asdict(self.state)}
        )

    def digests(self) -> Digests:
        return Digests(os.path.join(self.folder, "digests"))

    def copies(self, snapshot: str) -> str:
        """The folder of a snapshot's switch and plain-name files."""
        return os.path.join(self.folder, "snapshots", snapshot, "tree")

    def listing(self, snapshot: str | None) -> Listing:
        """The files of a snapshot; of none, nothing."""
        if snapshot is None:
            return {}
        return read_listing(os.path.join(self.folder, "snapshots", snapshot, "list"))

    def new_copies(self) -> str:
        """An empty folder for the copies of a state that has no name yet."""
        os.makedirs(os.path.join(self.folder, "snapshots"), exist_ok=True)
        return os.path.join(
            tempfile.mkdtemp(prefix=".new-", dir=os.path.join(self.folder, "snapshots")), "tree"
        )

    def keep(self, listing: Listing, copies: str) -> str:
        """Give the copied state its name and place."""
        name = snapshot_id(listing)
        folder, new = os.path.join(self.folder, "snapshots", name), os.path.dirname(copies)
        if os.path.isdir(folder):
            shutil.rmtree(new)
        else:
            os.makedirs(copies, exist_ok=True)
            write_listing(os.path.join(new, "list"), listing)
            os.rename(new, folder)
        return name

    def pending_path(self, address: str) -> str:
        """The list of what a mirror must still lose."""
        return os.path.join(self.folder, "pending-" + hashlib.sha256(address.encode()).hexdigest()[:32])

    def tidy(self) -> None:
        """Remove the snapshots that nothing needs, and unfinished ones."""
        needed = self.state.referenced()
        folder = os.path.join(self.folder, "snapshots")
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if name not in needed:
                shutil.rmtree(os.path.join(folder, name))
        if self.state.transaction is None:
            shutil.rmtree(self.work, ignore_errors=True)


def _wait_for(descriptor: int, deadline: float, folder: str) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise DistrogateError(
                    "lock_timeout",
                    f"A transfer that an ended run of {folder} had started is still under way."
                    " Wait for it to end, or raise timeout.",
                ) from error
            time.sleep(0.05)
