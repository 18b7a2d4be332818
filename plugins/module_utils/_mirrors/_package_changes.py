# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which packages a new state adds, removes, upgrades and downgrades, repository by repository.

Publishers tell it in notes, one for each publish: what comes and goes again in between cancels out. Where
there are no notes, since the tree was walked, the names of package files have to do.
"""

from __future__ import annotations

import collections
import functools
import itertools
import operator
import posixpath
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import canonical_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._versions import compare_deb, compare_rpm
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._package_names import identity_of

Json = dict[str, t.Any]
Notes = t.Mapping[bytes, t.Optional[t.Sequence[Json]]]  # by the part's prefix; None: it was walked
Change = tuple[bytes, t.Any, t.Any]  # path, entry before, entry after; as in _lists

ADDED, REMOVED, UPGRADED, DOWNGRADED = "added", "removed", "upgraded", "downgraded"


class PackageChanges(t.NamedTuple):
    """Rows for a result: of packages, and of the publishers' own snapshots, which add no package.

    A package's row has ``repository``, ``name``, ``architecture``, ``change``, ``from`` and ``to`` (versions,
    or None); a snapshot's ``repository``, ``name`` and ``change``.
    """

    packages: list[dict[str, str | None]]
    snapshots: list[dict[str, str]]

    def counts(self) -> dict[str, int]:
        """How many packages there are of each kind of change."""
        found = collections.Counter(row["change"] for row in self.packages)
        return {kind: found[kind] for kind in (ADDED, REMOVED, UPGRADED, DOWNGRADED)}


class _Key(t.NamedTuple):
    repository: str
    name: str
    architecture: str
    kind: str  # deb or rpm, whose versions have an order of their own


class _Net:
    """How often each version of each package came, less how often it went."""

    def __init__(self) -> None:
        self._count: dict[_Key, dict[str, int]] = {}

    def add(self, key: _Key, version: str, number: int) -> None:
        versions = self._count.setdefault(key, {})
        versions[version] = versions.get(version, 0) + number

    def rows(self) -> t.Iterator[dict[str, str | None]]:
        for key, versions in sorted(self._count.items()):
            compare = compare_rpm if key.kind == "rpm" else compare_deb
            order = functools.cmp_to_key(compare)
            came = sorted((one for one, number in versions.items() if number > 0), key=order, reverse=True)
            gone = sorted((one for one, number in versions.items() if number < 0), key=order, reverse=True)
            for new, old in itertools.zip_longest(came, gone):
                yield {
                    "repository": key.repository,
                    "name": key.name,
                    "architecture": key.architecture,
                    "change": _kind(new, old, compare),
                    "from": old,
                    "to": new,
                }


def _kind(new: str | None, old: str | None, compare: t.Callable[[str, str], int]) -> str:
    if old is None:
        return ADDED
    if new is None:
        return REMOVED
    # Two spellings of one version (1.0 and 1.00) are no way back.
    return UPGRADED if compare(new, old) >= 0 else DOWNGRADED


def package_changes(notes: Notes, content: t.Iterable[Change]) -> PackageChanges:
    """Fold what publishers told; ``content`` has the changes of all content files, for parts without notes.

    A version that came is paired with one that went, under the same name and architecture: that is an
    upgrade or a downgrade. An old version that stays beside the new one was not replaced: that is added.
    """
    net, snapshots = _Net(), _Snapshots()
    for prefix, told in notes.items():
        for note in _once(told or ()):
            _fold_packages(net, prefix, note.get("packages"))
            snapshots.fold(prefix, note.get("snapshots"))
    _fold_files(net, notes, content)
    return PackageChanges(list(net.rows()), snapshots.rows())


def _once(notes: t.Iterable[Json]) -> t.Iterator[Json]:
    """A killed publish tells all its notes again when it is finished; the serial in them is its own."""
    seen: set[bytes] = set()
    for note in notes:
        numbered = any("serial" in one for one in note.values() if isinstance(one, dict))
        identity = canonical_json(note) if numbered else b""
        if not numbered or identity not in seen:
            yield note
        seen.add(identity)


def _repository(prefix: bytes, scope: str) -> str:
    """``apt/bookworm``, ``rpm``; "." for a source that is itself an rpm or a flat repository."""
    return posixpath.normpath(posixpath.join(_text(prefix), scope))


def _text(path: bytes) -> str:
    text = path.decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _fold_packages(net: _Net, prefix: bytes, told: Json | None) -> None:
    if told is None:
        return
    repository, kind = _repository(prefix, told["scope"]), told.get("kind") or _kind_of(told["scope"])
    for number, identities in ((1, told["added"]), (-1, told["removed"])):
        for name, version, architecture in identities:
            net.add(_Key(repository, name, architecture, kind), version, number)


def _kind_of(scope: str) -> str:
    return "deb" if scope else "rpm"  # an rpm repository is one scope, without a name


class _Snapshots:
    """Snapshots that publishers made and removed; one that came and went is not told."""

    def __init__(self) -> None:
        self._count: dict[tuple[str, str], int] = {}

    def fold(self, prefix: bytes, told: Json | None) -> None:
        if told is None:
            return
        repository = _repository(prefix, told["scope"])
        for number, names in ((1, told["added"]), (-1, told["removed"])):
            for name in names:
                self._count[repository, name] = self._count.get((repository, name), 0) + number

    def rows(self) -> list[dict[str, str]]:
        return [
            {"repository": repository, "name": name, "change": ADDED if number > 0 else REMOVED}
            for (repository, name), number in sorted(self._count.items())
            if number
        ]


def _fold_files(net: _Net, notes: Notes, content: t.Iterable[Change]) -> None:
    """Package files that came and went in parts that were walked; the same one elsewhere is no change."""
    prefixes = sorted(notes, key=len, reverse=True)
    if all(notes[prefix] is not None for prefix in prefixes):
        return
    came: dict[tuple[_Key, str], int] = {}
    for path, before, after in content:
        if (before is None) == (after is None):
            continue
        prefix = next(filter(path.startswith, prefixes), None)
        identity = identity_of(path) if prefix is not None and notes[prefix] is None else None
        if prefix is not None and identity is not None:
            key = _Key(_repository(prefix, ""), identity.name, identity.architecture, identity.kind)
            came[key, identity.version] = came.get((key, identity.version), 0) + (1 if before is None else -1)
    for (key, version), number in sorted(came.items(), key=operator.itemgetter(0)):
        net.add(key, version, number)
