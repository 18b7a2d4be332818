# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of a promotion: one key for each channel, written only by who has its newest revision.

Whoever takes a journal over changes its revision. From then on nothing that the
former owner writes is taken, and it looks before it touches a target again.
"""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import (
    FORMAT,
    Json,
    channel_key,
    journal_key,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_parts import drop_parts
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete, Entry, Put, Store


class Journal:
    """An open journal, in the hands of one who believes to own it."""

    def __init__(self, store: Store, value: Json, revision: int) -> None:
        self.store = store
        self.value = value
        self.revision = revision
        self.channel: str = value["channel"]
        self.key = journal_key(self.channel)

    def write(self, expected: t.Mapping[str, int], operations: t.Sequence[Put | Delete]) -> bool:
        """Write something else, if this is still ours; False when another comparison failed."""
        if self.store.transact({self.key: self.revision, **expected}, operations) is not None:
            return True
        self.fence()
        return False

    def step(
        self,
        changes: Json,
        expected: t.Mapping[str, int] | None = None,
        operations: t.Sequence[Put | Delete] = (),
    ) -> None:
        """Change the journal, and with it whatever ``operations`` say, all or nothing."""
        value = {**self.value, **changes}
        after = self.store.transact(
            {self.key: self.revision, **(expected or {})}, [*operations, Put(self.key, value)]
        )
        if after is None:
            raise self.lost()
        self.value, self.revision = value, after

    def fence(self) -> None:
        """Refuse to go on when somebody took it over."""
        if self.store.transact({self.key: self.revision}, []) is None:
            raise self.lost()

    def close(self) -> None:
        """The promotion is wholly done or wholly undone."""
        if self.store.transact({self.key: self.revision}, [Delete(self.key)]) is not None:
            drop_parts(self.store, self.channel, self.value["transaction"])

    def lost(self) -> DistrogateError:
        """Why this may not go on, and who made it so."""
        entry = self.store.get(self.key)
        if entry is None:
            pointer = self.store.get(channel_key(self.channel))
            now = "points to nothing" if pointer is None else _pointed(pointer)
            why = f"it was taken over and ended by another; the channel {now}"
        elif entry.value["transaction"] == self.value["transaction"]:
            by = entry.value.get("taken_over", {})
            why = f"{by.get('by', 'another')} took it over at {by.get('at')}, because it seemed dead"
        else:
            why = f"{entry.value['by']} is promoting {entry.value['digest']} since {entry.value['at']}"
        return DistrogateError(
            "promotion_lost",
            f"The promotion of {self.value['digest']} to {self.channel} did not go on: {why}."
            " Look at the channel, and run it again if it is still wanted.",
        )


def _pointed(pointer: Entry) -> str:
    return f"points to {pointer.value['digest']} since {pointer.value['at']}, by {pointer.value['by']}"


def found_journal(store: Store, channel: str) -> Journal | None:
    """The promotion that did not end, if there is one; it is not ours before it was taken over."""
    entry = store.get(journal_key(channel))
    if entry is None:
        return None
    if entry.value.get("format") != FORMAT:
        raise DistrogateError(
            "journal_version",
            f"The journal of an open promotion to {channel} was written by another version of this"
            " collection. End it with that version.",
        )
    return Journal(store, entry.value, entry.revision)


def left_open(channel: str, digest: str, error: DistrogateError) -> DistrogateError:
    """Why a promotion could be neither completed nor undone, and what becomes of it."""
    return DistrogateError(
        error.reason,
        f"The promotion of {digest} to {channel} was left as it is: {error.message} When that is repaired,"
        " run it again: what was begun is undone then, or completed if it was decided.",
        **error.details,
    )
