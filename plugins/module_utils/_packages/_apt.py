# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An apt repository: where packages lie, which indexes there are (wiki.debian.org/DebianRepository)."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._gpg import Signs
from ansible_collections.distrogate.ci.plugins.module_utils._core._versions import compare_deb
from ansible_collections.distrogate.ci.plugins.module_utils._packages._apt_indexes import (
    INSTALLER,
    architectures_of,
    flat_indexes,
    has_installer,
    has_sources,
    suite_indexes,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._apt_release import release_file
from ansible_collections.distrogate.ci.plugins.module_utils._packages._deb import Control, read_deb
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import (
    SNAPSHOTS,
    Index,
    Json,
    Origin,
    Package,
    Read,
    Rendered,
    Scope,
    Table,
    Written,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._options import (
    line,
    repository_url,
    word,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._package_file import PackageFile

_ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_LINES = ("origin", "label")
_KEPT = ("contents", "valid_for", "keep_versions")


class Apt:
    """One suite; ``component`` is the one that packages go to. A suite that ends in "/" is flat."""

    kind = "deb"
    spread = 128

    def __init__(self, params: Json) -> None:
        suite = str(params["suite"])
        self.flat = suite.endswith("/")
        self.scope = suite if suite == "./" else word("suite", suite.rstrip("/"), slashes=True)
        self.scope += "/" if self.flat and suite != "./" else ""
        if SNAPSHOTS in self.scope.split("/"):
            raise DistrogateError(
                "immutable", f"The suite {suite} is a snapshot, which never changes. Name the suite itself."
            )
        self.component = word("component", params["component"])
        self.base = _base(self.scope)
        self.switch = f"{self.base}InRelease"
        self._params = params
        for architecture in params.get("architectures") or []:
            if not _ARCHITECTURE.fullmatch(architecture) or architecture in ("all", "source"):
                raise DistrogateError(
                    "bad_name", f"{architecture!r} in architectures is not a machine architecture."
                )

    def for_snapshot(self, name: str) -> Apt:
        """The suite under which a snapshot is found: its pool is the same, its name is its own."""
        other = object.__new__(type(self))
        other.__dict__.update(vars(self))
        other.scope = f"{self.scope}{'' if self.flat else '/'}{SNAPSHOTS}/{name}{'/' if self.flat else ''}"
        other.scope = other.scope[2:] if other.scope.startswith("./") else other.scope
        other.base = _base(other.scope)
        other.switch = f"{other.base}InRelease"
        return other

    def snapshot_folder(self) -> str:
        """What stands before the paths of packages in a snapshot: nothing, they are relative to the root."""
        return ""

    def read_all(self, paths: t.Sequence[str], settings: Json) -> t.Iterator[Read]:
        """Read them one by one: the reader is ours, and bounds what it takes."""
        return (self._read(path, settings) for path in paths)

    def _read(self, path: str, settings: Json) -> Read:
        """Read a .deb, .udeb, .ddeb or .dsc; it lies as in Debian, but in no folder of its source."""
        if path.endswith(".dsc"):
            return self._read_source(path)
        with PackageFile(path) as file:
            control, sha256, size, mark = read_deb(file), file.sha256(), file.size, file.mark
        name = f"{control.name}_{_file_version(control.version)}_{control.architecture}.{control.kind}"
        place = f"{self._pool(control.source)}/{name}"
        lanes = [f"{control.text}\nFilename: {place}\nSize: {size}\nSHA256: {sha256}\n\n"]
        if settings["contents"]:
            lanes.append(_contents(path, control))
        identity = (control.name, control.version, control.architecture)
        package = Package(*identity, sha256, size, place, self._table(control), tuple(lanes))
        return Read(package, (Origin(path, mark),))

    def _read_source(self, path: str) -> Read:
        from ansible_collections.distrogate.ci.plugins.module_utils._packages._dsc import (  # used rarely
            read_dsc,
        )

        source = read_dsc(path)
        folder = self._pool(source.name)
        files = sorted(source.files, key=lambda one: not one[0].endswith(".dsc"))
        (name, sha256, size, _path), *others = files
        package = Package(
            source.name,
            source.version,
            "source",
            sha256,
            size,
            f"{folder}/{name}",
            f"{self.component}/source",
            (source.stanza(folder) + "\n\n",),
            tuple((f"{folder}/{one[0]}", one[1], one[2]) for one in others),
        )
        return Read(package, tuple(Origin(one[3]) for one in files))

    def _pool(self, source: str) -> str:
        """Without a folder for each source: file systems take their time to make those."""
        return f"pool/{self.component}/{source[:4] if source.startswith('lib') else source[0]}"

    def _table(self, control: Control) -> str:
        middle = f"{INSTALLER}/" if control.kind == "udeb" else ""
        return f"{self.component}/{middle}{control.architecture}"

    def at(self, package: Package, folder: str) -> Package:
        """The package with its files in another folder, in its entries too."""
        moved = {name: f"{folder}/{os.path.basename(name)}" for name, _sha256, _size in package.files()}
        entry = package.lanes[0]
        if package.architecture == "source":
            old = os.path.dirname(package.file)
            entry = entry.replace(f"\nDirectory: {old}\n", f"\nDirectory: {folder}\n", 1)
        else:
            head, _field, rest = entry.rpartition("\nFilename: ")  # the last one is ours
            entry = f"{head}\nFilename: {moved[package.file]}\n{rest.partition(chr(10))[2]}"
        more = tuple((moved[name], sha256, size) for name, sha256, size in package.more)
        return package._replace(file=moved[package.file], lanes=(entry, *package.lanes[1:]), more=more)

    def fit(self, package: Package, settings: Json, root: str) -> Package:
        """Add the lines for Contents from the package's file in the pool, or leave them out."""
        if package.architecture == "source" or len(package.lanes) == 1 + bool(settings["contents"]):
            return package
        if not settings["contents"]:
            return package._replace(lanes=package.lanes[:1])
        path = f"{root}/{package.file}"
        with PackageFile(path) as file:
            return package._replace(lanes=(package.lanes[0], _contents(path, read_deb(file))))

    def selects(self, table: str) -> bool:
        """Whether ``state: absent`` looks into this table."""
        return table.split("/", maxsplit=1)[0] == self.component

    def compare(self, left: str, right: str) -> int:
        """As dpkg does (Debian policy 5.6.12)."""
        return compare_deb(left, right)

    def settings(self, old: Json) -> Json:
        """Options that are not given keep what the suite has."""
        given = self._params
        kept = {name: line(name, given.get(name) or old.get(name, "")) for name in _LINES}
        for name in _KEPT:
            kept[name] = given[name] if given.get(name) is not None else old.get(name, 0)
        return {
            **kept,
            "contents": bool(kept["contents"]),
            "architectures": sorted(set(given.get("architectures") or old.get("architectures", ["amd64"]))),
            "components": sorted({*old.get("components", []), self.component}),
            "compression": sorted({"gz", *(given.get("compression") or old.get("compression", []))}),
        }

    def indexes(self, tables: t.Mapping[str, Table], settings: Json) -> list[Index]:
        """Packages of each component and architecture, Sources and Contents where there are any."""
        return flat_indexes(tables, settings) if self.flat else suite_indexes(tables, settings)

    def addresses(self, index: Index, suffix: str, sha256: str) -> list[str]:
        """By hash, and by name."""
        folder = f"{self.base}{os.path.dirname(index.name)}".rstrip("/")
        return [f"{folder}/by-hash/SHA256/{sha256}".lstrip("/"), f"{self.base}{index.name}{suffix}"]

    def render(self, written: t.Mapping[str, Written], scope: Scope, moment: int, signer: Signs) -> Rendered:
        """Release, Release.gpg and InRelease."""
        settings = scope.settings
        until = moment + settings["valid_for"] if settings["valid_for"] else 0
        names = {
            "architectures": architectures_of(scope.shown or scope.tables, settings),
            "components": [] if self.flat else sorted({name.split("/")[0] for name in written}),
        }
        suite = self.scope.strip("./") if self.flat else self.scope  # as apt expects it to be called
        release = release_file(suite, {**settings, **names}, moment, until, written)
        return Rendered(
            addressed={},
            named={f"{self.base}Release": release, f"{self.base}Release.gpg": signer.detached(release)},
            switch=(self.switch, signer.clear(release)),
            valid_until=until,
        )

    def verify(self, view: str, scope: Scope, packages: list[tuple[str, str, str]], timeout: float) -> None:
        """With apt-get."""
        from ansible_collections.distrogate.ci.plugins.module_utils._packages._client import (  # used rarely
            verify_apt,
        )

        components = [] if self.flat else list(scope.settings["components"])
        components += [f"{one}/{INSTALLER}" for one in components if has_installer(one, scope.tables)]
        with open(f"{view}/key.asc", encoding="ascii") as stream:
            key = stream.read()
        scratch = os.path.dirname(view)
        verify_apt(
            view, self.scope, components, packages, keyring_armor=key, scratch=scratch, timeout=timeout
        )

    def sources(self, scope: Scope, key: str) -> str:
        """A deb822 source with the key in it: one file is all that a client needs."""
        settings = scope.settings or self.settings({})
        types = "deb deb-src" if has_sources(scope.shown or scope.tables) else "deb"
        armor = "\n".join(" " + (text or ".") for text in key.strip().split("\n"))
        components = "" if self.flat else f"Components: {' '.join(settings['components'])}\n"
        return (
            f"Types: {types}\nURIs: {repository_url(self._params)}\nSuites: {self.scope}\n{components}"
            f"Signed-By:\n{armor}\n"
        )


def _contents(path: str, control: Control) -> str:
    from ansible_collections.distrogate.ci.plugins.module_utils._packages._contents import (  # used rarely
        contents_lines,
        contents_of,
    )

    listed = f"{control.section}/{control.name}" if control.section else control.name
    return contents_lines(contents_of(path), listed)


def _base(suite: str) -> str:
    if suite == "./":
        return ""
    return suite if suite.endswith("/") else f"dists/{suite}/"


def _file_version(version: str) -> str:
    return version.partition(":")[2] or version
