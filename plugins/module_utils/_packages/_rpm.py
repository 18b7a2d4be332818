# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An rpm repository: primary, filelists and other, and repomd.xml that names them (createrepo_c's format)."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._gpg import Signs
from ansible_collections.distrogate.ci.plugins.module_utils._core._versions import compare_rpm
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import (
    SNAPSHOTS,
    Index,
    Json,
    Package,
    Read,
    Rendered,
    Scope,
    Table,
    Written,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._options import line, repository_url
from ansible_collections.distrogate.ci.plugins.module_utils._packages._repomd import Extra, read_extra, repomd
from ansible_collections.distrogate.ci.plugins.module_utils._packages._rpm_read import TABLE, read_rpms

_KINDS = {
    "primary": (
        "metadata",
        ' xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm"',
    ),
    "filelists": ("filelists", ' xmlns="http://linux.duke.edu/metadata/filelists"'),
    "other": ("otherdata", ' xmlns="http://linux.duke.edu/metadata/other"'),
}


class Rpm:
    """One rpm repository."""

    kind = "rpm"
    spread = 64

    def __init__(self, params: Json) -> None:
        self._params = params
        self.scope = ""
        self.base = ""
        self.switch = "repodata/repomd.xml"
        self._new: dict[str, bytes] = {}

    def for_snapshot(self, name: str) -> Rpm:
        """Metadata of its own, below the repository, over the same packages."""
        other = Rpm(self._params)
        other.scope = f"{SNAPSHOTS}/{name}"
        other.base = f"{other.scope}/"
        other.switch = f"{other.base}repodata/repomd.xml"
        return other

    def snapshot_folder(self) -> str:
        """Paths are relative to the folder that repodata is in."""
        return "../../"

    def read_all(
        self,
        paths: t.Sequence[str],
        settings: Json,  # noqa: ARG002 -- nothing to choose
    ) -> t.Iterator[Read]:
        """Read them in a process of their own."""
        return read_rpms(paths)

    def at(self, package: Package, folder: str) -> Package:
        """The package with its file in another folder; the texts in its entries are escaped."""
        file = f"{folder}/{os.path.basename(package.file)}"
        old, new = (f'<location href="{name}"/>' for name in (package.file, file))
        primary, *others = package.lanes
        return package._replace(file=file, lanes=(primary.replace(old, new, 1), *others))

    def fit(self, package: Package, settings: Json, root: str) -> Package:  # noqa: ARG002 -- always the same three
        """Nothing to choose."""
        return package

    def selects(self, table: str) -> bool:
        """There is one table."""
        return table == TABLE

    def compare(self, left: str, right: str) -> int:
        """As rpm does."""
        return compare_rpm(left, right)

    def settings(self, old: Json) -> Json:
        """Options that are not given keep what the repository has."""
        extras = dict(old.get("extras", {}))
        for kind in ("group", "updateinfo"):
            path = self._params.get(kind)
            if path is not None:
                extras.pop(kind, None)
            if path:
                extra, data = read_extra(kind, path)
                extras[kind] = list(extra)
                self._new[extra.name] = data
        keep = self._params.get("keep_versions")
        packed = self._params.get("compression") or old.get("compression", [])
        return {
            "extras": extras,
            "keep_versions": old.get("keep_versions", 0) if keep is None else keep,
            "compression": sorted({"gz", *packed}),
        }

    def indexes(self, tables: t.Mapping[str, Table], settings: Json) -> list[Index]:  # noqa: ARG002 -- always three
        """The three lists."""
        count = sum(ref.packages for ref in tables.get(TABLE, []))
        found = []
        for lane, (kind, (element, spaces)) in enumerate(_KINDS.items()):
            head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{element}{spaces} packages="{count}">\n'
            found.append(Index(kind, (TABLE,), lane, head.encode(), f"</{element}>\n".encode()))
        return found

    def addresses(self, index: Index, suffix: str, sha256: str) -> list[str]:
        """By checksum, as createrepo_c names them."""
        return [f"{self.base}repodata/{sha256}-{index.name}.xml{suffix}"]

    def render(self, written: t.Mapping[str, Written], scope: Scope, moment: int, signer: Signs) -> Rendered:
        """repomd.xml and its signature, and what goes with it unchanged."""
        extras = {kind: Extra(*extra) for kind, extra in scope.settings["extras"].items()}
        data = repomd(written, extras, moment)
        addressed = {f"{self.base}repodata/{name}": text for name, text in self._new.items()}
        return Rendered(addressed, {f"{self.switch}.asc": signer.detached(data)}, (self.switch, data))

    def verify(
        self,
        view: str,
        scope: Scope,  # noqa: ARG002 -- there is one scope
        packages: list[tuple[str, str, str]],
        timeout: float,
    ) -> None:
        """With dnf."""
        from ansible_collections.distrogate.ci.plugins.module_utils._packages._client import (  # used rarely
            verify_rpm,
        )

        scratch = os.path.dirname(view)
        verify_rpm(view, packages, key_path=f"{view}/key.asc", scratch=scratch, timeout=timeout)

    def sources(self, scope: Scope, key: str) -> str:  # noqa: ARG002 -- key.asc has the key
        """A .repo file: packages and metadata are both verified."""
        url = repository_url(self._params)
        label = line(
            "label", self._params.get("label") or os.path.basename(os.path.abspath(self._params["root"]))
        )
        identifier = re.sub(r"[^A-Za-z0-9._-]", "-", label) or "repository"
        place = f"{url}/{self.scope}".rstrip("/")
        return (
            f"[{identifier}]\nname={label}\nbaseurl={place}\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\n"
            f"gpgkey={url}/key.asc\n"
        )
