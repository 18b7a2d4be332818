# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``bundle_info`` answers: bundles by condition, a channel's history, the difference of two bundles."""

from __future__ import annotations

import sqlite3
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _index_find as index_find
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import Archive
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import (
    contains,
    digest_hex,
    trees_hex,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._index import Index
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._index_contents import (
    contents,
    package_names,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._index_said import (
    check_file,
    outcome,
    provenance,
    read_said,
    statements,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._known_keys import KnownKeys
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import channel_key
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Key, Range, Store

LISTED = 100  # packages of more bundles than these are left out unless they are asked for
_AT_ONCE = 500  # keys of one read of the store

Json = dict[str, t.Any]


def channels_of(store: Store) -> dict[str, list[str]]:
    """The channels that point to each digest now; a version is one too."""
    found: dict[str, list[str]] = {}
    for entry in store.list(channel_key("")):
        found.setdefault(entry.value["digest"], []).append(entry.key[len(channel_key("")) :])
    return found


def resolve(store: Store, name: str) -> str:
    """The digest that a digest, a channel or a version stands for."""
    try:
        return "sha256:" + digest_hex(name)
    except DistrogateError:
        entry = store.get(channel_key(name))
    if entry is None:
        raise DistrogateError(
            "unknown_bundle",
            f"{name!r} is neither a bundle's digest nor a channel or version that the store knows.",
        )
    return str(entry.value["digest"])


def channel_history(store: Store, channel: str) -> list[Json]:
    """What a channel had, the newest first."""
    rows = []
    for entry in reversed(store.list(f"history/{channel}/")):
        row = {name: value for name, value in entry.value.items() if name not in ("states", "statement")}
        # How a target is reached is nobody's business who asks for the history.
        states = [
            {k: v for k, v in state.items() if k != "arguments"} for state in entry.value.get("states") or []
        ]
        rows.append({**row, "serial": int(entry.key.rpartition("/")[2]), "states": states})
    if not rows:
        entry_now = store.get(channel_key(channel))
        if entry_now is not None:  # it was promoted by a release that kept no history
            now = entry_now.value
            rows = [
                {
                    **{k: now.get(k) for k in ("digest", "version", "serial", "at", "by")},
                    "from": now.get("previous"),
                }
            ]
    return rows


class Found(t.NamedTuple):
    """The bundles, how many there are in all, and those that cannot be read."""

    bundles: list[Json]
    total: int
    problems: list[Json]


class Finder:
    """Looks in the store, and where there is an archive in its index."""

    def __init__(
        self, store: Store, archive: Archive | None, keys: KnownKeys, progress: t.Callable[[str], None]
    ) -> None:
        self._store = store
        self._archive = archive
        self._keys = keys
        self._index = None if archive is None else Index(archive, keys, progress)

    def find(self, wanted: Json) -> Found:
        """The bundles that satisfy every given condition, the newest first."""
        if self._index is None:
            bundles = self._in_store(wanted, frozenset())
            return Found(_first(bundles, wanted), len(bundles), [])
        return self._index.read(lambda connection: self._in_index(connection, wanted))

    def _in_index(self, connection: sqlite3.Connection, wanted: Json) -> Found:
        digest = self._digest(wanted)
        known = index_find.digests(connection)
        others = self._in_store(wanted, known)
        if digest == "":
            return Found([], 0, [])
        total, rows = index_find.find(
            connection,
            contains=wanted.get("contains"),
            trees=wanted.get("trees"),
            pipeline=wanted.get("pipeline"),
            digest=digest,
            limit=wanted.get("limit") or 0,
        )
        channels = channels_of(self._store)
        listed = wanted.get("packages")
        if listed is None:
            listed = len(rows) <= LISTED
        facts = self._facts([row.digest for row in rows])
        found = [self._row(connection, row, channels, facts, listed) for row in rows]
        bundles = sorted(found + others, key=_newest, reverse=True)
        return Found(_first(bundles, wanted), total + len(others), index_find.problems(connection))

    def _digest(self, wanted: Json) -> str | None:
        """The one digest that may be found; None when it may be any, empty when it can be none."""
        asked = {digest_hex(wanted["bundle"])} if wanted.get("bundle") else set()
        if wanted.get("channel"):
            entry = self._store.get(channel_key(wanted["channel"]))
            asked.add(digest_hex(entry.value["digest"]) if entry else "")
        return None if not asked else asked.pop() if len(asked) == 1 else ""

    def _facts(self, digests: list[str]) -> dict[str, Json]:
        """Where the bundles lie, by the hexadecimal part of the digest."""
        queries: list[list[Key | Range]] = [[Range("bundle/")]]
        if len(digests) <= _AT_ONCE:
            queries = [[Key(f"bundle/{digest}") for digest in digests]] if digests else []
        entries = [entry for asked in queries for answer in self._store.read(asked) for entry in answer]
        return {entry.key[len("bundle/") :]: entry.value for entry in entries}

    def _row(
        self,
        connection: sqlite3.Connection,
        row: index_find.Row,
        channels: dict[str, list[str]],
        facts: dict[str, Json],
        listed: bool,
    ) -> Json:
        digest = f"sha256:{row.digest}"
        where = facts.get(row.digest, {})
        more = {"sealed": row.sealed or where.get("sealed", ""), "pipeline": row.pipeline}
        found = {
            "digest": digest,
            "channels": channels.get(digest, []),
            **{name: where.get(name) for name in ("host", "run_dir")},
            **more,
        }
        if listed:
            compact, said = index_find.details(connection, row)
            found["packages"] = package_names(compact)
        else:
            said = index_find.said(connection, row)
        return {**found, **outcome(statements(said, self._keys.keyids))}

    def _in_store(self, wanted: Json, known: t.AbstractSet[str]) -> list[Json]:
        """The bundles that only the store knows, by what it knows of them."""
        bare = self._store.read([Range("bundle/", bare=True)])[0]
        if all(entry.key[len("bundle/") :] in known for entry in bare):
            return []
        channels = channels_of(self._store)
        tree_key = None if wanted.get("trees") is None else f"tree/{trees_hex(wanted['trees'])}/"
        of_trees = None if tree_key is None else {entry.value for entry in self._store.list(tree_key)}
        found = []
        for entry in self._store.list("bundle/"):
            digest = "sha256:" + entry.key[len("bundle/") :]
            if digest_hex(digest) in known or (of_trees is not None and digest not in of_trees):
                continue
            row = {"digest": digest, "channels": channels.get(digest, []), **entry.value}
            if _satisfies(row, wanted):
                found.append(row)
        return sorted(found, key=_newest, reverse=True)

    def whole(self, digest: str) -> Json:
        """What was in a bundle, built from what, and all that was said of it; from the files, and checked."""
        bundle, said = self._checked(digest)
        return {
            "artifacts": bundle["artifacts"],
            "inputs": bundle["inputs"],
            "provenance": provenance(said),
            "packages": package_names(contents(bundle)),
            **outcome(statements(said, None)),
            "unknown_signers": [{"statement": name, "signers": keyids} for name, keyids in said["unknown"]],
            "refused": [{"statement": name, "message": message} for name, message in said["bad"]],
        }

    def difference(self, old: str, new: str) -> Json:
        """From one bundle, channel or version to another; both are read from the files and checked."""
        # Few ask this, and everybody would wait for its tables.
        from ansible_collections.distrogate.ci.plugins.module_utils._bundles._difference import difference

        one, other = resolve(self._store, old), resolve(self._store, new)
        found = difference(contents(self._checked(one)[0]), contents(self._checked(other)[0]))
        return {"from": one, "to": other, **found}

    def _checked(self, digest: str) -> tuple[Json, Json]:
        """A bundle and what was said of it, from the files; an edited one is refused."""
        if self._archive is None:
            raise DistrogateError(
                "no_archive",
                "The contents of bundles are in the archive. Set archive, or DISTROGATE_ARCHIVE.",
            )
        bundle, sha256 = self._archive.read(digest)
        said = read_said(self._archive.statements(digest), bundle["digest"], self._keys.keys())
        check_file(said, digest, sha256)
        return bundle, said

    def knows(self, digest: str) -> bool:
        """Whether the archive has the bundle."""
        return self._archive is not None and self._archive.has(digest)


def _newest(bundle: Json) -> tuple[str, str]:
    return bundle["sealed"], bundle["digest"]


def _first(bundles: list[Json], wanted: Json) -> list[Json]:
    return bundles[: wanted["limit"]] if wanted.get("limit") else bundles


def _satisfies(row: Json, wanted: Json) -> bool:
    if wanted.get("bundle") and digest_hex(wanted["bundle"]) != digest_hex(row["digest"]):
        return False
    if wanted.get("channel") and wanted["channel"] not in row["channels"]:
        return False
    if wanted.get("contains") and not contains(row.get("packages", []), wanted["contains"]):
        return False
    return not wanted.get("pipeline") or row["pipeline"] == wanted["pipeline"]
