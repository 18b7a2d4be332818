# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a repository is, whatever its format: packages, scopes, and the state file that remembers them."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    canonical_json,
    digest_json,
    inside,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import PRIVATE
from ansible_collections.distrogate.ci.plugins.module_utils._packages._gpg import Signs

FORMAT = 1
STATE = f"{PRIVATE}/state.json"
KEEP = 5  # generations of replaced files that stay for slow readers
FINISHED = 50  # transactions whose outcome is remembered

Json = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Package:
    """One published package; ``index`` holds its stanza, so that the file is not read again."""

    name: str
    version: str
    architecture: str
    sha256: str
    size: int
    file: str
    group: str
    index: dict[str, str]

    @property
    def key(self) -> str:
        """Its identity within a scope; the contents under one identity never change."""
        return f"{self.group} {self.name} {self.version} {self.architecture}"

    @property
    def label(self) -> str:
        return f"{self.name}={self.version}/{self.architecture}"

    def public(self) -> Json:
        """What modules return about it."""
        return {
            "name": self.name,
            "version": self.version,
            "architecture": self.architecture,
            "sha256": self.sha256,
        }


@dataclasses.dataclass
class Scope:
    """What is signed as one: a suite of an apt repository, the whole of an rpm repository."""

    packages: dict[str, Package] = dataclasses.field(default_factory=dict)
    layers: list[dict[str, str]] = dataclasses.field(default_factory=list)
    settings: Json = dataclasses.field(default_factory=dict)
    files: dict[str, str] = dataclasses.field(default_factory=dict)  # metadata by name, with their sha256
    switch_sha256: str = ""
    moment: int = 0
    state_digest: str = ""

    def copy(self) -> Scope:
        """A copy that can be changed (packages themselves are frozen)."""
        return dataclasses.replace(
            self,
            packages=dict(self.packages),
            layers=copy.deepcopy(self.layers),
            settings=copy.deepcopy(self.settings),
            files=dict(self.files),
        )


@dataclasses.dataclass
class State:
    """The contents of state.json."""

    kind: str
    serial: int = 0
    scopes: dict[str, Scope] = dataclasses.field(default_factory=dict)
    retired: dict[str, list[t.Any]] = dataclasses.field(default_factory=dict)  # name: [serial, sha256]
    finished: dict[str, Json] = dataclasses.field(default_factory=dict)  # transactions by id
    latest: str = ""

    def dump(self) -> bytes:
        """As JSON (without the recursion of ``asdict``, which costs seconds with many packages)."""
        scopes = {
            name: {**vars(scope), "packages": [vars(scope.packages[key]) for key in sorted(scope.packages)]}
            for name, scope in self.scopes.items()
        }
        return canonical_json({**vars(self), "version": FORMAT, "scopes": scopes})


def load_state(path: str, kind: str) -> State | None:
    """Read a state file; None when there is none."""
    try:
        with open(path, "rb") as stream:
            raw = json.load(stream)
        if raw.pop("version") != FORMAT:
            raise DistrogateError(
                "state_version", f"{path} was written by another version of this collection."
            )
        if raw["kind"] != kind:
            raise DistrogateError(
                "wrong_kind", f"{path} belongs to a repository of {raw['kind']} packages, not {kind}."
            )
        scopes = {}
        for name, scope in raw.pop("scopes").items():
            packages = [Package(**package) for package in scope.pop("packages")]
            scopes[name] = Scope(packages={package.key: package for package in packages}, **scope)
        return State(scopes=scopes, **raw)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DistrogateError("bad_state", f"{path} is broken: {error}. Restore it from a backup.") from error


@dataclasses.dataclass(frozen=True)
class Shown:
    """A package as a repository shows it: its own one, or one of a layer (``prefix`` ends in /)."""

    package: Package
    prefix: str = ""

    @property
    def path(self) -> str:
        return self.prefix + self.package.file


def shown_packages(root: str, kind: str, name: str, scope: Scope) -> list[Shown]:
    """A scope's own packages and those of its layers.

    Layers are in the order of the queue, oldest first: a later one hides an
    earlier one's package of the same identity, and an own package hides all.
    """
    found: dict[str, Shown] = {}
    for layer in scope.layers:
        below = load_state(inside(layer["root"], STATE), kind)
        if below is None or name not in below.scopes:
            raise DistrogateError(
                "bad_layer",
                f"The layer {layer['name']} of {root} shows {layer['root']}, where nothing is published"
                f"{' for ' + name if name else ''}. Publish there first, or leave it out of layers.",
            )
        for package in below.scopes[name].packages.values():
            found[package.key] = Shown(package, f"layers/{layer['name']}/")
    for package in scope.packages.values():
        found[package.key] = Shown(package)
    return [found[key] for key in sorted(found)]


def state_digest(shown: t.Iterable[Shown]) -> str:
    """The identity of a repository state: its packages and their digests, not its signed metadata."""
    packages = (one.package for one in shown)
    return digest_json(sorted([p.name, p.version, p.architecture, p.sha256] for p in packages))


@dataclasses.dataclass(frozen=True)
class Rendered:
    """Metadata to write. ``addressed`` files are named by their digest; ``switch`` makes all visible."""

    addressed: dict[str, bytes]
    named: dict[str, bytes]
    switch: tuple[str, bytes]


class Format(t.Protocol):
    """What apt and rpm repositories do differently."""

    kind: str
    scope: str
    group: str
    switch: str

    def read(self, path: str) -> Package:
        """Read a package by a stranger; ``file`` is where it would like to lie."""

    def settings(self, old: Json) -> Json:
        """The scope's settings: what was asked for, over what was there."""

    def render(self, shown: list[Shown], settings: Json, moment: int, signer: Signs) -> Rendered:
        """All metadata for the packages shown."""

    def sources(self, settings: Json, key: str) -> str:
        """What a client needs to use the repository."""


def exists(root: str, name: str) -> bool:
    return os.path.lexists(inside(root, name))
