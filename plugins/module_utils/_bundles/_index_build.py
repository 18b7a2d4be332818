# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of the index, and how a bundle of the archive gets into them."""

from __future__ import annotations

import json
import sqlite3
import typing as t
import zlib

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import Archive, newest_change
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import FORMAT as BUNDLE_FORMAT
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._index_contents import contents, terms
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._index_said import (
    check_file,
    read_said,
    sealed_at,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._statements import PublicKey
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

# Of the tables and what is in them; an index of another one is made anew. What cannot be read is remembered,
# so this changes with what can.
FORMAT = 1000 * 1 + BUNDLE_FORMAT
BATCH = 500  # bundles in one transaction: whoever is killed has lost no more than these
_RACY = 10**9  # nanoseconds within which a file system may give two changes the same time
_PASSING = ("no_permission", "io_error")
_CACHE = 256 << 10  # KiB of pages kept while many bundles are taken in

# Postings name bundles by numbers that are never used again: what is found for a bundle is decided by its
# digest, so they are written once, and those of a bundle that is gone lead nowhere.
_TABLES = f"""
CREATE TABLE bundle (
  id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, stamp TEXT NOT NULL DEFAULT '',
  sealed TEXT NOT NULL DEFAULT '', pipeline TEXT NOT NULL DEFAULT '', unknown TEXT NOT NULL DEFAULT '',
  problem TEXT NOT NULL DEFAULT '');
CREATE TABLE detail (id INTEGER PRIMARY KEY, contents BLOB NOT NULL, said BLOB NOT NULL);
CREATE TABLE word (term INTEGER, bundle INTEGER, PRIMARY KEY (term, bundle)) WITHOUT ROWID;
CREATE TABLE hex (term INTEGER, bundle INTEGER, PRIMARY KEY (term, bundle)) WITHOUT ROWID;
PRAGMA user_version = {FORMAT};
"""

Json = dict[str, t.Any]


def create(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty index."""
    connection.executescript(_TABLES)


def pack(value: t.Any) -> bytes:
    """A value as the index keeps it."""
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode("ascii"), 1)


def unpack(data: bytes) -> t.Any:
    """What ``pack`` packed; anything else is a broken index (zlib's form has a checksum)."""
    try:
        return json.loads(zlib.decompress(data))
    except (zlib.error, ValueError) as error:
        raise sqlite3.DatabaseError(f"a row of the index is broken ({error})") from error


class Source(t.NamedTuple):
    """The archive, whose signatures count, and the time before its files were looked at."""

    archive: Archive
    keys: t.Sequence[PublicKey]
    looked_ns: int


class Behind(t.NamedTuple):
    """What an index lacks: stamps of bundles to read, digests to drop; both by the hexadecimal part."""

    wanted: dict[str, str]
    gone: set[str]

    @property
    def nothing(self) -> bool:
        return not self.wanted and not self.gone


def behind(connection: sqlite3.Connection, stamps: t.Mapping[str, str], keyids: t.Container[str]) -> Behind:
    """What changed in the archive since, and what was signed by a key that is known only now."""
    known: dict[str, str] = dict(connection.execute("SELECT digest, stamp FROM bundle"))
    wanted = dict(stamps.items() - known.items())
    for digest, unknown in connection.execute("SELECT digest, unknown FROM bundle WHERE unknown != ''"):
        if digest in stamps and any(keyid in keyids for keyid in unknown.split()):
            wanted[digest] = stamps[digest]
    return Behind(wanted, known.keys() - stamps.keys())


def catch_up(
    connection: sqlite3.Connection,
    source: Source,
    what: Behind,
    progress: t.Callable[[str], None],
) -> None:
    """Give the index what it lacks."""
    connection.execute(f"PRAGMA cache_size = -{_CACHE}")
    wanted = sorted(what.wanted.items())
    for start in range(0, len(wanted) or 1, BATCH):
        if start and start % 2000 == 0:
            progress(f"indexed {start} of {len(wanted)} bundles")
        connection.execute("BEGIN IMMEDIATE")
        try:
            for digest in what.gone if start == 0 else ():
                _drop(connection, digest)
            for digest, stamp in wanted[start : start + BATCH]:
                # What was changed in the very moment of looking may change again without a new time.
                settled = abs(source.looked_ns - newest_change(stamp)) > _RACY
                _take_in(connection, source, digest, stamp if settled else f"{stamp} ?")
        except BaseException:
            if connection.in_transaction:  # on a full disk it has ended by itself
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def _drop(connection: sqlite3.Connection, digest: str) -> None:
    connection.execute("DELETE FROM detail WHERE id IN (SELECT id FROM bundle WHERE digest = ?)", (digest,))
    connection.execute("DELETE FROM bundle WHERE digest = ?", (digest,))


def _take_in(connection: sqlite3.Connection, source: Source, digest: str, stamp: str) -> None:
    query = "SELECT stamp, problem, unknown FROM bundle WHERE digest = ?"
    old, problem, unknown = connection.execute(query, (digest,)).fetchone() or ("", "", "")
    same = not problem and old.split(" ")[:2] == stamp.split(" ")[:2]
    try:
        said = read_said(source.archive.statements(digest), f"sha256:{digest}", source.keys)
        if not same or unknown:  # whoever becomes known may have stated which file it is
            bundle, sha256 = source.archive.read(digest)
            check_file(said, f"sha256:{digest}", sha256)
        if not same:
            _drop(connection, digest)
            _insert(connection, digest, bundle)
    except DistrogateError as error:
        _drop(connection, digest)
        # What could not be read may be readable the next time, without a new time of its file.
        again = " ?" if error.reason in _PASSING else ""
        connection.execute(
            "INSERT INTO bundle (digest, stamp, problem) VALUES (?, ?, ?)",
            (digest, stamp + again, error.as_result()["msg"]),
        )
        return
    unknown = " ".join(sorted({keyid for _name, keyids in said["unknown"] for keyid in keyids}))
    connection.execute(
        "UPDATE bundle SET stamp = ?, sealed = ?, unknown = ? WHERE digest = ?",
        (stamp, sealed_at(said), unknown, digest),
    )
    connection.execute(
        "UPDATE detail SET said = ? WHERE id = (SELECT id FROM bundle WHERE digest = ?)", (pack(said), digest)
    )


def _insert(connection: sqlite3.Connection, digest: str, bundle: Json) -> None:
    compact = contents(bundle)
    words, names = terms(bundle, compact)
    cursor = connection.execute(
        "INSERT INTO bundle (digest, pipeline) VALUES (?, ?)",
        (digest, str(bundle["inputs"].get("pipeline", ""))),
    )
    number = cursor.lastrowid
    connection.execute("INSERT INTO detail VALUES (?, ?, x'')", (number, pack(compact)))
    connection.executemany("INSERT INTO word VALUES (?, ?)", [(term, number) for term in sorted(words)])
    connection.executemany("INSERT INTO hex VALUES (?, ?)", [(term, number) for term in sorted(names)])
