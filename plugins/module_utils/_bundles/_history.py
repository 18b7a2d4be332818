# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the history page shows, as data. Nothing here depends on when it is made, only on what happened."""

from __future__ import annotations

import re
import sqlite3
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _index_find as index_find
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle_info import channel_history
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._difference import (
    commit,
    counts,
    difference,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._index_said import (
    is_good,
    outcome,
    provenance,
    statements,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import channel_key
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store

FORMAT = 1
_CHANNEL = re.compile(r"[a-z][a-z0-9_.-]{0,63}")  # the other names that point to a bundle are versions
_ROW = ("serial", "digest", "version", "from", "at", "by", "state")
_HEX = len("sha256:")
_SHORT = 16  # digits of an image's digest by which it is searched

Json = dict[str, t.Any]
Emit = t.Callable[[str, Json], str]  # takes a bundle's digest and its page, returns the name of its file


def channels(store: Store) -> tuple[list[Json], dict[str, list[str]]]:
    """The channels with all that they had, newest first; and the names that point to each digest now."""
    found: list[Json] = []
    names: dict[str, list[str]] = {}
    for entry in store.list(channel_key("")):
        name = entry.key[len(channel_key("")) :]
        names.setdefault(str(entry.value["digest"])[_HEX:], []).append(name)
        if _CHANNEL.fullmatch(name):
            rows = [_row(row) for row in channel_history(store, name)]
            found.append({"name": name, "history": rows})
    return found, names


def _row(row: Json) -> Json:
    shown = {name: row.get(name) for name in _ROW}
    return {**shown, "digest": str(row["digest"])[_HEX:], "from": str(row.get("from") or "")[_HEX:]}


class _Search:
    """Which bundles have which packages and images, by the bundles' positions on the page."""

    def __init__(self) -> None:
        self.packages: dict[str, dict[str, list[int]]] = {}
        self.images: dict[str, dict[str, list[int]]] = {}
        self.files: dict[str, dict[str, list[int]]] = {}

    def add(self, position: int, compact: Json) -> None:
        for name, version in sorted({(row[1], row[3]) for row in compact["packages"]}):
            self.packages.setdefault(name, {}).setdefault(version, []).append(position)
        for part, found in (("images", self.images), ("files", self.files)):
            for name, sha256 in sorted({(row[1], row[2][:_SHORT]) for row in compact[part]}):
                found.setdefault(name, {}).setdefault(sha256, []).append(position)

    def as_data(self) -> Json:
        return {"packages": self.packages, "images": self.images, "files": self.files}


def history(
    connection: sqlite3.Connection,
    store: Store,
    keyids: t.Container[str],
    emit: Emit,
    *,
    title: str,
    newest: int,
) -> tuple[Json, Json]:
    """The page's overview and what its search reads; ``emit`` gets the page of every bundle.

    The ``newest`` bundles are shown, and older ones that a channel has.
    """
    found, names = channels(store)
    current = {channel["history"][0]["digest"] for channel in found if channel["history"]}
    _total, rows = index_find.find(connection)
    shown = [row for number, row in enumerate(rows) if number < newest or row.digest in current]
    position = {row.digest: number for number, row in enumerate(shown)}
    search = _Search()
    bundles: list[Json] = []
    last_good: dict[str, tuple[str, Json]] = {}
    for row in reversed(shown):  # the oldest first, so that the last good one is known
        compact, said = index_find.details(connection, row)
        come_to = outcome(statements(said, keyids))
        good = is_good(come_to)
        last = last_good.get(row.pipeline)
        bundle = _overview(row, compact, come_to, names)
        page = {**_page(compact, said, keyids), **come_to}
        if last is not None:
            compared = difference(last[1], compact)
            page["since_good"] = {"digest": last[0], **compared}
            bundle["since_good"] = {"digest": last[0], **counts(compared)}
        bundle.update(good=good, file=emit(row.digest, page))
        bundles.append(bundle)
        search.add(position[row.digest], compact)
        if good:
            last_good[row.pipeline] = (row.digest, compact)
    bundles.reverse()
    overview = {
        "format": FORMAT,
        "title": title,
        "channels": found,
        "stages": _stages(bundles),
        "bundles": bundles,
        "older": len(rows) - len(shown),
        "problems": index_find.problems(connection),
    }
    return overview, search.as_data()


def _overview(row: index_find.Row, compact: Json, come_to: Json, names: dict[str, list[str]]) -> Json:
    return {
        "digest": row.digest,
        "sealed": row.sealed,
        "pipeline": row.pipeline,
        "names": names.get(row.digest, []),
        "verdicts": {verdict["stage"]: verdict.get("result") for verdict in come_to["verdicts"]},
        "waivers": [_short(one, "rule", "stage", "expires") for one in come_to["waivers"]],
        "holds": [_short(one, "name", "author", "reason") for one in come_to["holds"]],
        "changes": [commit(one) for one in compact["commits"]],
        "packages": len(compact["packages"]),
        "images": len(compact["images"]),
    }


def _short(row: Json, *names: str) -> Json:
    return {name: row[name] for name in names if name in row}


def _page(compact: Json, said: Json, keyids: t.Container[str]) -> Json:
    built = [one for one in provenance(said) if one["signer"] in keyids]
    return {
        "contents": {**compact, "commits": [commit(one) for one in compact["commits"]]},
        "built": [_short(one, "builder", "metadata", "signer") for one in built],
        "unknown_signers": said["unknown"],
        "refused": said["bad"],
    }


def _stages(bundles: t.Sequence[Json]) -> list[str]:
    """The tests, in the order in which the newest bundles were tested; older ones after that."""
    return list(dict.fromkeys(stage for bundle in bundles for stage in bundle["verdicts"]))
