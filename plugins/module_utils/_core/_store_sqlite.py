# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The embedded store: one SQLite file, for the processes of one machine."""

from __future__ import annotations

import contextlib
import json
import os
import random
import sqlite3
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._local_fs import machine_identity
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Answers,
    Delete,
    Entry,
    Key,
    Put,
    Range,
    Store,
    Watch,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_sqlite_file import (
    BUSY_SECONDS,
    check_local,
    clock,
    make_file,
    prepare,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_values import (
    check_ttl,
    encode_key,
    encode_put,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_wake import Bell, Ringer

_LOOK_SECONDS = 5.0  # How often one who waits looks by itself,
_LOOK_DEAF_SECONDS = 0.02  # and when no bell can ring for it.
# One lookup for each row: a list of all living sessions would cost as much as there are.
_LIVING = "(session IS NULL OR EXISTS (SELECT 1 FROM sessions WHERE id = entries.session AND expires > ?))"
_WHERE = f"revision, created FROM entries WHERE {_LIVING} AND "


def _bounds(prefix: str) -> tuple[bytes, bytes]:
    """The bounds of all keys with this prefix. No byte of UTF-8 is 0xff, so adding one never overflows."""
    low = prefix.encode("utf-8", "surrogatepass")
    return (low, low[:-1] + bytes([low[-1] + 1])) if low else (b"", b"\xff")


class SqliteStore(Store):
    """A store in the file ``path``. ``machine`` stands for this machine's identity (for tests)."""

    def __init__(self, path: str, create: bool = True, machine: str | None = None) -> None:
        self.path = path
        exists = os.path.exists(path)
        if not exists and create:
            make_file(path)
        # Without a file and without leave to make one: an empty store in memory.
        name = path if exists or create else ":memory:"
        if exists:
            check_local(os.path.dirname(path))
        self.name = os.path.realpath(name)
        with self._translated():
            self._database = sqlite3.connect(name, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                prepare(self._database, path, machine or machine_identity())
            except BaseException:
                self._database.close()
                raise
        self._ringer = Ringer(self.name)

    def read(
        self,
        queries: t.Sequence[Key | Range],
        fresh: bool = True,  # noqa: ARG002  always is
    ) -> Answers:
        with self._translated():
            self._database.execute("BEGIN")
            try:
                now = clock()
                answers = Answers(self._answer(query, now) for query in queries)
                answers.revision = self.revision()
                return answers
            finally:
                self._database.execute("COMMIT")

    def _answer(self, query: Key | Range, now: float) -> list[Entry]:
        if isinstance(query, Key):
            rows = self._database.execute(f"SELECT key, value, {_WHERE}key = ?", (now, encode_key(query.key)))
        else:
            order = "created, key" if query.oldest else "key"
            value = "NULL" if query.bare else "value"
            rows = self._database.execute(
                f"SELECT key, {value}, {_WHERE}key >= ? AND key < ? ORDER BY {order} LIMIT ?",
                (now, *_bounds(query.prefix), query.limit or -1),
            )
        return [
            Entry(key.decode("utf-8"), None if value is None else json.loads(value), revision, created)
            for key, value, revision, created in rows.fetchall()
        ]

    def transact(
        self,
        expected: dict[str, int],
        operations: t.Sequence[Put | Delete],
        unmade: t.Mapping[str, int] | None = None,
    ) -> int | None:
        comparisons = [(encode_key(key), revision) for key, revision in expected.items()]
        writes = [
            (encode_key(item.key), encode_put(item) if isinstance(item, Put) else "", item)
            for item in operations
        ]
        with self._translated(), self._writing() as revision:
            now = clock()
            rung = self._sweep(now)
            for key, wanted in comparisons:
                row = self._database.execute("SELECT revision FROM entries WHERE key = ?", (key,)).fetchone()
                if (row[0] if row else 0) != wanted:
                    self._database.execute("ROLLBACK")
                    return None
            if any(self._made(prefix, after) for prefix, after in (unmade or {}).items()):
                self._database.execute("ROLLBACK")
                return None
            for key, value, item in writes:
                if not self._write(key, value, item, revision, now):
                    self._database.execute("ROLLBACK")
                    return None
        self._ringer.ring([*rung, *(item.key for item in operations)])
        return revision

    def _made(self, prefix: str, after: int) -> bool:
        query = "SELECT 1 FROM entries WHERE key >= ? AND key < ? AND created > ? LIMIT 1"
        return bool(self._database.execute(query, (*_bounds(prefix), after)).fetchone())

    def _write(self, key: bytes, value: str, item: Put | Delete, revision: int, now: float) -> bool:
        run = self._database.execute
        if isinstance(item, Delete):
            run("DELETE FROM entries WHERE key = ?", (key,))
            return True
        session: int | None = None
        if item.ttl is not None:
            session = self._new_session(item.ttl, now)
        elif item.session is not None:
            session = int(item.session)
            if not run("SELECT 1 FROM sessions WHERE id = ? AND expires > ?", (session, now)).fetchone():
                return False
        run(
            "INSERT INTO entries VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
            " value = excluded.value, revision = excluded.revision, session = excluded.session",
            (key, value, revision, revision, session),
        )
        return True

    def session(self, ttl: float) -> str:
        check_ttl("a session", ttl)
        with self._translated(), self._writing():
            return str(self._new_session(ttl, clock()))

    def _new_session(self, ttl: float, now: float) -> int:
        row = self._database.execute("INSERT INTO sessions (ttl, expires) VALUES (?, ?)", (ttl, now + ttl))
        return int(row.lastrowid or 0)

    def keep(self, session: str) -> bool:
        with self._translated(), self._unsynced(), self._writing():
            now = clock()
            kept = self._database.execute(
                "UPDATE sessions SET expires = ? + ttl WHERE id = ? AND expires > ?", (now, int(session), now)
            )
            return kept.rowcount == 1

    @contextlib.contextmanager
    def _unsynced(self) -> t.Iterator[None]:
        """Do not wait for the disk: a sign of life that a crash loses is not missed; all begin anew then."""
        self._database.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self._database.execute("PRAGMA synchronous = FULL")

    def end(self, session: str) -> None:
        with self._translated(), self._writing():
            now = clock()
            self._database.execute("UPDATE sessions SET expires = 0 WHERE id = ?", (int(session),))
            rung = self._sweep(now)
        self._ringer.ring(rung)

    def watch(self, key: str) -> Watch:
        return _SqliteWatch(self, key)

    def now(self) -> float:
        return time.time()

    def revision(self) -> int:
        with self._translated():
            return int(self._database.execute("SELECT revision FROM counter").fetchone()[0])

    def close(self) -> None:
        self._ringer.close()
        self._database.close()

    def _sweep(self, now: float) -> list[str]:
        """Remove what has ended, within the transaction under way; returns the keys."""
        run = self._database.execute
        if not run("SELECT 1 FROM sessions WHERE expires <= ? LIMIT 1", (now,)).fetchone():
            return []
        ended = "session IN (SELECT id FROM sessions WHERE expires <= ?)"
        keys = run(f"SELECT key FROM entries WHERE {ended}", (now,)).fetchall()
        run(f"DELETE FROM entries WHERE {ended}", (now,))
        run("DELETE FROM sessions WHERE expires <= ?", (now,))
        return [key.decode("utf-8") for (key,) in keys]

    @contextlib.contextmanager
    def _writing(self) -> t.Iterator[int]:
        """A write transaction; yields its revision. The body may roll back to write nothing."""
        self._begin()
        try:
            self._database.execute("UPDATE counter SET revision = revision + 1")
            yield int(self._database.execute("SELECT revision FROM counter").fetchone()[0])
            if self._database.in_transaction:
                self._database.execute("COMMIT")
        finally:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def _begin(self) -> None:
        """Begin to write. SQLite's own waiting backs off to 100 ms, which starves one among many."""
        deadline = time.monotonic() + BUSY_SECONDS
        pause = 0.0002
        self._database.execute("PRAGMA busy_timeout = 0")
        try:
            while True:
                try:
                    self._database.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError as error:
                    if "locked" not in str(error) or time.monotonic() > deadline:
                        raise
                time.sleep(random.uniform(pause / 2, pause))
                pause = min(pause * 1.5, 0.002)
        finally:
            self._database.execute(f"PRAGMA busy_timeout = {round(BUSY_SECONDS * 1000)}")

    @contextlib.contextmanager
    def _translated(self) -> t.Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise DistrogateError(
                "store_unavailable",
                f"The store sqlite://{self.path} cannot be used: {error}. Check that the file is a store of"
                " this collection, that its disk is not full, and that this user may write it.",
            ) from error


class _SqliteWatch(Watch):
    """Woken by whoever writes the key; looks by itself as well, for what ends with its session."""

    def __init__(self, store: SqliteStore, key: str) -> None:
        self._store = store
        self._key = key
        self._bell = Bell(store.name, key)
        self._entry = store.get(key)

    def wait(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        look = _LOOK_SECONDS if self._bell.works else _LOOK_DEAF_SECONDS
        while True:
            entry = self._store.get(self._key)
            if (entry and entry.revision) != (self._entry and self._entry.revision):
                self._entry = entry
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._bell.wait(min(look, left))

    def entry(self) -> Entry | None:
        return self._entry

    def close(self) -> None:
        self._bell.close()
