# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a repository is made of, whatever its format: packages, scopes, and what a format must know."""

from __future__ import annotations

import copy
import dataclasses
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._gpg import Signs
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import PRIVATE

STATE = f"{PRIVATE}/state.json"
CHUNKS = f"{PRIVATE}/chunks"
SNAPSHOTS = "snapshots"

Json = dict[str, t.Any]


class Package(t.NamedTuple):
    """One published package.

    ``table`` says to which part of the indexes it belongs (``main/amd64``).
    ``lanes`` holds its entries, one for each kind of index, so that its file is
    not read again. ``more`` has the further files of a source package: (path,
    sha256, size).
    """

    name: str
    version: str
    architecture: str
    sha256: str
    size: int
    file: str
    table: str
    lanes: tuple[str, ...]
    more: tuple[tuple[str, str, int], ...] = ()

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Its identity within a scope; the contents under one identity never change."""
        return (self.table, self.name, self.version, self.architecture)

    @property
    def label(self) -> str:
        return f"{self.name}={self.version}/{self.architecture}"

    def files(self) -> list[tuple[str, str, int]]:
        """All its files in the pool: path, sha256, size."""
        return [(self.file, self.sha256, self.size), *self.more]

    def public(self) -> Json:
        """What modules return about it."""
        return {
            "name": self.name,
            "version": self.version,
            "architecture": self.architecture,
            "sha256": self.sha256,
        }


class Ref(t.NamedTuple):
    """A chunk of a table: all packages from the name ``first`` to the next chunk's.

    ``packages`` is their number, ``digest`` names its file, ``identity`` is a digest of its packages' names,
    versions and sha256 alone. ``head`` is the size in bytes of the list of
    packages; ``sizes`` has the sizes of each lane's text and compressed text.
    """

    first: str
    packages: int
    digest: str
    identity: str
    head: int
    sizes: tuple[tuple[int, int], ...]


Table = list[Ref]


@dataclasses.dataclass
class Scope:
    """What is signed as one: a suite of an apt repository, the whole of an rpm repository, a snapshot."""

    tables: dict[str, Table] = dataclasses.field(default_factory=dict)
    shown: dict[str, Table] = dataclasses.field(default_factory=dict)  # with those of layers
    layers: list[dict[str, str]] = dataclasses.field(default_factory=list)
    settings: Json = dataclasses.field(default_factory=dict)
    files: dict[str, str] = dataclasses.field(default_factory=dict)  # metadata by name, with their sha256
    written: dict[str, list[t.Any]] = dataclasses.field(default_factory=dict)  # indexes; see Written.dump
    switch_sha256: str = ""
    moment: int = 0
    valid_until: int = 0
    state_digest: str = ""

    def copy(self) -> Scope:
        """A copy that can be changed (packages and references themselves are frozen)."""
        return dataclasses.replace(
            self,
            tables={name: list(table) for name, table in self.tables.items()},
            shown={name: list(table) for name, table in self.shown.items()},
            layers=copy.deepcopy(self.layers),
            settings=copy.deepcopy(self.settings),
            files=dict(self.files),
            written=dict(self.written),
        )

    def chunks(self) -> set[str]:
        """The digests of all chunks that it refers to."""
        tables = [*self.tables.values(), *self.shown.values()]
        return {ref.digest for table in tables for ref in table}


@dataclasses.dataclass
class State:
    """The contents of state.json."""

    kind: str
    serial: int = 0
    scopes: dict[str, Scope] = dataclasses.field(default_factory=dict)
    retired: dict[str, list[t.Any]] = dataclasses.field(default_factory=dict)  # name: see _retire
    finished: dict[str, Json] = dataclasses.field(default_factory=dict)  # transactions by id
    latest: str = ""


class Index(t.NamedTuple):
    """One index file: ``head``, the lane ``lane`` of the tables one after the other, ``tail``."""

    name: str
    tables: tuple[str, ...]
    lane: int
    head: bytes = b""
    tail: bytes = b""


class Written(t.NamedTuple):
    """An index as it was written: sizes in bytes and sha256 of its text and of each compressed file.

    ``source`` is a digest of what it was made from.
    """

    source: str
    size: int
    sha256: str
    packed: dict[str, tuple[int, str]]  # by suffix: .gz, .xz

    @classmethod
    def parse(cls, raw: t.Sequence[t.Any]) -> Written:
        """From a list of the state file."""
        source, size, sha256, packed = raw
        return cls(source, size, sha256, {suffix: (one[0], one[1]) for suffix, one in packed.items()})


@dataclasses.dataclass(frozen=True)
class Rendered:
    """Metadata beside the indexes. ``addressed`` is named by its digest; ``switch`` makes all visible."""

    addressed: dict[str, bytes]
    named: dict[str, bytes]
    switch: tuple[str, bytes]
    valid_until: int = 0


class Origin(t.NamedTuple):
    """Where a file comes from; ``mark`` tells whether it was touched since it was read."""

    path: str
    mark: str = ""


class Read(t.NamedTuple):
    """A package that was read, and the origins of its files, in their order."""

    package: Package
    origins: tuple[Origin, ...]


class Format(t.Protocol):
    """What apt and rpm repositories do differently."""

    kind: str
    scope: str
    switch: str
    spread: int  # names to a chunk, about

    def for_snapshot(self, name: str) -> Format:
        """The same for the scope of a snapshot."""

    def snapshot_folder(self) -> str:
        """What stands before the paths of packages in a snapshot."""

    def read_all(self, paths: t.Sequence[str], settings: Json) -> t.Iterator[Read]:
        """Read packages by strangers, in that order; ``file`` is where each would like to lie."""

    def at(self, package: Package, folder: str) -> Package:
        """The package with its files in another folder, in its entries too."""

    def fit(self, package: Package, settings: Json, root: str) -> Package:
        """The package with the entries that the settings ask for; its files lie below ``root``."""

    def selects(self, table: str) -> bool:
        """Whether ``state: absent`` looks into this table."""

    def compare(self, left: str, right: str) -> int:
        """Less than 0, 0 or more than 0, as ``left`` is older than ``right``, the same or newer."""

    def settings(self, old: Json) -> Json:
        """The scope's settings: what was asked for, over what was there."""

    def indexes(self, tables: t.Mapping[str, Table], settings: Json) -> list[Index]:
        """All indexes of a scope."""

    def addresses(self, index: Index, suffix: str, sha256: str) -> list[str]:
        """Where a compressed index lies: first by its digest, then, if it has one, by its fixed name."""

    def render(self, written: t.Mapping[str, Written], scope: Scope, moment: int, signer: Signs) -> Rendered:
        """What names the indexes, signed."""

    def verify(self, view: str, scope: Scope, packages: list[tuple[str, str, str]], timeout: float) -> None:
        """Let the real client read the folder ``view`` and fetch packages (name, version, architecture)."""

    def sources(self, scope: Scope, key: str) -> str:
        """What a client needs to use the repository."""
