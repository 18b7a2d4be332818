# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One who takes TEs of a pool: its session, and where it is told of its grant.

A client may take one lease after the other; what it keeps between them saves
requests. Whoever takes a lease once makes a client for it.
"""

from __future__ import annotations

import random
import secrets
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Entry,
    Key,
    Range,
    Store,
    Watch,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._classes import (
    check_possible,
    matching,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import EPOCH, Keys, note
from ansible_collections.distrogate.ci.plugins.module_utils._leases._line import Groups
from ansible_collections.distrogate.ci.plugins.module_utils._leases._serve import TERM, Server, epoch_of
from ansible_collections.distrogate.ci.plugins.module_utils._leases._te import grantable

_CHOICE = 8  # So many free TEs are looked at, so that newcomers seldom want the same one.


class Client:
    """A client of ``pool``, which is forgotten ``term`` seconds after its last sign of life."""

    def __init__(self, store: Store, pool: str, term: float = TERM) -> None:
        self.store = store
        self.keys = Keys(pool)
        self.server = Server(store, self.keys)
        self.id = secrets.token_hex(8)
        self.term = term
        self.session = ""
        self.crowded = False  # Whether we had to wait last time: then we do not try without.
        self.fits: dict[str, list[str]] = {}  # The classes that fitted a group's demand when we last looked.
        self._kept = 0.0
        self._watch: Watch | None = None

    def alive(self) -> bool:
        """Give a sign of life if it is time for one; False when we are in a new session."""
        now = time.monotonic()
        if self.session and now - self._kept < self.term / 2:
            return True
        if self.session and self.store.keep(self.session):
            self._kept = now
            return True
        first = not self.session
        self.renew()
        return first

    def renew(self) -> None:
        """Begin a new session."""
        self._kept = time.monotonic()
        self.session = self.store.session(self.term)

    def watch(self) -> Watch:
        """What wakes us when we are granted a lease."""
        if self._watch is None:
            self._watch = self.store.watch(note(self.id))
        return self._watch

    def place(self, lease: dict[str, t.Any], came: int | None = None) -> dict[str, t.Any]:
        """What stands in the line for the lease (``id``, ``owner``, ``secret_sha256``) that we want."""
        return {
            "lease": lease["id"],
            "client": self.id,
            "owner": lease["owner"],
            "secret_sha256": lease["secret_sha256"],
            "since": self.store.now(),
            "aged": 0,
            "came": came,
            "session": self.session,
        }

    def at_once(self, demand: Demand, place: dict[str, t.Any]) -> dict[str, t.Any] | None:
        """The lease, if there is what we ask for and nobody else waits for it; else None."""
        for _attempt in range(3):
            named = [Key(self.keys.te(demand.name))] if demand.name else []
            queries: list[Key | Range] = [self.server.classes.query, Key(self.keys.queue), Key(EPOCH), *named]
            (classes, queue, epochs, *tes), groups = self.server.line.read("", queries)
            classes = self.server.classes.complete(classes)
            te = tes[0][0].value if tes and tes[0] else None
            check_possible(self.keys, classes, demand, te)
            chosen = tes[0] if demand.name else self._free(demand, classes)
            chosen = [entry for entry in chosen if grantable(entry.value) and not _wanted(groups, entry)]
            if len(chosen) < demand.count:
                return None
            expected = {self.keys.queue: queue[0].revision if queue else 0}
            chosen = chosen[: demand.count]
            granted = self.server.grant(place, chosen, epoch_of(epochs), expected, [])
            if granted is not None:
                return granted
        return None

    def _free(self, demand: Demand, classes: list[Entry]) -> list[Entry]:
        fitting = list(matching(self.keys, classes, demand))
        limit = demand.count + _CHOICE
        found = self.store.read([Range(self.keys.free(klass), limit) for klass in fitting]) if fitting else []
        names = [entry.key.rpartition("/")[2] for entries in found for entry in entries]
        # The first ones, but not all newcomers the same: they would be in each other's way.
        names = names[:limit]
        random.shuffle(names)
        return [entries[0] for entries in self.store.read([Key(self.keys.te(n)) for n in names]) if entries]

    def close(self) -> None:
        """End the session, and with it a lease that was not renewed since it was granted."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        if self.session:
            session, self.session = self.session, ""
            self.store.end(session)


def _wanted(groups: Groups, te: Entry) -> bool:
    """Whether there may be somebody in the line who could use it."""
    return any(demand.matches(te.value) for demand in groups.demands.values())
