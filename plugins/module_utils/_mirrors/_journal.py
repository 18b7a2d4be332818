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
import secrets
import shutil
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    read_json,
    write_atomic,
    write_json,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock

FORMAT = 2


@dataclasses.dataclass
class Held:
    """What a mirror holds. ``certain`` is false when a switch broke off: then its index files are compared.

    ``serials`` are those of the records that we may have left there: with another one, somebody else
    wrote to it since. ``folders`` are those in which files still wait that nobody is going to switch.
    """

    snapshot: str | None = None
    certain: bool = True
    serials: list[int] = dataclasses.field(default_factory=list)
    folders: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Shown:
    """A state that the mirrors showed, since when (seconds since 1970), and how people call it."""

    snapshot: str
    since: float
    names: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Transaction:
    """One step from ``before`` to ``snapshot``; ``mirrors`` are those that are made ready, as they were.

    ``phase``: preparing, prepared, switching, restoring. ``holding`` mirrors
    had the snapshot already. Only an ``explicit`` one waits for a decision when it is prepared.
    """

    id: str
    snapshot: str
    before: str | None
    needed: int
    explicit: bool = False
    back: bool = False
    phase: str = "preparing"
    mirrors: dict[str, Held] = dataclasses.field(default_factory=dict)
    holding: list[str] = dataclasses.field(default_factory=list)
    name: str | None = None


@dataclasses.dataclass
class State:
    """The journal's contents. ``shown``: the oldest first, the last one is what the mirrors follow now."""

    origin: str = ""
    serial: int = 0
    shown: list[Shown] = dataclasses.field(default_factory=list)
    mirrors: dict[str, Held] = dataclasses.field(default_factory=dict)
    transaction: Transaction | None = None
    last: Transaction | None = None
    ended: list[str] = dataclasses.field(default_factory=list)
    refused: list[str] = dataclasses.field(default_factory=list)  # states that were rolled back
    claim: str = ""  # with which we may have marked mirrors
    observed: str | None = None  # the state of the source that was seen last

    @property
    def committed(self) -> str | None:
        return self.shown[-1].snapshot if self.shown else None

    def referenced(self) -> set[str]:
        """Every snapshot that something still needs."""
        return self.in_work() | {one.snapshot for one in self.shown}

    def in_work(self) -> set[str]:
        """Every snapshot that a mirror holds, or that a transaction could go to."""
        names: set[str | None] = {self.observed, self.committed}
        names |= {held.snapshot for held in self.mirrors.values()}
        for transaction in (self.transaction, self.last):
            if transaction is not None:
                names |= {transaction.snapshot, transaction.before}
                names |= {held.snapshot for held in transaction.mirrors.values()}
        return {name for name in names if name is not None}

    def leave(self, address: str, folders: t.Iterable[str]) -> None:
        """Remember folders with files that wait in vain."""
        held = self.mirrors.setdefault(address, Held())
        held.folders = sorted({*held.folders, *folders})


def _transaction(value: dict[str, t.Any] | None) -> Transaction | None:
    if value is None:
        return None
    mirrors = {address: Held(**held) for address, held in value.pop("mirrors").items()}
    return Transaction(mirrors=mirrors, **value)


class Journal:
    """The folder ``<source>/.distrogate/mirrors/<name>``."""

    def __init__(self, source: str, name: str) -> None:
        self.name = name
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
            path = os.path.join(self.folder, "transfers")
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                _wait_for(descriptor, deadline, self.folder)
                self.load()
                yield descriptor
            finally:
                os.close(descriptor)

    def load(self) -> None:
        """Read the journal; a missing one is a beginning."""
        path = os.path.join(self.folder, "journal.json")
        try:
            value = read_json(path)
        except DistrogateError as error:
            if error.reason != "not_found":
                raise
            self.state = State(origin=secrets.token_hex(16))
            return
        if value.pop("version", None) != FORMAT:
            raise DistrogateError(
                "journal_version",
                f"{path} is not of version {FORMAT}. Use the code that wrote it, or remove the folder"
                f" {self.folder}: then the mirrors are asked what they hold.",
            )
        self.state = State(
            **{
                **value,
                "shown": [Shown(**one) for one in value["shown"]],
                "mirrors": {address: Held(**held) for address, held in value["mirrors"].items()},
                "transaction": _transaction(value["transaction"]),
                "last": _transaction(value["last"]),
            }
        )

    def save(self) -> None:
        """Make the state durable."""
        value = {"version": FORMAT, **dataclasses.asdict(self.state)}
        write_json(os.path.join(self.folder, "journal.json"), value)

    def work_of(self, address: str) -> str:
        """A folder for what one mirror gets."""
        return os.path.join(self.work, _short(address))

    def doomed(self, address: str) -> set[bytes]:
        """What a mirror must still lose."""
        try:
            with open(self._doomed_path(address), "rb") as stream:
                return set(stream.read().split(b"\0")[:-1])
        except FileNotFoundError:
            return set()

    def doom(self, address: str, names: t.Collection[bytes]) -> None:
        """Write down what a mirror must still lose: exactly these."""
        path = self._doomed_path(address)
        if names:
            write_atomic(path, b"".join(name + b"\0" for name in sorted(names)))
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def _doomed_path(self, address: str) -> str:
        return os.path.join(self.folder, "doomed-" + _short(address))

    def tidy(self) -> None:
        """Remove what waited to be sent."""
        if self.state.transaction is None:
            shutil.rmtree(self.work, ignore_errors=True)


def _short(address: str) -> str:
    return hashlib.sha256(address.encode("utf-8", "surrogateescape")).hexdigest()[:32]


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
