# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A range of the store whose values are read once: later only their keys are, and what changed."""

from __future__ import annotations

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Entry, Key, Range, Store

_MOST = 20_000  # Entries that are remembered; beyond that all is forgotten, and read again.


class Remembered:
    """The entries below ``prefix``. With ``constant`` the value at a key never changes."""

    def __init__(self, store: Store, prefix: str, constant: bool = False) -> None:
        self._store = store
        self._constant = constant
        self._entries: dict[str, Entry] = {}
        self.query = Range(prefix, bare=True)

    def complete(self, bare: list[Entry]) -> list[Entry]:
        """What ``query`` answered, with the values. What was removed since is left out."""
        unknown = [entry.key for entry in bare if not self._knows(entry)]
        if unknown:
            if len(self._entries) > _MOST:
                self._entries.clear()
                unknown = [entry.key for entry in bare]
            for found in self._store.read([Key(key) for key in unknown]):
                self._entries.update({entry.key: entry for entry in found})
        return [
            Entry(entry.key, self._entries[entry.key].value, entry.revision, entry.created)
            for entry in bare
            if entry.key in self._entries
        ]

    def _knows(self, entry: Entry) -> bool:
        known = self._entries.get(entry.key)
        return known is not None and (self._constant or known.revision >= entry.revision)
