# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what is asked to what will be published: pure decisions, nothing is written."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside, sha256_file
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.plugins.module_utils._packages._assemble import packed_size
from ansible_collections.distrogate.ci.plugins.module_utils._packages._chunks import Chunks
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import (
    Format,
    Json,
    Origin,
    Package,
    Read,
    Scope,
    State,
    Written,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._package_file import mark_of
from ansible_collections.distrogate.ci.plugins.module_utils._packages._tables import find


@dataclasses.dataclass(frozen=True)
class Request:
    """What is there, and how it is to be published; ``layers`` is None to keep those that are there."""

    state: State
    fmt: Format
    root: str
    params: Json
    keys: dict[str, t.Any]
    now: float

    def plan(self) -> Plan:
        """A plan that changes no package."""
        before = self.state.scopes.get(self.fmt.scope)
        after = before.copy() if before else Scope()
        after.settings = {**self.fmt.settings(after.settings), **self.keys}
        chunks = Chunks(self.root, self.fmt.spread)
        for scope in self.state.scopes.values():
            chunks.know([*scope.tables.values(), *scope.shown.values()])
        return Plan(before, after, chunks)


@dataclasses.dataclass
class Plan:
    """A scope as it is and as it will be; ``origins`` says where the pool's new files come from."""

    before: Scope | None
    after: Scope
    chunks: Chunks
    added: list[Package] = dataclasses.field(default_factory=list)
    removed: list[Package] = dataclasses.field(default_factory=list)
    skipped: list[Package] = dataclasses.field(default_factory=list)
    origins: dict[str, Origin] = dataclasses.field(default_factory=dict)
    from_layers: list[Json] = dataclasses.field(default_factory=list)
    snapshot: Scope | None = None
    snapshot_name: str = ""
    snapshots_gone: list[str] = dataclasses.field(default_factory=list)  # names
    snapshots: tuple[list[Json], list[Json]] = ([], [])  # those that are there after it, and that go
    intact: bool = True
    expiring: bool = False

    def describe(self, difference: Difference, fmt: Format) -> None:
        """Put what changes into ``difference``; nothing in it means nothing to publish."""
        before = self.before or Scope()
        difference.add("published", self.before is not None, True)
        difference.add("metadata", "complete" if self.intact else "missing or damaged", "complete")
        difference.add("valid_until", "near" if self.expiring else "", "")
        difference.add("packages", *self._packages())
        difference.add("layers", before.layers, self.after.layers)
        difference.add("settings", before.settings, self.after.settings)
        difference.add("state_digest", before.state_digest, self.after.state_digest)
        difference.add("snapshots", *self._snapshots())
        if not difference.empty:
            difference.add("index_bytes", *self._index_bytes(fmt))

    def _packages(self) -> tuple[list[str], list[str]]:
        """Labels: what goes, and what comes; a new version of a name that had one is in both."""
        gone = sorted(package.label for package in self.removed)
        return gone, sorted(package.label for package in self.added)

    def _snapshots(self) -> tuple[list[str], list[str]]:
        """Names of snapshots that go, and the one that comes."""
        return sorted(self.snapshots_gone), [self.snapshot_name] if self.snapshot is not None else []

    def _index_bytes(self, fmt: Format) -> tuple[dict[str, int], dict[str, int]]:
        before = (self.before or Scope()).written
        old = {name: Written.parse(raw).packed[".gz"][0] for name, raw in before.items()}
        tables = self.after.shown or self.after.tables
        indexes = fmt.indexes(tables, self.after.settings)
        return old, {index.name: packed_size(index, tables) for index in indexes}


class Pool:
    """Names of files in the pool: what lies there never changes, so other contents get another name."""

    def __init__(self, request: Request) -> None:
        self._root = request.root
        self._fmt = request.fmt
        self._taken: dict[str, str] = {}
        self._present: set[str] = set()
        self._folders: dict[str, bool] = {}

    def placed(self, read: Read) -> Package:
        """The package with file names that no other contents have."""
        package = read.package
        if not self._fits_all(package, read.origins):
            package = self._fmt.at(package, f"{os.path.dirname(package.file)}/{package.sha256[:16]}")
            self._fits_all(package, read.origins)
        for name, sha256, _size in package.files():
            self._taken[name] = sha256
        return package

    def _fits_all(self, package: Package, origins: t.Sequence[Origin]) -> bool:
        fitting = [self._fits(*file[:2], origin.mark) for file, origin in zip(package.files(), origins)]
        return all(fitting)

    def _fits(self, name: str, sha256: str, mark: str) -> bool:
        taken = self._taken.get(name)
        if taken is None and (there := self._there(name)):
            # The file that was read lies here itself, or is hashed to know.
            taken = sha256 if there == mark else sha256_file(inside(self._root, name))
            self._present.add(name)
        return taken is None or taken == sha256

    def _there(self, name: str) -> str:
        folder = name.rpartition("/")[0]
        if folder not in self._folders:
            self._folders[folder] = os.path.isdir(inside(self._root, folder))
        if not self._folders[folder]:
            return ""
        try:
            return mark_of(os.lstat(inside(self._root, name)))
        except FileNotFoundError:
            return ""

    def has(self, name: str) -> bool:
        """Whether a file that ``placed`` has named is in the pool already."""
        return name in self._present


def in_use(chunks: Chunks, scopes: t.Iterable[Scope], package: Package) -> set[str]:
    """Which of a package's files these scopes name."""
    mine = {name for name, _sha256, _size in package.files()}
    found: set[str] = set()
    for scope in scopes:
        for one in find(chunks, scope.tables, package.table, package.name):
            found.update(mine & {name for name, _sha256, _size in one.files()})
    return found


def conflict(old: Package, package: Package, path: str) -> DistrogateError:
    """The error for other contents under one identity."""
    return DistrogateError(
        "content_conflict",
        f"{package.label} is published with sha256 {old.sha256}; {path} has {package.sha256}."
        " Contents under one version never change: give it a higher version, or remove the old one.",
        published_sha256=old.sha256,
        offered_sha256=package.sha256,
    )


def downgrade(newer: Package, package: Package, path: str) -> DistrogateError:
    """The error for a version that is lower than the published one."""
    return DistrogateError(
        "downgrade",
        f"{package.label} ({path}) is older than {newer.version}, which is published. Clients would not take"
        " it: give it a higher version, or set allow_downgrade.",
        published_version=newer.version,
    )
