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


@dataclasses.dataclass(frozen=True)
class Entry:
    """A key, its JSON value, and the revision of the transaction that last wrote it."""

    key: str
    value: t.Any
    revision: int


@dataclasses.dataclass(frozen=True)
class Put:
    """Write ``value`` at ``key``; with ``ttl`` (seconds) the entry is gone after that time."""

    key: str
    value: t.Any
    ttl: float | None = None


@dataclasses.dataclass(frozen=True)
class Delete:
    """Remove ``key``; a missing one is no error."""

    key: str


class Store(abc.ABC):
    """What both backends promise; tests/unit/store holds the contract's tests.

    Every method may raise ``store_unavailable`` (the message names the address
    and what to check).
    """

    @abc.abstractmethod
    def get(self, key: str) -> Entry | None:
        """The entry at ``key``, or None when it is absent or expired."""

    @abc.abstractmethod
    def list(self, prefix: str) -> list[Entry]:
        """All living entries whose key begins with ``prefix``, sorted by key, of one revision."""

    @abc.abstractmethod
    def transact(self, expected: dict[str, int], operations: t.Sequence[Put | Delete]) -> int | None:
        """Apply all operations at once if every key has the expected revision (0: absent).

        Returns the new revision, or None when a comparison failed (nothing is
        written then). Operations are applied in order.
        """

    @abc.abstractmethod
    def now(self) -> float:
        """The store's clock, in seconds since the epoch: one clock for all clients."""

    @abc.abstractmethod
    def wait(self, prefix: str, revision: int, timeout: float) -> int:
        """Return once something under ``prefix`` changed after ``revision``, or after ``timeout`` seconds.

        An entry that expires is a change too. Returns the newest revision seen.
        """

    @abc.abstractmethod
    def revision(self) -> int:
        """The newest revision. Read it before the state that you are going to ``wait`` on."""

    @abc.abstractmethod
    def close(self) -> None:
        """Release connections; the object is not used afterwards."""

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
    """Open the store at ``url`` (or ``DISTROGATE_STORE``): ``sqlite:///path``; ``etcd://…`` comes later.

    With ``create`` false a store that does not exist yet is not made, and reads as empty.
    """
    address = url or (os.environ if environment is None else environment).get("DISTROGATE_STORE") or ""
    if address.startswith("sqlite:///"):
        from ansible_collections.distrogate.ci.plugins.module_utils._core._store_sqlite import SqliteStore

        return SqliteStore(address[len("sqlite://") :], create=create)
    if not address:
        raise DistrogateError(
            "no_store", "No store is given. Set the option store or the variable DISTROGATE_STORE."
        )
    raise DistrogateError("bad_store", f"The store {address!r} has no known scheme. Use sqlite:///path.")
