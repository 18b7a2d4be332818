# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The embedded store's file: where it may lie, its tables, and the clock of its sessions."""

from __future__ import annotations

import os
import sqlite3
import time

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._local_fs import file_system, is_network
from ansible_collections.distrogate.ci.plugins.module_utils._core._process import boot_id

FORMAT = 2
BUSY_SECONDS = 30.0
_TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counter (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sessions
  (id INTEGER PRIMARY KEY AUTOINCREMENT, ttl REAL NOT NULL, expires REAL NOT NULL);
CREATE INDEX IF NOT EXISTS sessions_expires ON sessions (expires);
CREATE TABLE IF NOT EXISTS entries
  (key BLOB PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL, created INTEGER NOT NULL,
   session INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_session ON entries (session) WHERE session IS NOT NULL;
INSERT OR IGNORE INTO counter VALUES (1, 0);
"""


def clock() -> float:
    """Seconds since this machine started, sleep included: what nobody can set (clock_gettime(2))."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def make_file(path: str) -> None:
    """An empty private file for a store."""
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        check_local(folder)
        # SQLite gives its -wal and -shm files the mode of the database.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise DistrogateError(
            "store_unavailable", f"The store {path} cannot be made: {error.strerror}."
        ) from error


def check_local(folder: str) -> None:
    """Refuse a folder that other machines may share."""
    kind = file_system(folder)
    if is_network(kind):
        raise DistrogateError(
            "store_network_fs",
            f"{folder} is on a file system of type {kind}, where locks between machines do not hold."
            " Put the store on a local disk, or use etcd://, a store for several machines.",
        )


def prepare(database: sqlite3.Connection, path: str, machine: str) -> None:
    """Make the tables if there are none; refuse another format's or machine's file."""
    run = database.execute
    deadline = time.monotonic() + BUSY_SECONDS
    while True:  # Two that make the file at once: the switch to WAL does not wait by itself.
        try:
            run("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    run("PRAGMA synchronous = FULL")
    # Whoever writes the last of so many pages brings all of them home: seldom, so that few wait for that.
    run("PRAGMA wal_autocheckpoint = 4000")
    about = _about(database)
    if not about:
        run("BEGIN IMMEDIATE")
        for statement in _TABLES.split(";"):
            run(statement)
        run(
            "INSERT OR IGNORE INTO about VALUES ('format', ?), ('machine', ?), ('boot', ?)",
            (str(FORMAT), machine, boot_id()),
        )
        run("COMMIT")
        about = _about(database)
    if about.get("format") != str(FORMAT):
        raise DistrogateError(
            "store_format",
            f"{path} has format {about.get('format')}; this code reads {FORMAT}. End what runs, move the file"
            " away, and register the TEs again.",
        )
    if about.get("machine") != machine:
        raise DistrogateError(
            "store_other_machine",
            f"{path} was made by another machine ({about.get('machine')}). An embedded store"
            " serves one machine: use a store for several, or remove the file to begin anew.",
        )
    if about.get("boot") != boot_id():
        _restart_sessions(database)


def _restart_sessions(database: sqlite3.Connection) -> None:
    """The machine was started again, and its clock with it: what lived then lives its whole time from now."""
    run = database.execute
    run("BEGIN IMMEDIATE")
    if _about(database).get("boot") != boot_id():
        run("UPDATE sessions SET expires = ? + ttl", (clock(),))
        run("UPDATE about SET value = ? WHERE name = 'boot'", (boot_id(),))
    run("COMMIT")


def _about(database: sqlite3.Connection) -> dict[str, str]:
    run = database.execute
    if not run("SELECT 1 FROM sqlite_master WHERE name = 'about'").fetchone():
        return {}
    return dict(run("SELECT name, value FROM about").fetchall())
