# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stores around a store: one that changes nothing, to inherit from, and one that counts."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Answers,
    Delete,
    Key,
    Put,
    Range,
    Store,
    Watch,
)


class WrappedStore(Store):
    """Does what the store inside does: for tests that change one thing of it."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner

    def read(self, queries: t.Sequence[Key | Range], fresh: bool = True) -> Answers:
        return self.inner.read(queries, fresh)

    def transact(
        self,
        expected: dict[str, int],
        operations: t.Sequence[Put | Delete],
        unmade: t.Mapping[str, int] | None = None,
    ) -> int | None:
        return self.inner.transact(expected, operations, unmade)

    def session(self, ttl: float) -> str:
        return self.inner.session(ttl)

    def keep(self, session: str) -> bool:
        return self.inner.keep(session)

    def end(self, session: str) -> None:
        self.inner.end(session)

    def watch(self, key: str) -> Watch:
        return self.inner.watch(key)

    def now(self) -> float:
        return self.inner.now()

    def revision(self) -> int:
        return self.inner.revision()

    def close(self) -> None:
        self.inner.close()


class CountingStore(WrappedStore):
    """``counts`` has how often each operation was called; a ``read`` is one, however many queries it has."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.counts: collections.Counter[str] = collections.Counter()

    def read(self, queries: t.Sequence[Key | Range], fresh: bool = True) -> Answers:
        self.counts["read"] += 1
        return super().read(queries, fresh)

    def transact(
        self,
        expected: dict[str, int],
        operations: t.Sequence[Put | Delete],
        unmade: t.Mapping[str, int] | None = None,
    ) -> int | None:
        self.counts["transact"] += 1
        return super().transact(expected, operations, unmade)

    def session(self, ttl: float) -> str:
        self.counts["session"] += 1
        return super().session(ttl)

    def keep(self, session: str) -> bool:
        self.counts["keep"] += 1
        return super().keep(session)

    def end(self, session: str) -> None:
        self.counts["end"] += 1
        super().end(session)

    def watch(self, key: str) -> Watch:
        self.counts["watch"] += 1
        return super().watch(key)
