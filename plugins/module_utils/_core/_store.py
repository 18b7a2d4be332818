# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The store: a small transactional key-value interface. Keys are paths, values are JSON."""

from __future__ import annotations

import abc
import dataclasses
import os
import random
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

T = t.TypeVar("T")
S = t.TypeVar("S", bound="Store")
W = t.TypeVar("W", bound="Watch")


@dataclasses.dataclass(frozen=True)
class Entry:
    """A key, its JSON value, and the revisions of the transactions that last wrote it and that made it.

    ``created`` stays when the entry is written again, so it tells who came first.
    """

    key: str
    value: t.Any
    revision: int
    created: int


@dataclasses.dataclass(frozen=True)
class Put:
    """Write ``value`` at ``key``.

    With ``session`` the entry is gone when that session ends; with ``ttl``
    (seconds) it is gone after that time, unless it is written again.
    """

    key: str
    value: t.Any
    ttl: float | None = None
    session: str | None = None


@dataclasses.dataclass(frozen=True)
class Delete:
    """Remove ``key``; a missing one is no error."""

    key: str


@dataclasses.dataclass(frozen=True)
class Key:
    """A query: the entry at exactly this key."""

    key: str


@dataclasses.dataclass(frozen=True)
class Range:
    """A query: the entries whose key begins with ``prefix``, sorted by key, or those made first first.

    With ``limit`` no more than so many; with ``bare`` without their values, which are None then.
    """

    prefix: str
    limit: int = 0
    oldest: bool = False
    bare: bool = False


class Answers(list[list[Entry]]):
    """The entries that answer each query, and the revision that they are of."""

    revision = 0


class Watch(abc.ABC):
    """What tells that an entry changed. A hint: it may speak without need, and read again when it does."""

    @abc.abstractmethod
    def wait(self, timeout: float) -> bool:
        """True once the key changed since the watch began, or since this last returned True.

        False after ``timeout`` seconds. An entry that ends with its session is a change too.
        """

    @abc.abstractmethod
    def entry(self) -> Entry | None:
        """The entry as it is now, as far as this watch knows; None when there is none."""

    @abc.abstractmethod
    def close(self) -> None:
        """Watch no longer."""

    def __enter__(self: W) -> W:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Store(abc.ABC):
    """What both backends promise; tests/unit/store holds the contract's tests.

    Every method may raise ``store_unavailable`` (the message names the address
    and what to check). An object serves one thread.

    Time is measured by the store alone, on a clock that nobody sets: no client's
    wall clock decides when an entry ends.
    """

    @abc.abstractmethod
    def read(self, queries: t.Sequence[Key | Range], fresh: bool = True) -> Answers:
        """The living entries that answer each query, all of one revision, and not older than this call.

        What is not ``fresh`` may be older, and costs less: for one who compares all that it relies on when it
        writes.
        """

    @abc.abstractmethod
    def transact(
        self,
        expected: dict[str, int],
        operations: t.Sequence[Put | Delete],
        unmade: t.Mapping[str, int] | None = None,
    ) -> int | None:
        """Apply all operations at once if every key has the expected revision (0: absent).

        And if no entry below any of the prefixes ``unmade`` was made after the revision given there.
        Returns the new revision, or None when a comparison failed or a session
        of a ``Put`` has ended (nothing is written then). Of two operations on one key the last counts.
        """

    def transact_and_read(
        self,
        expected: dict[str, int],
        operations: t.Sequence[Put | Delete],
        queries: t.Sequence[Key | Range],
    ) -> Answers | None:
        """As ``transact``, and then the answers to ``queries``, which see what was written.

        They may be newer than it. A backend may do both in one request.
        """
        return None if self.transact(expected, operations) is None else self.read(queries)

    @abc.abstractmethod
    def session(self, ttl: float) -> str:
        """A new session: it ends ``ttl`` seconds from now, unless it is kept; with it go its entries.

        It may live a little longer than that, never shorter.
        """

    @abc.abstractmethod
    def keep(self, session: str) -> bool:
        """Let a session live for its whole time from now; False when it has ended."""

    @abc.abstractmethod
    def end(self, session: str) -> None:
        """End a session, and all its entries with it. One that has ended is no error."""

    @abc.abstractmethod
    def watch(self, key: str) -> Watch:
        """Watch the entry at ``key`` from now on."""

    @abc.abstractmethod
    def now(self) -> float:
        """Seconds since the epoch, to show to people. Nothing is decided by it."""

    @abc.abstractmethod
    def revision(self) -> int:
        """The newest revision."""

    @abc.abstractmethod
    def close(self) -> None:
        """Release connections; the object is not used afterwards."""

    def get(self, key: str) -> Entry | None:
        """The entry at ``key``, or None when it is absent or has ended."""
        found = self.read([Key(key)])[0]
        return found[0] if found else None

    def list(self, prefix: str) -> list[Entry]:
        """All living entries whose key begins with ``prefix``, sorted by key, of one revision."""
        return self.read([Range(prefix)])[0]

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def until_written(attempt: t.Callable[[], T | None], attempts: int = 100) -> T:
    """Call ``attempt`` (read, decide, ``transact``) until it does not return None.

    Each call must read anew. Error ``store_contended`` after ``attempts`` calls.
    """
    for number in range(attempts):
        written = attempt()
        if written is not None:
            return written
        time.sleep(random.uniform(0, min(0.1, 0.002 * (number + 1))))
    raise DistrogateError(
        "store_contended",
        f"Others changed the same entries of the store {attempts} times while this one was being written."
        " Nothing was written; run it again.",
    )


def open_store(url: str | None, create: bool = True, environment: t.Mapping[str, str] | None = None) -> Store:
    """Open the store at ``url`` (or ``DISTROGATE_STORE``): ``sqlite:///path`` or ``etcd://host:port,…``.

    With ``create`` false a file that does not exist yet is not made, and reads as empty.
    """
    address = url or (os.environ if environment is None else environment).get("DISTROGATE_STORE") or ""
    if address.startswith("sqlite:///"):
        from ansible_collections.distrogate.ci.plugins.module_utils._core._store_sqlite import SqliteStore

        return SqliteStore(address[len("sqlite://") :], create=create)
    if address.startswith("etcd://"):
        from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd import EtcdStore

        return EtcdStore(address, os.environ if environment is None else environment)
    if not address:
        raise DistrogateError(
            "no_store", "No store is given. Set the option store or the variable DISTROGATE_STORE."
        )
    raise DistrogateError(
        "bad_store", "The address of the store has no known scheme. Use sqlite:///path or etcd://host:port."
    )
