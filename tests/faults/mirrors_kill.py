# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Something dies at a random moment: the client, one daemon, or all of them; readers read all the time.

A daemon also dies exactly as its N-th transfer begins, which are the steps of
the journal as a mirror sees them.
"""

from __future__ import annotations

import collections
import contextlib
import os
import pathlib
import random
import signal
import subprocess
import threading
import time
import typing as t

from ansible_collections.distrogate.ci.tests.faults.mirrors_sources import Release, outcomes, remains, tree
from ansible_collections.distrogate.ci.tests.faults.mirrors_watch import Readers, by_hash
from ansible_collections.distrogate.ci.tests.faults.run import (
    BrokenPromiseError,
    Outcome,
    argv,
    finish,
    start,
)
from ansible_collections.distrogate.ci.tests.tools.mirror_daemons import Daemon

AT_A_STEP = ("one daemon at a step", "all daemons at a step")
VICTIMS = ("client", "client and transfers", "one daemon", "all daemons", *AT_A_STEP)
_MIRRORS = 3
_BODY = 60_000  # bytes of a package, so that a transfer takes a moment


class Outages:
    """Every round publishes one package, and is killed; afterwards the next run repairs."""

    def __init__(self, folder: pathlib.Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.daemons = [Daemon(folder / f"daemon{number}", hook=True) for number in range(_MIRRORS)]
        self.stack = contextlib.ExitStack()
        self.rounds = 0
        self.tally: collections.Counter[str] = collections.Counter()
        self.remains: set[str] = set()
        self.readers = Readers()
        self.release = Release(folder, body=_BODY)

    def __enter__(self) -> Outages:
        for daemon in self.daemons:
            daemon.start()
        self.release.publish("package00000")
        self.seconds = self._timed()
        by_hash(self.readers, "apt", [daemon.path for daemon in self.daemons], (0.05,))
        return self

    def __exit__(self, *_error: object) -> None:
        self.readers.__exit__()
        for daemon in self.daemons:
            daemon.stop()

    @property
    def addresses(self) -> list[str]:
        return [daemon.address() for daemon in self.daemons]

    def _timed(self) -> float:
        """How long a run takes that nobody disturbs, and how many transfers it makes: the third run."""
        for name in ("package-b", "package-c"):
            assert self.release.sync(self.addresses).status == 0
            self.release.publish(name)
        self.daemons[0].order()
        begin = time.monotonic()
        done = self.release.sync(self.addresses)
        assert done.status == 0, done
        self.steps = self.daemons[0].transfers
        return time.monotonic() - begin

    def round(self, victim: str = "") -> str:
        """One run, killed; returns what happened in words."""
        self.rounds += 1
        before = set(self.release.shown)
        self.release.publish(f"package{self.rounds:05}")
        victim = victim or self.chance.choice(VICTIMS)
        quorum = self.chance.choice(("all", "2"))
        moment = self.chance.uniform(0, 1.1) * self.seconds
        step = 1 + self.rounds % self.steps  # each of them in turn
        what = f"round {self.rounds}, {victim}, quorum {quorum}, {moment:.3f} s, step {step}"
        try:
            done = self._disturbed(victim, quorum, moment, step)
            self._judge(done, before, victim, quorum)
            self._repair(before)
        except AssertionError as error:
            raise BrokenPromiseError(f"{what}: {error}") from error
        self.tally[f"{victim}: {'survived' if done.status == 0 else 'failed or killed'}"] += 1
        return what

    def _disturbed(self, victim: str, quorum: str, moment: float, step: int) -> Outcome:
        one = self.chance.choice(self.daemons)
        if victim in AT_A_STEP:
            for daemon in self.daemons if victim.startswith("all") else [one]:
                daemon.order(die_at=step)
        options = self.release.arguments(self.addresses, quorum=quorum)
        process = start(argv("mirror_sync", options, self.release.folder))
        kill = {
            "client": process.kill,
            "client and transfers": lambda: kill_tree(process),
            "one daemon": one.kill,
            "all daemons": self._kill_all,
        }.get(victim)
        timer = threading.Timer(moment, kill) if kill else None
        if timer:
            timer.start()
        try:
            return finish(process)
        finally:
            if timer:
                timer.cancel()
                timer.join()

    def _kill_all(self) -> None:
        for daemon in self.daemons:
            daemon.kill()

    def _judge(self, done: Outcome, before: set[str], victim: str, quorum: str) -> None:
        """Old or new everywhere; success says which mirrors are behind, and failure says why."""
        shown = {daemon.address(): self._shown(daemon, before) for daemon in self.daemons}
        behind = {address for address, found in shown.items() if found == before}
        if done.status == 0:
            away = {address for address, outcome in outcomes(done).items() if outcome == "away"}
            assert behind <= away, f"success, and {sorted(behind - away)} stay behind unnoticed: {done}"
            assert len(shown) - len(away) >= (3 if quorum == "all" else 2), f"too few followed: {done}"
        elif not victim.startswith("client"):
            assert not done.traceback and done.result.get("reason") and done.result.get("msg"), str(done)

    def _shown(self, daemon: Daemon, before: set[str]) -> set[str]:
        found = self.release.read(daemon.path)
        assert found in (before, self.release.shown), f"{daemon.folder.name} shows {sorted(found)}"
        return found

    def _repair(self, before: set[str]) -> None:
        """All daemons are there again; one run makes all right, by itself."""
        for daemon in self.daemons:
            daemon.order()
            if daemon.process is None or daemon.process.poll() is not None:
                daemon.kill()
                daemon.start()
        done = self.release.sync(self.addresses)
        assert done.status == 0, f"the next run: {done}"
        assert set(outcomes(done).values()) <= {"switched", "unchanged"}, f"the next run: {done}"
        expected = tree(self.release.source)
        for daemon in self.daemons:
            assert self._shown(daemon, before) == self.release.shown, f"{daemon.folder.name} is behind"
            found = tree(daemon.path)
            wrong = [path for path in expected if found.get(path) != expected[path]]
            assert not wrong, f"{daemon.folder.name}: {wrong[:3]} differ from the source"
            waiting = list(daemon.path.rglob(".distrogate-staging"))
            assert not waiting, f"{daemon.folder.name}: {waiting} is left"
            self.remains |= {path.rpartition("/")[2] for path in remains(daemon.path)}

    def __str__(self) -> str:
        told = ", ".join(f"{count} {name}" for name, count in sorted(self.tally.items()))
        left = f"; {len(self.remains)} unfinished files of killed daemons lie on the mirrors"
        return f"{self.rounds} kills ({told}); {self.readers}{left if self.remains else ''}"


def kill_tree(process: subprocess.Popen[t.Any]) -> None:
    """SIGKILL for a process and all that it started, whatever group they are in."""
    found = [process.pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for task in pathlib.Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    for one in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
