# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may enter a repository that takes nothing but packages of sealed bundles."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import parse_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._seal import bundle_digest
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Json, Package


class Admission:
    """The packages that a bundle names; every package where no bundle is asked for."""

    def __init__(self, params: Json, required: bool) -> None:
        self._root = params["root"]
        self._required = required
        self._digest, self._admitted = _read(params["bundle"]) if params["bundle"] else ("", set())

    def check(self, package: Package, path: str) -> None:
        """Refuse a package that no bundle names, or that is not the one that it names."""
        if not self._digest:
            if self._required:
                raise DistrogateError(
                    "bundle_required",
                    f"{self._root} takes packages of sealed bundles only. Promote {package.label}, or give"
                    " its bundle.json in the option bundle.",
                    path=path,
                )
            return
        for name, sha256, _size in package.files():
            if sha256 not in self._admitted:
                raise DistrogateError(
                    "not_in_bundle",
                    f"{path} ({name.rpartition('/')[2]}, sha256 {sha256}) is not in the bundle"
                    f" {self._digest}: it was not tested with it. Publish what the bundle names.",
                    path=path,
                    sha256=sha256,
                )


def _read(text: str) -> tuple[str, set[str]]:
    bundle = parse_json(text, "bundle")
    try:
        digest = bundle_digest(bundle)
        stated: t.Any = bundle["digest"]
        admitted = {str(artifact["sha256"]) for artifact in bundle["artifacts"]}
    except (KeyError, TypeError, AttributeError) as error:
        raise DistrogateError("bad_bundle", f"The bundle does not have the form of one: {error!r}") from error
    if stated != digest:
        raise DistrogateError(
            "bad_bundle", f"The bundle says that its digest is {stated}, but its contents have {digest}."
        )
    return digest, admitted
