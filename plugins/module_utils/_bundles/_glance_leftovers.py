# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs that were killed left in Glance, and what nothing keeps any more."""

from __future__ import annotations

import calendar
import secrets
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_api import Glance
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_images import (
    INCOMING,
    RETIRED,
    STATE,
    WRITER,
    identity_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside, write_atomic
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import PRIVATE

Json = dict[str, t.Any]
ABANDONED = 86400  # seconds after which what another host began to bring is removed


class Leftovers:
    """Those of one name. ``root`` is the folder whose runs bring images, one after the other."""

    def __init__(self, glance: Glance, root: str, oldest: float) -> None:
        self._glance, self._root, self._oldest = glance, root, oldest

    def writer(self) -> str:
        """A word for this folder, so that what another host's run is bringing just now is left alone."""
        path = inside(self._root, f"{PRIVATE}/writer")
        try:
            with open(path, encoding="ascii") as stream:
                return stream.read(64)
        except FileNotFoundError:
            word = secrets.token_hex(16)
            write_atomic(path, word)
            return word

    def unpublished(self, images: t.Iterable[Json], kept: str | None) -> list[Json]:
        """What was brought, or half of it, and was not published; ``kept`` is in a transaction that waits."""
        found = [one for one in images if one.get(STATE) == INCOMING and one["id"] != kept]
        own = self.writer() if found else ""
        return [one for one in found if one.get(WRITER) == own or self._is_old(one)]

    def remove(self, images: t.Iterable[Json], kept: str | None, spared: str) -> list[str]:
        """Remove them, and what is retired. Returns what stays: Glance says that somebody uses it."""
        images = list(images)
        retired = [one for one in images if one.get(STATE) == RETIRED]
        unpublished = [one for one in self.unpublished(images, kept) if identity_of(one) != spared]
        return [str(one["id"]) for one in (*unpublished, *retired) if not self._glance.remove(str(one["id"]))]

    def _is_old(self, image: Json) -> bool:
        try:
            touched = calendar.timegm(time.strptime(str(image.get("updated_at")), "%Y-%m-%dT%H:%M:%SZ"))
        except ValueError:
            return False
        return touched < self._oldest
