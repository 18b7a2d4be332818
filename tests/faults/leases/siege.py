# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many clients, and what is done to them and to their store; then the history is judged."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import pathlib
import random
import signal
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.faults.leases import checker, demands
from ansible_collections.distrogate.ci.tests.faults.leases.client import TTL, Orders, work
from ansible_collections.distrogate.ci.tests.faults.leases.history import Event, Log, merged
from ansible_collections.distrogate.ci.tests.faults.leases.observer import Observer
from ansible_collections.distrogate.ci.tests.tools.lease_client import Client

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])
_DRAIN_SECONDS = 120.0
_OURS = (-signal.SIGKILL, -signal.SIGUSR1, -signal.SIGTERM)  # the last two end who has only just begun
KILL_ALL = "kill everyone"


class Place(t.Protocol):
    """A store that can be attacked."""

    url: str
    deadly: float

    def attack(self, dice: random.Random) -> t.ContextManager[str]:
        raise NotImplementedError


@dataclasses.dataclass
class Siege:
    """``clients`` at a store, for ``seconds``."""

    place: Place
    folder: pathlib.Path
    seed: int
    seconds: float
    clients: int = 50
    heedless: bool = False
    pause: float = 0.5  # Between two things that are done to clients.
    attacks: float = 15.0  # Between two attacks on the store; the first comes after a third of that.

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        self._log: Log | None = None
        self._crew: dict[str, t.Any] = {}
        self._stopped: dict[str, float] = {}
        self._number = 0
        self.counts: dict[str, int] = {}

    def run(self) -> list[Event]:
        """The history."""
        for name in ("logs", "guards"):
            (self.folder / name).mkdir()
        self._log = Log(self.folder / "logs" / "siege.jsonl", "siege")
        with Client.open(self.place.url) as client:
            client.register_all(demands.POOL, demands.TES, demands.CLEANED)
        self._note("pool", tes=demands.TES)
        with Observer(self.place.url, Log(self.folder / "logs" / "observer.jsonl", "observer")):
            try:
                self._besiege()
                self._dismiss()
            finally:
                self._kill_all()
            self._drain()
        return merged(self.folder / "logs")

    def _besiege(self) -> None:
        for _client in range(self.clients):
            self._enlist()
        end = time.monotonic() + self.seconds
        attack = time.monotonic() + self.attacks / 3
        while time.monotonic() < end:
            time.sleep(self._dice.uniform(0.5, 1.5) * self.pause)
            self._continue()
            self._replace()
            self._harass()
            if time.monotonic() > attack:
                self._attack()
                attack = time.monotonic() + self._dice.uniform(0.5, 1.5) * self.attacks

    def _enlist(self) -> None:
        self._number += 1
        who = f"c{self._number:04d}"
        seed = self._dice.randrange(1 << 32)
        orders = Orders(self.place.url, self.folder, who, seed, self.heedless, self.place.deadly)
        process = _PROCESSES.Process(target=work, args=(orders,), daemon=True)
        process.start()
        self._crew[who] = process

    def _replace(self) -> None:
        """New clients for those that were killed."""
        for who, process in list(self._crew.items()):
            if process.exitcode is not None:
                self._buried(who)
                self._enlist()

    def _buried(self, who: str) -> None:
        process = self._crew.pop(who)
        process.join()
        self._stopped.pop(who, None)
        if process.exitcode in _OURS:
            self._note("killed", victim=who)
        elif process.exitcode:
            self._note("crashed", victim=who, status=process.exitcode)

    def _harass(self) -> None:
        who = self._dice.choice(sorted(self._crew))
        chosen = self._dice.choice(["kill", "stop", "stop", "step", "step"])
        if who in self._stopped:
            return
        self._counted(chosen)
        if chosen == "kill":
            self._signal(who, signal.SIGKILL)
        elif chosen == "step":
            self._signal(who, signal.SIGUSR1)
        else:
            self._note("stopped", victim=who)
            self._signal(who, signal.SIGSTOP)
            self._stopped[who] = time.monotonic() + self._dice.uniform(0.2, 1.6) * TTL

    def _continue(self, everyone: bool = False) -> None:
        for who, until in list(self._stopped.items()):
            if everyone or time.monotonic() > until:
                del self._stopped[who]
                self._signal(who, signal.SIGCONT)
                self._note("continued", victim=who)

    def _attack(self) -> None:
        self._note("trouble")
        with self.place.attack(self._dice) as name:
            self._counted(name)
            self._note("attack", name=name)
            if name == KILL_ALL:
                for who in list(self._crew):
                    self._signal(who, signal.SIGKILL)
        # What was asked for meanwhile may be answered with an error a little later.
        time.sleep(1)
        self._note("trouble_over")

    def _dismiss(self) -> None:
        """Let everyone end as they like."""
        self._continue(everyone=True)
        for who in list(self._crew):
            self._signal(who, signal.SIGTERM)
        end = time.monotonic() + _DRAIN_SECONDS
        for who, process in list(self._crew.items()):
            process.join(max(0.1, end - time.monotonic()))
            if process.exitcode is None:
                self._note("hangs", victim=who, trace=self._stacks(who))
            else:
                self._buried(who)

    def _stacks(self, who: str) -> str:
        """Where it hangs."""
        self._signal(who, signal.SIGUSR2)
        time.sleep(0.5)
        return (self.folder / "logs" / f"{who}.stack").read_text(encoding="utf-8")[:3000]

    def _kill_all(self) -> None:
        for who, process in list(self._crew.items()):
            self._signal(who, signal.SIGKILL)
            process.join()
            self._buried(who)

    def _drain(self) -> None:
        """Do what the next one who waits would do, until all is at rest."""
        end = time.monotonic() + _DRAIN_SECONDS
        while True:
            with contextlib.suppress(DistrogateError), Client.open(self.place.url) as client:
                client.reap(demands.POOL)
                client.clean(demands.POOL)
                pool = client.look(demands.POOL)
                busy = [name for name, te in pool.tes.items() if te["phase"] not in ("free", "broken")]
                over = not (busy or pool.waiters or pool.leases)
                if over or time.monotonic() > end:
                    tes = {
                        name: {key: te[key] for key in ("phase", "lease", "fence")}
                        for name, te in pool.tes.items()
                    }
                    left = [waiter.entry.key for waiter in pool.waiters]
                    self._note("final", tes=tes, waiters=left, leases=sorted(pool.leases))
                    return
            if time.monotonic() > end + _DRAIN_SECONDS:
                return
            time.sleep(0.5)

    def _signal(self, who: str, number: int) -> None:
        """To a process of ours, which is not reaped before it is buried: its id is nobody else's."""
        process = self._crew[who]
        if process.exitcode is None:
            os.kill(process.pid, number)

    def _note(self, what: str, **more: t.Any) -> None:
        if self._log is not None:
            self._log.note(what, **more)

    def _counted(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


def judged(siege: Siege) -> tuple[list[Event], list[str]]:
    """Run it; returns the history, and what is wrong with it."""
    history = siege.run()
    return history, [*crashes(history), *checker.check(history)]


def crashes(history: t.Iterable[Event]) -> t.Iterator[str]:
    """Clients that ended by an error of their own, or do not end."""
    told = {event["who"]: event["trace"] for event in history if event["what"] == "crash"}
    for event in history:
        if event["what"] in ("crashed", "hangs"):
            trace = event.get("trace") or told.get(event["victim"], f"status {event.get('status')}")
            yield f"{event['victim']} {event['what']}: {trace}"


def summary(siege: Siege, history: t.Sequence[Event]) -> str:
    counts: dict[str, int] = {}
    for event in history:
        counts[event["what"]] = counts.get(event["what"], 0) + 1
    reasons: dict[str, int] = {}
    for event in history:
        if event["what"] == "refused":
            reasons[event["reason"]] = reasons.get(event["reason"], 0) + 1
    shown = {name: counts.get(name, 0) for name in ("asking", "granted", "lost", "killed", "guard_accepted")}
    return f"seed {siege.seed}: {shown}, refused {reasons}, done {siege.counts}"
