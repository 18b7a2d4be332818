# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What builds images, and what a builder must be able to do."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

BUILDERS = ("dib", "mmdebstrap")


@dataclasses.dataclass(frozen=True)
class Package:
    """One installed package."""

    name: str
    version: str
    architecture: str


@dataclasses.dataclass
class Built:
    """What a build made, all of it in ``place.out`` and the caller's own.

    ``files`` maps a format (``qcow2``, ``raw``, ``tar``, ``root``) to its file (a folder for ``root``).
    ``kernel`` and ``initrd`` are paths, or empty when the image has none; ``append`` is for the kernel.
    """

    files: dict[str, str]
    packages: list[Package]
    kernel: str = ""
    initrd: str = ""
    append: str = ""


class Builder(t.Protocol):
    """Makes images of one kind."""

    def tools(self) -> dict[str, str]:
        """The programs that decide about the result, and their versions: inputs of the key."""

    def build(self, request: ImageRequest, place: BuildPlace, epoch: int) -> Built:
        """Build in the place; ``epoch`` is SOURCE_DATE_EPOCH."""


def builder_of(name: str) -> Builder:
    """The builder with this name; error ``unknown_builder``."""
    # Imported here, because builders import this file.
    if name == "mmdebstrap":
        from ansible_collections.distrogate.ci.plugins.module_utils._images._build_mmdebstrap import (
            MmdebstrapBuilder,
        )

        return MmdebstrapBuilder()
    if name == "dib":
        from ansible_collections.distrogate.ci.plugins.module_utils._images._build_dib import DibBuilder

        return DibBuilder()
    raise DistrogateError(
        "unknown_builder", f"There is no builder {name}; known are {' and '.join(BUILDERS)}."
    )
