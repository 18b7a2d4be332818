# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions to the index. Each is one read of it; nothing here opens a file of the archive."""

from __future__ import annotations

import sqlite3
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import trees_hex
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._index_build import unpack
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._index_contents import (
    hex_range,
    word_term,
)

Json = dict[str, t.Any]

_FOUND_BY_WORD = "id IN (SELECT bundle FROM word WHERE term = ?)"
_FOUND_BY_NAME = (
    "id IN (SELECT bundle FROM word WHERE term = ? UNION SELECT bundle FROM hex WHERE term BETWEEN ? AND ?)"
)


class Row(t.NamedTuple):
    """A bundle of the index."""

    number: int
    digest: str
    sealed: str
    pipeline: str


class Details(t.NamedTuple):
    """What the index keeps of one bundle: see ``contents`` and ``read_said``."""

    contents: Json
    said: Json


def digests(connection: sqlite3.Connection) -> set[str]:
    """The hexadecimal parts of the digests of all bundles, of those that cannot be read as well."""
    return {row[0] for row in connection.execute("SELECT digest FROM bundle")}


def problems(connection: sqlite3.Connection) -> list[Json]:
    """The bundles that cannot be read, and why."""
    found = connection.execute("SELECT digest, problem FROM bundle WHERE problem != '' ORDER BY digest")
    return [{"digest": f"sha256:{digest}", "message": problem} for digest, problem in found]


def find(
    connection: sqlite3.Connection,
    *,
    contains: str | None = None,
    trees: t.Mapping[str, str] | None = None,
    pipeline: str | None = None,
    digest: str | None = None,
    limit: int = 0,
) -> tuple[int, list[Row]]:
    """How many bundles satisfy every given condition, and the newest ``limit`` of them (0: all)."""
    where = ["problem = ''"]
    values: list[t.Any] = []
    if contains:
        numbers = hex_range(contains)
        where.append(_FOUND_BY_NAME if numbers else _FOUND_BY_WORD)
        values += [word_term(contains), *(numbers or ())]
    if trees is not None:
        where.append(_FOUND_BY_WORD)
        values.append(word_term("trees " + trees_hex(dict(sorted(trees.items())))))
    for column, value in (("pipeline", pipeline), ("digest", digest)):
        if value:
            where.append(f"{column} = ?")
            values.append(value)
    condition = " AND ".join(where)
    query = (
        f"SELECT id, digest, sealed, pipeline FROM bundle WHERE {condition} ORDER BY sealed DESC, digest DESC"
    )
    found = [Row(*row) for row in connection.execute(query, values)]
    return len(found), found[:limit] if limit else found


def details(connection: sqlite3.Connection, row: Row) -> Details:
    """What the index keeps of one bundle."""
    return Details(_packed(connection, "contents", row), said(connection, row))


def said(connection: sqlite3.Connection, row: Row) -> Json:
    """What was said about one bundle; its contents are larger and stay unread."""
    return _packed(connection, "said", row)


def _packed(connection: sqlite3.Connection, column: str, row: Row) -> Json:
    found = connection.execute(f"SELECT {column} FROM detail WHERE id = ?", (row.number,)).fetchone()
    if found is None:
        raise sqlite3.DatabaseError("a row of the index is missing")
    return t.cast(Json, unpack(found[0]))
