# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The embedded store: one SQLite file, for the processes of one machine."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._local_fs import (
    file_system,
    is_network,
    machine_identity,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete, Entry, Put, Store
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_values import encode_key, encode_put

_FORMAT = 1
_BUSY_SECONDS = 30.0
_GONE_KEPT = 4096  # Removals that wait() can still tell apart by prefix.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counter (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS entries
  (key BLOB PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL, expires REAL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_expires ON entries (expires) WHERE expires IS NOT NULL;
CREATE TABLE IF NOT EXISTS gone (key BLOB PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS gone_revision ON gone (revision);
INSERT OR IGNORE INTO counter VALUES (1, 0);
"""


def _range(prefix: str) -> tuple[bytes, bytes]:
    """The bounds of all keys with this prefix. No byte of UTF-8 is 0xff, so adding one never overflows."""
    low = prefix.encode("utf-8", "surrogatepass")
    return (low, low[:-1] + bytes([low[-1] + 1])) if low else (b"", b"\xff")


class SqliteStore(Store):
    """A store in the file ``path``. ``machine`` stands for this machine's identity (for tests)."""

    def __init__(self, path: str, create: bool = True, machine: str | None = None) -> None:
        self.path = path
        self._machine = machine or machine_identity()
        exists = os.path.exists(path)
        if not exists and create:
            self._make_file()
        # Without a file and without leave to make one: an empty store in memory.
        name = path if exists or create else ":memory:"
        if exists:
            self._check_local(os.path.dirname(path))
        with self._translated():
            self._database = sqlite3.connect(name, timeout=_BUSY_SECONDS, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise

    def get(self, key: str) -> Entry | None:
        with self._translated():
            row = self._database.execute(
                "SELECT value, revision FROM entries WHERE key = ? AND (expires IS NULL OR expires > ?)",
                (encode_key(key), self.now()),
            ).fetchone()
        return Entry(key, json.loads(row[0]), row[1]) if row else None

    def list(self, prefix: str) -> list[Entry]:
        low, high = _range(prefix)
        with self._translated():
            rows = self._database.execute(
                "SELECT key, value, revision FROM entries"
                " WHERE key >= ? AND key < ? AND (expires IS NULL OR expires > ?) ORDER BY key",
                (low, high, self.now()),
            ).fetchall()
        return [Entry(key.decode("utf-8"), json.loads(value), revision) for key, value, revision in rows]

    def transact(self, expected: dict[str, int], operations: t.Sequence[Put | Delete]) -> int | None:
        comparisons = [(encode_key(key), revision) for key, revision in expected.items()]
        writes = [
            (encode_key(item.key), encode_put(item) if isinstance(item, Put) else "", item)
            for item in operations
        ]
        with self._translated(), self._writing() as revision:
            now = self.now()
            for key, wanted in comparisons:
                row = self._database.execute(
                    "SELECT revision FROM entries WHERE key = ? AND (expires IS NULL OR expires > ?)",
                    (key, now),
                ).fetchone()
                if (row[0] if row else 0) != wanted:
                    self._database.execute("ROLLBACK")
                    return None
            self._sweep(now, revision)
            for key, value, item in writes:
                if isinstance(item, Put):
                    expires = None if item.ttl is None else now + item.ttl
                    self._database.execute(
                        "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", (key, value, revision, expires)
                    )
                    self._database.execute("DELETE FROM gone WHERE key = ?", (key,))
                elif self._database.execute("DELETE FROM entries WHERE key = ?", (key,)).rowcount:
                    self._database.execute("INSERT OR REPLACE INTO gone VALUES (?, ?)", (key, revision))
            self._database.execute("DELETE FROM gone WHERE revision <= ?", (revision - _GONE_KEPT,))
        return revision

    def now(self) -> float:
        return time.time()

    def revision(self) -> int:
        with self._translated():
            return int(self._database.execute("SELECT revision FROM counter").fetchone()[0])

    def wait(self, prefix: str, revision: int, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        pause, seen = 0.002, -1
        while True:
            newest = self.revision()
            if self._expired(prefix):
                with self._translated(), self._writing() as newest:
                    self._sweep(self.now(), newest)
            if newest != seen and newest > revision and self._changed(prefix, revision, newest):
                return newest
            seen = newest
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return newest
            time.sleep(min(pause, remaining))
            pause = min(pause * 1.5, 0.05)

    def close(self) -> None:
        self._database.close()

    def _changed(self, prefix: str, after: int, newest: int) -> bool:
        if after < newest - _GONE_KEPT:
            return True  # A removal may be forgotten by now: better to look once too often.
        bounds = (*_range(prefix), after)
        query = "SELECT 1 FROM {} WHERE key >= ? AND key < ? AND revision > ? LIMIT 1"
        with self._translated():
            return any(
                self._database.execute(query.format(name), bounds).fetchone() for name in ("entries", "gone")
            )

    def _expired(self, prefix: str) -> bool:
        with self._translated():
            query = "SELECT 1 FROM entries WHERE expires <= ? AND key >= ? AND key < ? LIMIT 1"
            return bool(self._database.execute(query, (self.now(), *_range(prefix))).fetchone())

    def _sweep(self, now: float, revision: int) -> None:
        """Turn what has expired into removals, within the transaction under way."""
        self._database.execute(
            "INSERT OR REPLACE INTO gone SELECT key, ? FROM entries WHERE expires <= ?", (revision, now)
        )
        self._database.execute("DELETE FROM entries WHERE expires <= ?", (now,))

    @contextlib.contextmanager
    def _writing(self) -> t.Iterator[int]:
        """A write transaction; yields its revision. The body may roll back to write nothing."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.execute("UPDATE counter SET revision = revision + 1")
            yield int(self._database.execute("SELECT revision FROM counter").fetchone()[0])
            if self._database.in_transaction:
                self._database.execute("COMMIT")
        finally:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

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

    def _make_file(self) -> None:
        folder = os.path.dirname(self.path)
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            self._check_local(folder)
            # SQLite gives its -wal and -shm files the mode of the database.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise DistrogateError(
                "store_unavailable", f"The store {self.path} cannot be made: {error.strerror}."
            ) from error

    def _check_local(self, folder: str) -> None:
        kind = file_system(folder)
        if is_network(kind):
            raise DistrogateError(
                "store_network_fs",
                f"{folder} is on a file system of type {kind}, where locks between machines do not hold."
                " Put the store on a local disk, or use a store for several machines.",
            )

    def _prepare(self) -> None:
        run = self._database.execute
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:  # Two that make the file at once: the switch to WAL does not wait by itself.
            try:
                run("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        run("PRAGMA synchronous = FULL")
        if not self._about():
            run("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";"):
                run(statement)
            run(
                "INSERT OR IGNORE INTO about VALUES ('format', ?), ('machine', ?)",
                (str(_FORMAT), self._machine),
            )
            run("COMMIT")
        about = self._about()
        if about.get("format") != str(_FORMAT):
            raise DistrogateError(
                "store_format", f"{self.path} has format {about.get('format')}; this code reads {_FORMAT}."
            )
        if about.get("machine") != self._machine:
            raise DistrogateError(
                "store_other_machine",
                f"{self.path} was made by another machine ({about.get('machine')}). An embedded store"
                " serves one machine: use a store for several, or remove the file to begin anew.",
            )

    def _about(self) -> dict[str, str]:
        run = self._database.execute
        if not run("SELECT 1 FROM sqlite_master WHERE name = 'about'").fetchone():
            return {}
        return dict(run("SELECT name, value FROM about").fetchall())
