# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The difference of two bundles: packages, commits with their subjects, images, other files."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._versions import compare_deb, compare_rpm

Json = dict[str, t.Any]
_COMPARE = {"deb": compare_deb, "rpm": compare_rpm}


def difference(old: Json, new: Json) -> Json:
    """What ``new`` has and ``old`` has not, and the other way round; both as ``contents`` gives them."""
    return {
        "packages": _packages(old["packages"], new["packages"]),
        "commits": _commits(old, new),
        "images": _others(old["images"], new["images"]),
        "files": _others(old["files"], new["files"]),
    }


def counts(found: Json) -> Json:
    """How many of each there are, for an overview."""
    return {part: {word: len(rows) for word, rows in words.items()} for part, words in found.items()}


def _by_key(rows: t.Iterable[t.Sequence[str]], size: int) -> dict[tuple[str, ...], list[tuple[str, ...]]]:
    found: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for row in rows:
        found.setdefault(tuple(row[:size]), []).append(tuple(row[size:]))
    return found


def _packages(old: t.Sequence[t.Sequence[str]], new: t.Sequence[t.Sequence[str]]) -> Json:
    """Of a package that either has in several versions, each version comes or goes by itself."""
    before, after = _by_key(old, 3), _by_key(new, 3)
    added: list[Json] = []
    removed: list[Json] = []
    changed: list[Json] = []
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key, []), after.get(key, [])
        kind, name, architecture = key
        about = {"kind": kind, "name": name, "architecture": architecture}
        if len(was) == len(now) == 1:
            if was != now:
                changed.append({**about, **_change(kind, was[0], now[0])})
            continue
        removed += [{**about, "version": row[0], "sha256": row[1]} for row in was if row not in now]
        added += [{**about, "version": row[0], "sha256": row[1]} for row in now if row not in was]
    return {"added": added, "removed": removed, "changed": changed}


def _change(kind: str, was: t.Sequence[str], now: t.Sequence[str]) -> Json:
    """``change`` is upgraded, downgraded or rebuilt: another file of the same version."""
    order = _COMPARE.get(kind, compare_deb)(was[0], now[0])
    change = "rebuilt" if order == 0 else "upgraded" if order < 0 else "downgraded"
    return {"from": was[0], "to": now[0], "change": change}


def _commits(old: Json, new: Json) -> Json:
    """The commits that came and went, and the projects whose branch moved below them."""
    was = {(row[0], row[2]): row for row in old["commits"]}
    now = {(row[0], row[2]): row for row in new["commits"]}
    moved = [
        {"project": project, "from": old["bases"].get(project), "to": new["bases"].get(project)}
        for project in sorted(old["bases"].keys() | new["bases"].keys())
        if old["bases"].get(project) != new["bases"].get(project)
    ]
    return {
        "added": [commit(row) for key, row in now.items() if key not in was],
        "removed": [commit(row) for key, row in was.items() if key not in now],
        "moved": moved,
    }


def commit(row: t.Sequence[str]) -> Json:
    """A commit as people read it."""
    return dict(zip(("project", "branch", "commit", "subject", "change"), row))


def _others(old: t.Sequence[t.Sequence[str]], new: t.Sequence[t.Sequence[str]]) -> Json:
    """Images or files, which have one name and one digest each."""
    was = {(row[0], row[1]): row[2] for row in old}
    now = {(row[0], row[1]): row[2] for row in new}
    both = sorted(was.keys() & now.keys())
    return {
        "added": [_other(key, sha256=now[key]) for key in sorted(now.keys() - was.keys())],
        "removed": [_other(key, sha256=was[key]) for key in sorted(was.keys() - now.keys())],
        "changed": [
            _other(key, **{"from": was[key], "to": now[key]}) for key in both if was[key] != now[key]
        ],
    }


def _other(key: tuple[str, str], **more: str) -> Json:
    return {"type": key[0], "name": key[1], **more}
