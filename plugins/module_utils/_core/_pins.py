# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pins: records that something is in use and may not be collected as garbage."""

from __future__ import annotations

import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete, Put, Store


def _key(*parts: str) -> str:
    # Things are paths and digests: a slash inside one must not look like another level.
    return "pins/" + "/".join(urllib.parse.quote(part, safe=":@+,=") for part in parts)


class Pins:
    """Pins on things of one kind (``snapshot``, ``image``, ``run``, …)."""

    def __init__(self, store: Store, kind: str) -> None:
        self.store = store
        self.kind = kind

    def adding(self, thing: str, holder: str, facts: t.Any = None, ttl: float | None = None) -> Put:
        """What a transaction writes to pin ``thing`` for ``holder``."""
        value = {"thing": thing, "holder": holder, "facts": facts}
        return Put(_key(self.kind, thing, holder), value, ttl)

    def removing(self, thing: str, holder: str) -> Delete:
        """What a transaction deletes to take one holder's pin away."""
        return Delete(_key(self.kind, thing, holder))

    def add(self, thing: str, holder: str, facts: t.Any = None, ttl: float | None = None) -> None:
        """Pin ``thing`` for ``holder``; again renews it. With ``ttl`` it ends by itself."""
        self.store.transact({}, [self.adding(thing, holder, facts, ttl)])

    def remove(self, thing: str, holder: str) -> bool:
        """Take one holder's pin away; False when there was none."""
        pin = self.removing(thing, holder)
        existed = self.store.get(pin.key) is not None
        self.store.transact({}, [pin])
        return existed

    def holders(self, thing: str) -> list[str]:
        """Who holds ``thing``; empty when it may be collected."""
        return [entry.value["holder"] for entry in self.store.list(_key(self.kind, thing) + "/")]

    def things(self) -> dict[str, list[str]]:
        """Every pinned thing of this kind, with its holders, of one revision."""
        found: dict[str, list[str]] = {}
        for entry in self.store.list(_key(self.kind) + "/"):
            found.setdefault(entry.value["thing"], []).append(entry.value["holder"])
        return found
