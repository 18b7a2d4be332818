# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a journal says: the states that were shown, the mirrors, the transaction under way."""

from __future__ import annotations

import dataclasses
import typing as t


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
    claims: list[str] = dataclasses.field(default_factory=list)  # with which we may have marked mirrors
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


def read_transaction(value: dict[str, t.Any] | None) -> Transaction | None:
    if value is None:
        return None
    mirrors = {address: Held(**held) for address, held in value.pop("mirrors").items()}
    return Transaction(mirrors=mirrors, **value)
