# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tree that one image is made of: a layer that nobody writes to, and above it what this build changes."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._images import _root_scripts

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
    from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace

_TAR = ["tar", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls"]


class Tree:
    """Every program finds the whole tree at ``path``, for as long as it runs.

    ``layer`` is seen read-only below it; without one, the tree begins with what
    ``unpack`` brings. ``changes`` is what differs from the layer, seen from
    outside: of strangers.
    """

    def __init__(self, place: BuildPlace, layer: str = "") -> None:
        self.place = place
        self.layer = layer
        self.path = os.path.join(place.directory, "tree", "root")
        self.changes = os.path.join(place.directory, "tree", "upper")

    def run(
        self,
        script: str,
        name: str,
        *words: str,
        binds: t.Mapping[str, str] | None = None,
        **options: t.Any,
    ) -> _command.Completed:
        """Run one of the programs of ``_root_scripts``; options as for the place's ``run``."""
        seen = {_root_scripts.LAYER: self.layer} if self.layer else {}
        argv = ["sh", "-c", _root_scripts.OPEN + script, name, self.path, *words]
        return self.place.run(argv, binds={**seen, **(binds or {})}, **options)

    def unpack(self, archive: str) -> None:
        """Begin with a root filesystem's archive, without its devices."""
        argv = [*_TAR, "--extract", "--exclude=./dev/*", "--exclude=dev/*", f"--file={archive}", "-C"]
        self.run(
            'tree=$1; shift; exec "$@" "$tree"', "unpack", *argv, binds={archive: archive}, label="unpack"
        )

    def drop(self) -> None:
        """Begin anew."""
        self.place.run(["rm", "-rf", "--one-file-system", os.path.dirname(self.path)], label="begin anew")
