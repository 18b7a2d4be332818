# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at the pool again and again: until which revision somebody waited, and which leases there were."""

from __future__ import annotations

import threading
import time

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Range
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import Keys
from ansible_collections.distrogate.ci.tests.faults.leases import demands
from ansible_collections.distrogate.ci.tests.faults.leases.history import Log
from ansible_collections.distrogate.ci.tests.tools.lease_client import Client

_PAUSE = 0.1


class Observer(threading.Thread):
    """A context; while it lasts it looks."""

    def __init__(self, url: str, log: Log) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._log = log
        self._over = threading.Event()
        self._places: dict[tuple[str, int], int] = {}
        self._leases: set[str] = set()
        self._client: Client | None = None
        self.looks = 0

    def __enter__(self) -> Observer:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self.join()
        self._tell(set())

    def run(self) -> None:
        while not self._over.wait(_PAUSE):
            try:
                if self._client is None:
                    self._client = Client.open(self._url)
                self._look(self._client)
            except DistrogateError:
                self._client = None  # the store is under attack
                time.sleep(_PAUSE)

    def _look(self, client: Client) -> None:
        """What lives now lived at the revision before, if it is not younger than that."""
        keys = Keys(demands.POOL)
        revision = client.store.revision()
        waiters, leases = client.store.read([Range(keys.waiters), Range(keys.leases)])
        seen = {
            (entry.key.rpartition("/")[2], int(entry.value["came"] or entry.created)) for entry in waiters
        }
        for place in seen:
            self._places[place] = revision
        self._tell(seen)
        for entry in leases:
            if entry.value["kind"] == "run" and entry.value["id"] not in self._leases:
                self._leases.add(entry.value["id"])
                tes = [{key: te[key] for key in ("name", "fence", "labels")} for te in entry.value["tes"]]
                self._log.note(
                    "lease", ask=entry.value["id"], came=entry.value["came"], at=entry.created, tes=tes
                )
        self.looks += 1

    def _tell(self, seen: set[tuple[str, int]]) -> None:
        for place in [place for place in self._places if place not in seen]:
            self._log.note("place", ask=place[0], came=place[1], until=self._places.pop(place))
