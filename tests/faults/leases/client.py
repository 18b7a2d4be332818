# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of a siege: it asks for TEs, tells their guards, uses, renews and releases them."""

from __future__ import annotations

import dataclasses
import faulthandler
import pathlib
import random
import secrets
import signal
import time
import traceback
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.tests.faults.leases import demands
from ansible_collections.distrogate.ci.tests.faults.leases.bad_stores import DeadlyStore, HeedlessStore
from ansible_collections.distrogate.ci.tests.faults.leases.guard import Guard
from ansible_collections.distrogate.ci.tests.faults.leases.history import Log, clock
from ansible_collections.distrogate.ci.tests.faults.leases.wall import Wall
from ansible_collections.distrogate.ci.tests.tools.lease_client import Client, Job, Lease

TTL = 4.0
TERM = 3.0
_TROUBLE = ("store_unavailable", "store_contended")
_PATIENCE = 20  # How often a release is tried while the store is in trouble.


@dataclasses.dataclass(frozen=True)
class Orders:
    """What a client is started with."""

    url: str
    folder: pathlib.Path
    who: str
    seed: int
    heedless: bool = False
    deadly: float = 0.0  # The chance that a transaction kills its process.
    timeout: float = 20.0

    @property
    def logs(self) -> pathlib.Path:
        return self.folder / "logs"


class Besieged:
    """One client."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.dice = random.Random(orders.seed)
        self.log = Log(orders.logs / f"{orders.who}.jsonl", orders.who)
        self.guard = Guard(orders.folder / "guards", orders.logs)
        self.over = False
        self.client: Client | None = None

    def run(self) -> None:
        """Until SIGTERM."""
        signal.signal(signal.SIGTERM, self._stop)
        Wall(self.dice, lambda step: self.log.note("wall", step=step)).install()
        while not self.over:
            try:
                if self.client is None:
                    self.client = self._open()
                self._turn(self.client)
            except DistrogateError as error:
                if error.reason not in _TROUBLE:
                    raise
                self.log.note("troubled", reason=error.reason)
                self._forget()
            time.sleep(self.dice.uniform(0, 0.3))
        self._forget()
        self.log.note("stopped_work")

    def _stop(self, _number: int, _frame: object) -> None:
        self.over = True

    def _open(self) -> Client:
        store = open_store(self.orders.url)
        if self.orders.heedless:
            store = HeedlessStore(store)
        if self.orders.deadly:
            store = DeadlyStore(store, self.dice, self.orders.deadly)
        return Client(store, TERM)

    def _forget(self) -> None:
        client, self.client = self.client, None
        if client is not None:
            try:
                client.close()
            except DistrogateError:
                self.log.note("troubled", reason="close")

    def _turn(self, client: Client) -> None:
        lease = self._ask(client)
        if lease is None:
            return
        tes = [(te["name"], te["fence"]) for te in lease["tes"]]
        if self._renew(client, lease) and all(self._raise(lease, *te) for te in tes):
            self._use(client, lease, tes)
        self._release(client, lease, tes)

    def _ask(self, client: Client) -> Lease | None:
        ask, wanted = secrets.token_hex(8), demands.demand(self.dice)
        timeout = self.dice.uniform(0.2, 1) * self.orders.timeout
        self.log.note("asking", ask=ask, timeout=timeout, **wanted)
        wanted.pop("wish")
        try:
            lease = client.acquire(
                demands.POOL, timeout=timeout, lease_id=ask, cleaner=self._cleaner, **wanted
            )
        except DistrogateError as error:
            self.log.note("refused", ask=ask, reason=error.reason, msg=str(error)[:300])
            if error.reason in _TROUBLE:
                self._forget()
            return None
        tes = [{key: te[key] for key in ("name", "fence", "labels")} for te in lease["tes"]]
        came, got = lease["came"], clock()
        self.log.note("granted", t=got, ask=ask, came=came, at=self._granted_at(client, lease), tes=tes)
        return lease

    def _granted_at(self, client: Client, lease: Lease) -> int:
        try:
            return client.granted_at(lease)
        except DistrogateError:
            return 0

    def _raise(self, lease: Lease, te: str, fence: int) -> bool:
        return not self.guard.raise_fence(te, fence, TTL, lease["id"])

    def _renew(self, client: Client, lease: Lease) -> bool:
        asked = clock()
        try:
            client.renew(lease, TTL)
        except DistrogateError as error:
            if error.reason in _TROUBLE:
                self.log.note("renew_failed", ask=lease["id"], reason=error.reason)
                return True  # it may live still: the guard knows
            self.log.note("lost", ask=lease["id"], asked=asked, reason=error.reason)
            return False
        self.log.note("renewed", ask=lease["id"], asked=asked, ttl=TTL)
        return True

    def _use(self, client: Client, lease: Lease, tes: list[tuple[str, int]]) -> None:
        for _step in range(self.dice.choice([1, 2, 2, 3, 12])):
            time.sleep(self.dice.uniform(0, 0.4))
            if any(self.guard.use(te, fence, lease["id"]) for te, fence in tes):
                return
            if self.dice.random() < 0.5:
                if not self._renew(client, lease):
                    return
                for te, fence in tes:
                    self.guard.renew(te, fence, TTL, lease["id"])

    def _release(self, client: Client, lease: Lease, tes: list[tuple[str, int]]) -> None:
        if self.dice.random() < 0.8:  # else the guard learns it from the next grant, or its deadline
            for te, fence in tes:
                self.guard.end(te, fence, lease["id"])
        for _attempt in range(_PATIENCE):
            asked = self.log.note("releasing", ask=lease["id"])
            try:
                client.release(lease)
            except DistrogateError as error:
                if error.reason not in _TROUBLE:
                    self.log.note("lost", ask=lease["id"], asked=asked, reason=error.reason)
                    return
                self.log.note("release_failed", ask=lease["id"], reason=error.reason)
                time.sleep(0.5)
                continue
            self.log.note("released", ask=lease["id"])
            return

    def _cleaner(self, lease: Lease) -> Job:
        return _Cleaning(self, lease)


class _Cleaning(Job):
    """Takes a moment, under the cleaning lease's fence, and fails now and then."""

    def __init__(self, besieged: Besieged, lease: Lease) -> None:
        self._besieged = besieged
        self._lease = lease
        self._end = time.monotonic() + besieged.dice.uniform(0, 0.3)
        self._good = not any(
            self._each(lambda te, fence, key: besieged.guard.raise_fence(te, fence, TTL, key))
        )

    def poll(self) -> bool | None:
        if time.monotonic() < self._end:
            return None
        used = [*self._each(self._besieged.guard.use), *self._each(self._besieged.guard.end)]
        return self._good and not any(used) and self._besieged.dice.random() < 0.9

    def stop(self) -> None:
        self._each(self._besieged.guard.end)

    def _each(self, do: t.Callable[[str, int, str], str]) -> list[str]:
        return [do(te["name"], te["fence"], self._lease["id"]) for te in self._lease["tes"]]


def work(orders: Orders) -> None:
    """What the process of a client does."""
    besieged = Besieged(orders)
    # Where one that hangs does so; the file stays open as long as the process is there.
    stacks = open(orders.logs / f"{orders.who}.stack", "w", encoding="utf-8")  # noqa: SIM115
    faulthandler.register(signal.SIGUSR2, file=stacks)
    try:
        besieged.run()
    except BaseException:
        besieged.log.note("crash", trace=traceback.format_exc()[-3000:])
        raise
