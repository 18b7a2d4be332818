# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readers that poll, quick and slow ones, while several publishers compete for one repository."""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import dataclasses
import itertools
import json
import pathlib
import subprocess
import threading
import time
import typing as t

from ansible_collections.distrogate.ci.tests.faults import poller, samples
from ansible_collections.distrogate.ci.tests.faults.kill import gnupg
from ansible_collections.distrogate.ci.tests.faults.reading import READ
from ansible_collections.distrogate.ci.tests.faults.run import BrokenPromiseError, run
from ansible_collections.distrogate.ci.tests.faults.server import companion, serving

SUITE = "bookworm"
_SNAPSHOT_EVERY = 5  # publishes of each publisher
_MODULES = {"apt": "apt_publish", "rpm": "rpm_publish"}


Pollers = dict[str, subprocess.Popen[str]]


@dataclasses.dataclass
class Result:
    """What was seen. ``polls`` by transport and pause; ``mismatches`` in words; ``clients``: their rounds."""

    polls: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    mismatches: list[str] = dataclasses.field(default_factory=list)
    clients: int = 0
    published: set[str] = dataclasses.field(default_factory=set)
    lost: set[str] = dataclasses.field(default_factory=set)

    def __str__(self) -> str:
        polls = ", ".join(f"{count} {name}" for name, count in sorted(self.polls.items()))
        return (
            f"{len(self.published)} publishes; polls: {polls}; real clients: {self.clients};"
            f" {len(self.mismatches)} mismatches, {len(self.lost)} packages lost"
        )


class Contest:
    """One repository, ``publishers`` that add ``each`` packages of their own, and readers of all sorts."""

    def __init__(self, kind: str, folder: pathlib.Path, publishers: int, each: int) -> None:
        self.kind, self.folder = kind, folder
        self.root = folder / "repository"
        self.key = gnupg(folder)
        self.result = Result()
        self.over = threading.Event()
        self._lock = threading.Lock()
        names = [f"package{number:03}" for number in range(publishers * each + 1)]
        make = samples.debs if kind == "apt" else samples.rpms
        self.paths = make(folder / "incoming", names)
        self.shares = [names[1 + number :: publishers] for number in range(publishers)]
        self.snapshots: dict[str, str] = {}  # a package that is in it, by the snapshot's name
        self._publish(names[0], snapshot="begin")

    def address(self, base: str, snapshot: str = "") -> tuple[str, str]:
        """Where ``base`` (a path or a URL) has the repository or a snapshot: the place, and the suite."""
        folder = f"/snapshots/{snapshot}" if snapshot else ""
        return (base, SUITE + folder) if self.kind == "apt" else (base + folder, "")

    def _publish(self, name: str, snapshot: str | None = None) -> None:
        options = {
            "root": str(self.root),
            "packages": [self.paths[name]],
            "signing_key": self.key,
            "gnupg_home": str(self.folder / "gnupg"),
            "timeout": 300,
            "snapshot": snapshot,
            **({"suite": SUITE} if self.kind == "apt" else {}),
        }
        done = run(_MODULES[self.kind], options, self.folder)
        if done.status:
            raise BrokenPromiseError(f"{name}: {done}")
        with self._lock:
            self.result.published.add(f"{name}=1")
            if snapshot:
                self.snapshots[snapshot] = f"{name}=1"

    def _publisher(self, names: list[str], end: float) -> None:
        for number, name in enumerate(names):
            if time.monotonic() >= end or self.over.is_set():
                return
            self._publish(name, None if number % _SNAPSHOT_EVERY else f"of-{name}")

    def _pollers(self, stack: contextlib.ExitStack, url: str, pauses: t.Sequence[float]) -> Pollers:
        """Readers of the repository and of its first snapshot, on disk and over HTTP."""
        found = {}
        for pause, (name, base) in itertools.product(pauses, (("disk", str(self.root)), ("http", url))):
            for snapshot in ("", "begin"):
                where, suite = self.address(base, snapshot)
                arguments = (self.kind, where, suite, str(pause), self.snapshots.get(snapshot, ""))
                label = f"{name}{' snapshot' if snapshot else ''} {pause:g} s"
                found[label] = stack.enter_context(companion(poller.__name__, *arguments))
        return found

    def _heard(self, name: str, process: subprocess.Popen[str]) -> None:
        """What a poller saw."""
        output, _errors = process.communicate(timeout=120)
        assert process.returncode == 0, f"the poller {name} ended with status {process.returncode}"
        seen = json.loads(output)
        self.result.polls[name] += seen["polls"]
        self.result.mismatches += seen["mismatches"]

    def _client(self, work: t.Callable[[], None]) -> None:
        while not self.over.is_set():
            try:
                work()
            except AssertionError as error:
                self.result.mismatches.append(f"the real client: {error}")
            with self._lock:
                self.result.clients += 1

    def run(
        self,
        pauses: t.Sequence[float],
        seconds: float = 0,
        clients: t.Callable[[Contest, str], list[t.Callable[[], None]]] | None = None,
    ) -> Result:
        """Publish until all is published or the time is over; readers read until then.

        ``pauses`` are the seconds between the signed file and what it names;
        ``clients`` gives real clients, for the URL of the server.
        """
        end = time.monotonic() + seconds if seconds else float("inf")
        with contextlib.ExitStack() as stack:
            url = stack.enter_context(serving(self.root))
            pollers = self._pollers(stack, url, pauses)
            pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(64))
            stack.callback(self.over.set)
            reading = [pool.submit(self._client, work) for work in (clients(self, url) if clients else [])]
            working = [pool.submit(self._publisher, names, end) for names in self.shares]
            for work in concurrent.futures.as_completed(working):
                work.result()
            self.over.set()
            for work in reading:
                work.result()
            for name, process in pollers.items():
                self._heard(name, process)
        self._count()
        return self.result

    def _count(self) -> None:
        """What is published in the end, with all digests compared."""
        self.result.lost = self.result.published - self._listed("")
        self.result.lost |= {name for one, name in self.snapshots.items() if name not in self._listed(one)}

    def _listed(self, snapshot: str) -> set[str]:
        where, suite = self.address(str(self.root), snapshot)
        with poller.fetching(where) as fetch:
            found = READ[self.kind](fetch, suite)
            for file in found.values():
                file.check(fetch)
        return set(found)
