# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Standing in the line until it is our turn."""

from __future__ import annotations

import math
import random
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Delete,
    Entry,
    Key,
    Put,
    Range,
    Watch,
    until_written,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._classes import (
    check_possible,
    matching,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._cleaning import Cleaner, Cleanup
from ansible_collections.distrogate.ci.plugins.module_utils._leases._client import Client
from ansible_collections.distrogate.ci.plugins.module_utils._leases._demand import Demand
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import note
from ansible_collections.distrogate.ci.plugins.module_utils._leases._line import AGEING_SECONDS
from ansible_collections.distrogate.ci.plugins.module_utils._leases._reaper import Reaper
from ansible_collections.distrogate.ci.plugins.module_utils._leases._te import class_of
from ansible_collections.distrogate.ci.plugins.module_utils._leases._telling import timed_out

_PROGRESS_SECONDS = 10.0
# Seconds between two looks, which are needed only where others died in the midst of something: at first, and
# later for the first of a group, and for those behind it.
_FIRST_LOOK, _NEAR_LOOK, _FAR_LOOK = 0.5, 4.0, 30.0
_HELPED = 4  # So many free TEs are handed on in one look, to whom they belong.

Lease = dict[str, t.Any]
Answers = list[list[Entry]]
Tell = t.Callable[["Wait"], None]


class Wait:
    """One wait in the line of a pool."""

    def __init__(self, client: Client, demand: Demand, place: dict[str, t.Any], timeout: float) -> None:
        self.client = client
        self.store = client.store
        self.keys = client.keys
        self.demand = demand
        self.place = place
        self.timeout = timeout
        self.began = time.monotonic()
        self.lost_place = 0
        self.first = True  # Of those who ask for the same, when we last looked.
        self._pause = _FIRST_LOOK
        self._next_look = 0.0
        self.group = demand.group(place["came"])
        self.key = self.keys.waiter(self.group, place["lease"])
        self._wanted = place["lease"]

    def run(self, tell: Tell | None = None, cleaner: Cleaner | None = None) -> Lease:
        """Wait for the lease; error ``lease_timeout``. While we wait ``cleaner`` cleans what is dirty."""
        cleanup = Cleanup(self.client, cleaner)
        reaper = Reaper(self.client.server, self.client.id)
        try:
            granted = self._wait(cleanup, reaper, tell)
        finally:
            cleanup.stop()
            reaper.leave()
        if granted is None:
            raise timed_out(self)
        return granted

    def _wait(self, cleanup: Cleanup, reaper: Reaper, tell: Tell | None) -> Lease | None:
        spoken = float("-inf")
        watch = self.client.watch()
        answers: Answers | None = self.enqueue()
        while True:
            left = self.began + self.timeout - time.monotonic()
            granted = self._turn(cleanup, reaper, left, answers)
            answers = None
            if granted is not None or left <= 0:
                return granted
            if tell is not None and time.monotonic() - spoken >= _PROGRESS_SECONDS:
                spoken = time.monotonic()
                tell(self)
            until_look = max(0.0, self._next_look - time.monotonic())
            if granted := self._woken(watch, cleanup.pause(min(left, until_look, self.client.term / 4))):
                return granted

    def _turn(self, cleanup: Cleanup, reaper: Reaper, left: float, answers: Answers | None) -> Lease | None:
        """Do what is to be done, or leave when the time is over.

        A store that does not answer for a while ends no wait: it may come back in time.
        """
        try:
            alive = self.client.alive()
            reaper.turn(self.client.session)
            if left > 0 and alive and not cleanup.busy and time.monotonic() < self._next_look:
                return None
            granted = self.look(cleanup, answers)
            self._pause = min(self._pause * 1.5, _NEAR_LOOK if self.first else _FAR_LOOK)
            self._next_look = time.monotonic() + random.uniform(self._pause / 2, self._pause)
            return self.leave() if granted is None and left <= 0 else granted
        except DistrogateError as error:
            if error.reason != "store_unavailable" or left <= 0:
                raise
            self._next_look = time.monotonic() + _FIRST_LOOK
            return None

    def _woken(self, watch: Watch, seconds: float) -> Lease | None:
        """Sleep until we are granted the lease, at most so long. What woke us may be an older grant."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                woken = watch.wait(left)
            except DistrogateError:
                time.sleep(max(0.0, until - time.monotonic()))
                return None
            if woken and (granted := self.granted(watch.entry())):
                return granted
        return None

    def enqueue(self) -> Answers:
        """Take a place. Who came before is seen by all who come after: the store orders the writes.

        Returns what there is to see from there.
        """
        answers = self._placed()
        if answers is not None:
            return answers
        self.client.renew()  # Our session ended: this process stood still.
        return until_written(self._placed)

    def _placed(self) -> Answers | None:
        self.place["session"] = self.client.session
        operations = [
            Put(self.key, self.place, session=self.client.session),
            Put(self.keys.group(self.group), self.demand.value()),
            Put(self.keys.queue, None),
        ]
        return self.store.transact_and_read({}, operations, self._queries())

    def _queries(self) -> list[Key | Range]:
        """What one who looks wants to know."""
        classes = [] if self.demand.name else self.client.fits.get(self.group, [])
        queries: list[Key | Range] = [Key(self.key)]
        queries.append(self.client.server.classes.query)
        if self.demand.name:
            queries.append(Key(self.keys.te(self.demand.name)))
        for index in (self.keys.free, self.keys.dirty):
            queries += [Range(index(klass), _HELPED) for klass in classes]
        return queries

    def look(self, cleanup: Cleanup, answers: Answers | None = None) -> Lease | None:
        """See whether there is anything for us, or to be done for those before us."""
        fits = self.client.fits.get(self.group, [])
        if answers is None:
            # Finding the first of a long line is work: only for those who look again, who do it seldom.
            head = Range(self.keys.waiter(self.group), 1, oldest=True, bare=True)
            *answers, heads = self.store.read([*self._queries(), head])
            self.first = not heads or heads[0].key == self.key
        own, bare, *more = answers
        classes = self.client.server.classes.complete(bare)
        te = more.pop(0) if self.demand.name else []
        check_possible(self.keys, classes, self.demand, te[0].value if te else None)
        if not own:
            return self._gone()
        self._age(own[0])
        fitting = list(matching(self.keys, classes, self.demand))
        if set(fitting) != set(fits) and not self.demand.name:
            self.client.fits[self.group] = fitting
            return self.look(cleanup)
        free, unclean = _indexed(fits, more[: len(fits)]), _indexed(fits, more[len(fits) :])
        if te:
            free = [self._pair(te[0])] if te[0].value["phase"] == "free" else []
            unclean = [self._pair(te[0])] if te[0].value["phase"] == "dirty" else []
        for name, klass in free[:_HELPED]:
            if self.client.server.serve(name, klass) and (granted := self.granted(self._note())):
                return granted
        cleanup.turn([name for name, _klass in unclean])
        return None

    def _pair(self, te: Entry) -> tuple[str, str]:
        return te.value["name"], class_of(te.value["labels"])

    def _gone(self) -> Lease | None:
        """Our place is not there any more: we were granted the lease, or were taken for dead."""
        granted = self.granted(self._note())
        if granted is None:
            self.lost_place += 1
            # We may have been granted TEs, and lost them: those must not seem to be under the next lease.
            self.place["lease"] = f"{self._wanted}.{self.lost_place}"
            self.key = self.keys.waiter(self.group, self.place["lease"])
            self.client.renew()
            self.enqueue()
        return granted

    def _age(self, own: Entry) -> None:
        """Note that we waited so long that it counts."""
        aged = math.floor((time.monotonic() - self.began) / AGEING_SECONDS)
        if aged > own.value["aged"]:
            self.place["aged"] = aged
            put = Put(self.key, {**own.value, "aged": aged}, session=self.place["session"])
            self.store.transact({self.key: own.revision}, [put])

    def leave(self) -> Lease | None:
        """Give the place up; returns the lease if we were granted it in this very moment."""

        def attempt() -> bool | None:
            entry = self.store.get(self.key)
            if entry is None:
                return True
            gone = self.store.transact({self.key: entry.revision}, [Delete(self.key)])
            return None if gone is None else False

        return self.granted(self._note()) if until_written(attempt) else None

    def _note(self) -> Entry | None:
        return self.store.get(note(self.client.id))

    def granted(self, entry: Entry | None) -> Lease | None:
        if entry is None or entry.value["lease"]["id"] != self.place["lease"]:
            return None
        self.client.server.noted = entry
        return t.cast("Lease", entry.value["lease"])


def _indexed(classes: list[str], found: list[list[Entry]]) -> list[tuple[str, str]]:
    """The names and classes of what an index names, in any order: others look at the same moment."""
    pairs = [
        (entry.key.rpartition("/")[2], klass) for klass, entries in zip(classes, found) for entry in entries
    ]
    random.shuffle(pairs)
    return pairs
