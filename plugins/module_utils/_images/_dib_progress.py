# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What diskimage-builder is at, for whoever watches a build of some minutes."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_errors import (
    lines_of,
    owner,
    running,
)

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace

_SIZE = 1 << 16  # bytes of the log that are looked at
_LONGEST = 100  # characters of a script's name, which is the log's word


class Progress:
    """Tells of each script that is seen running twice in a row; most of them take no time."""

    def __init__(self, place: BuildPlace, image: str, elements: dict[str, str]) -> None:
        self.place = place
        self.image = image
        self.elements = elements
        self._seen = self._told = ""

    def look(self) -> None:
        """Called every now and then."""
        _begin, phase, script = running(lines_of(self.place.log, _SIZE))
        seen = f"{phase}.d/{script}"[:_LONGEST] if script else ""
        if seen and seen == self._seen and seen != self._told:
            element = owner(phase, script, self.elements)
            self.place.say(f"{self.image}: {seen}{f' of {element}' if element else ''}")
            self._told = seen
        self._seen = seen
