# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only who knows a lease's secret may do with it."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import secrets
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Delete,
    Entry,
    Key,
    Put,
    Store,
    until_written,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._classes import recount
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holds import hold_lease, next_phase
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import EPOCH, Keys
from ansible_collections.distrogate.ci.plugins.module_utils._leases._serve import (
    Server,
    epoch_of,
    found_by,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._succession import Succession, in_order
from ansible_collections.distrogate.ci.plugins.module_utils._leases._te import (
    Operations,
    Te,
    class_of,
    cleaned,
    failed,
    grantable,
    write,
)

Change = t.Callable[[Te, t.Optional[float]], tuple[Te, Operations]]


def new_secret() -> str:
    """128 random bits."""
    return secrets.token_hex(16)


def hashed(secret: str) -> str:
    """What the store keeps of a secret. It is random and long: no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class Holder:
    """Whoever knows the secret of lease ``lease_id`` in ``pool``."""

    _known: dict[str, t.Any] | None = None
    _told: Succession | None = None  # When we were granted the lease, at this revision:
    _revision = 0

    def __init__(
        self, store: Store, pool: str, lease_id: str, secret: str, server: Server | None = None
    ) -> None:
        self.store = store
        self.keys = Keys(pool)
        self.lease_id = lease_id
        self.secret = secret
        self.server = server or Server(store, self.keys)

    @classmethod
    def of(cls, lease: dict[str, t.Any], secret: str, server: Server) -> Holder:
        """Whoever was just granted ``lease``, and need not read what it holds."""
        holder = cls(server.store, lease["pool"], lease["id"], secret, server)
        holder._known = lease
        noted = server.noted
        if noted is not None and noted.value["lease"]["id"] == lease["id"] and noted.value["after"]:
            holder._told = Succession.of(lease["pool"], noted.value["after"])
            holder._revision = noted.revision
        return holder

    def lease(self) -> dict[str, t.Any]:
        """The living lease; error ``lease_lost`` when it ended."""
        self._known = t.cast("dict[str, t.Any]", self._checked(self.store.read([Key(self._key())])[0]).value)
        return self._known

    def renew(self, ttl: float, max_lifetime: float = 0) -> dict[str, t.Any]:
        """Let the lease live for ``ttl`` seconds from now; ``max_lifetime`` counts from its first renewal.

        Error ``lease_lost``; ``lease_too_old`` when its longest life is over.
        """
        life_key = self.keys.life(self.lease_id)
        self._told = self.server.noted = None  # The lease is written anew: what we were told of it is old.

        def attempt() -> dict[str, t.Any] | None:
            found, life = self.store.read([Key(self._key()), Key(life_key)])
            entry = self._checked(found)
            lease = entry.value
            same = "session" in lease and lease["ttl"] == ttl and (life or not lease["limited"])
            if same and self.store.keep(lease["session"]):
                return t.cast("dict[str, t.Any]", lease)
            if lease.get("limited") and not life:
                raise DistrogateError(
                    "lease_too_old",
                    f"Lease {self.lease_id} has lived for its max_lifetime and is not renewed any more."
                    " Take a new one, or raise max_lifetime.",
                )
            session = self.store.session(ttl)
            limited = bool(max_lifetime) or bool(lease.get("limited"))
            lease = {**lease, "session": session, "ttl": ttl, "limited": limited}
            operations: Operations = [Put(entry.key, lease, session=session)]
            if max_lifetime and not life:
                operations.append(Put(life_key, None, ttl=max_lifetime))
            written = self.store.transact({entry.key: entry.revision}, operations)
            return lease if written is not None else None

        return until_written(attempt)

    def release(self) -> dict[str, t.Any]:
        """End the lease. A TE that needs no cleaning goes to the first in the line in the same moment."""
        return self._end(self._next_phase)

    def fail(self, names: t.Iterable[str]) -> dict[str, t.Any]:
        """End the lease because these TEs do not work; after some such failures they are broken."""
        bad = set(names)

        def change(te: Te, seconds: float | None) -> tuple[Te, Operations]:
            return (failed(te), []) if te["name"] in bad else self._next_phase(te, seconds)

        return self._end(change)

    def cleaned(self) -> dict[str, t.Any]:
        """End a lease for cleaning: its TEs are free again."""
        return self._end(_cleaned)

    def hold(self, hold: dict[str, t.Any], quota: int) -> dict[str, t.Any]:
        """End the lease, and hold its TEs; returns the hold."""

        def attempt() -> dict[str, t.Any] | None:
            entry = self._checked(self.store.read([Key(self._key())])[0])
            return hold_lease(self.store, self.keys, entry, hold, quota)

        return until_written(attempt)

    def _next_phase(self, te: Te, seconds: float | None) -> tuple[Te, Operations]:
        return next_phase(self.store, self.keys, te, seconds)

    def _end(self, change: Change) -> dict[str, t.Any]:
        lease = self._known or self.lease()
        if len(lease["tes"]) > 1:
            return until_written(lambda: lease if self._end_set(lease["tes"], change) else None)
        if self._passed_on(change) or self._hand_over(lease["tes"], change, fresh=False):
            return lease
        until_written(lambda: self._hand_over(lease["tes"], change) or None)
        return lease

    def _passed_on(self, change: Change) -> bool:
        """Hand the TE to the one of whom we were told when we were granted it, if that still holds."""
        told = self._told
        if told is None or change != self._next_phase or self._known is None:
            return False
        entry = self._checked([Entry(self._key(), self._known, self._revision, self._revision)])
        te = Entry(self.keys.te(told.te["name"]), told.te, self._revision, 0)
        after, more = self._after(te, entry.value, change)
        if more or not grantable(after):
            return False
        expected, unmade = told.expected(self.keys)
        expected[entry.key] = entry.revision
        next_one, rest = told.waiters[0], dataclasses.replace(told, waiters=told.waiters[1:])
        ends = _ends(self.keys, entry)
        ready = self._ready(te, after)
        given = self.server.grant_waiter(
            next_one, [ready], told.epoch[0], expected, ends, after=rest, unmade=unmade
        )
        return given is not None

    def _ready(self, te: Entry, after: Te) -> Entry:
        """A TE as it will be, with the indexes that it has."""
        return Entry(te.key, {**after, "phase": "leased", "lease": self.lease_id}, te.revision, te.created)

    def _hand_over(self, tes: list[dict[str, t.Any]], change: Change, fresh: bool = True) -> bool:
        """End a lease on one TE, and begin the next one with the same write, if it may.

        What was read may be old: whoever waits there and came first still did, all that is written is
        compared, and if nobody waits there, nobody may have come since.
        """
        klass = class_of(tes[0]["labels"])
        queries = [Key(self._key()), Key(self.keys.te(tes[0]["name"])), Key(EPOCH), Key(self.keys.queue)]
        (own, found, epochs, queue), groups = self.server.line.read(klass, queries, fresh)
        if not fresh and not (own and found):
            return False
        entry, te = self._checked(own), found[0]
        lease = entry.value
        after, more = self._after(te, lease, change)
        expected, operations = self._ending(entry, te.value, after)
        operations += more
        waiting = groups.heads(found_by(after), klass) if grantable(after) else []
        waiter, chosen = self.server.choose(waiting, groups, te) if waiting else (None, [])
        if waiter is not None and chosen == [te]:
            epoch = (epoch_of(epochs), epochs[0].revision if epochs else 0)
            waiters = in_order(groups.firsts(found_by(after)), waiter)
            following = Succession(after, groups.revision, epoch, waiters)
            expected.update(following.expected(self.keys)[0])
            ends = _ends(self.keys, entry)
            given = self.server.grant_waiter(
                waiter, [self._ready(te, after)], epoch[0], expected, ends, after=following
            )
            return given is not None
        # Nobody came since we looked: else look again, so that no newcomer is passed over.
        expected[self.keys.queue] = queue[0].revision if queue else 0
        if self.store.transact({**expected, te.key: te.revision}, operations) is None:
            return False
        if waiting:  # A set may be complete now.
            self.server.serve(te.value["name"], klass)
        return True

    def _end_set(self, tes: list[dict[str, t.Any]], change: Change) -> bool:
        own, *all_found = self.store.read([Key(self._key()), *(Key(self.keys.te(te["name"])) for te in tes)])
        entry = self._checked(own)
        lease = entry.value
        expected: dict[str, int] = {}
        operations: Operations = []
        for found in all_found:
            after, more = self._after(found[0], lease, change)
            compared, written = self._ending(entry, found[0].value, after)
            expected.update({**compared, found[0].key: found[0].revision})
            operations += [*written, *more]
        if self.store.transact(expected, operations) is None:
            return False
        for te in lease["tes"]:
            self.server.serve(te["name"], class_of(te["labels"]))
        return True

    def _after(self, te: Entry, lease: dict[str, t.Any], change: Change) -> tuple[Te, Operations]:
        seconds = self.store.now() - lease["granted"] if lease["kind"] == "run" else None
        return change(te.value, seconds)

    def _ending(self, entry: Entry, te: Te, after: Te) -> tuple[dict[str, int], Operations]:
        expected, operations = {entry.key: entry.revision}, write(self.keys, te, after)
        if after["phase"] == "broken":
            counted, counts = recount(self.store, self.keys, te, after)
            expected.update(counted)
            operations += counts
        return expected, operations + _ends(self.keys, entry)

    def _key(self) -> str:
        return self.keys.lease(self.lease_id)

    def _checked(self, found: list[Entry]) -> Entry:
        known = found[0].value.get("secret_sha256", "") if found else ""
        if not found or not hmac.compare_digest(known, hashed(self.secret)):
            raise DistrogateError(
                "lease_lost",
                f"Lease {self.lease_id} on pool {self.keys.pool} has ended: it expired, was released, or was"
                " never granted. Its TEs may serve others by now: stop using them, and do not trust what was"
                " measured on them since.",
            )
        return found[0]


def _ends(keys: Keys, lease: Entry) -> Operations:
    life: Operations = [Delete(keys.life(lease.value["id"]))] if lease.value.get("limited") else []
    return [Delete(lease.key), *life]


def _cleaned(te: Te, _seconds: float | None) -> tuple[Te, Operations]:
    return cleaned(te), []
