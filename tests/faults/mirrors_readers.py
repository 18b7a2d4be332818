# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readers poll three mirrors while a publisher publishes and two runs of mirror_sync compete."""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import pathlib
import threading
import time
import typing as t

from ansible_collections.distrogate.ci.tests.faults.mirrors_sources import SUITE, Release, tree
from ansible_collections.distrogate.ci.tests.faults.mirrors_watch import Readers, by_hash
from ansible_collections.distrogate.ci.tests.faults.run import BrokenPromiseError
from ansible_collections.distrogate.ci.tests.faults.server import serving
from ansible_collections.distrogate.ci.tests.tools.mirror_daemons import Daemon

FIRST = "begin"  # the snapshot that is there from the beginning
_SNAPSHOT_EVERY = 5  # publishes
_COMPETING = 2
Clients = t.Callable[["MirrorContest", list[str]], list[t.Callable[[], None]]]


class MirrorContest:
    """One repository, three daemons that mirror it, and readers of all sorts."""

    def __init__(self, kind: str, folder: pathlib.Path, syncs: int) -> None:
        self.kind, self.folder, self.syncs = kind, folder, syncs
        # The source forgets quickly; it is the mirrors that keep what a slow reader of them still needs.
        self.release = Release(folder, kind, keep=5, keep_seconds=0)
        self.daemons = [Daemon(folder / f"daemon{number}") for number in range(3)]
        self.readers = Readers()
        self.over = threading.Event()
        self.done = self.published = self.clients = self.overtaken = 0
        self.problems: list[str] = []
        self._lock = threading.Lock()

    @property
    def addresses(self) -> list[str]:
        return [daemon.address() for daemon in self.daemons]

    def address(self, base: str, snapshot: str = "") -> tuple[str, str]:
        """Where a mirror at ``base`` has the repository or a snapshot: the place, and the suite."""
        folder = f"/snapshots/{snapshot}" if snapshot else ""
        base = f"{base}/{self.kind}"
        return (base, SUITE + folder) if self.kind == "apt" else (base + folder, "")

    def sync(self) -> None:
        """Runs, until one does what it should: the source may drop what it was about to send."""
        while True:
            done = self.release.sync(self.addresses, keep=50, keep_seconds=30, timeout=300)
            if done.status == 0:
                return
            said = str(done.result.get("reason")) + str(done.result.get("msg"))
            dropped = any(word in said for word in ("source_changing", "No such file", "vanished"))
            if not dropped or self.overtaken > self.done + 3:
                raise BrokenPromiseError(f"a run failed: {said[:1000]} {done}")
            self.overtaken += 1

    def _publisher(self) -> None:
        for number in itertools.count(1):
            if self.over.is_set():
                return
            snapshot = {"snapshot": f"at{number}"} if number % _SNAPSHOT_EVERY == 0 else {}
            self.release.publish(f"package{number:04}", **snapshot)
            self.published += 1

    def _synchroniser(self, end: float) -> None:
        """Each run has something new to bring, unless the other one was quicker."""
        seen = 0
        while time.monotonic() < end and not self.over.is_set():
            if self.published == seen:
                time.sleep(0.01)
                continue
            seen = self.published
            with self._lock:
                if self.done >= self.syncs:
                    return
                self.done += 1
            self.sync()

    def _client(self, work: t.Callable[[], None]) -> None:
        while not self.over.is_set():
            try:
                work()
            except AssertionError as error:
                self.problems.append(f"the real client: {error}")
            with self._lock:
                self.clients += 1

    def _read(self, urls: list[str], pauses: t.Sequence[float]) -> None:
        """By hash, on disk with each pause and over HTTP; and the first snapshot by its fixed names."""
        folders = [daemon.path for daemon in self.daemons]
        by_hash(self.readers, self.kind, folders, pauses)
        for url in urls if pauses else []:
            where, suite = self.address(url)
            self.readers.add("by hash over HTTP", self.kind, where, 0.05, suite)
            where, suite = self.address(url, FIRST)
            self.readers.add("a snapshot by name", f"{self.kind}-plain", where, 0.02, suite, "first=1")

    def run(
        self, pauses: t.Sequence[float], seconds: float = 0, clients: Clients | None = None
    ) -> MirrorContest:
        """Until there were ``syncs`` runs, or the time is over."""
        end = time.monotonic() + seconds if seconds else float("inf")
        with contextlib.ExitStack() as stack:
            for daemon in self.daemons:
                stack.enter_context(daemon)
            self.release.publish("first", snapshot=FIRST)
            self.sync()
            urls = [stack.enter_context(serving(daemon.path)) for daemon in self.daemons]
            stack.enter_context(self.readers)
            self._read(urls, pauses)
            pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(64))
            stack.callback(self.over.set)
            others = [pool.submit(self._client, work) for work in (clients(self, urls) if clients else [])]
            others.append(pool.submit(self._publisher))
            working = [pool.submit(self._synchroniser, end) for _number in range(_COMPETING)]
            for work in concurrent.futures.as_completed(working):
                work.result()
            self.over.set()
            for work in others:
                work.result()
            self.sync()
            self.problems += self.readers.end()
            self._compare()
        return self

    def _compare(self) -> None:
        """In the end each mirror has all that the source has."""
        expected = tree(self.release.source)
        for daemon in self.daemons:
            found = tree(daemon.path)
            wrong = [path for path, data in expected.items() if found.get(path) != data]
            if wrong:
                self.problems.append(f"{daemon.folder.name} differs in the end: {wrong[:3]}")

    def __str__(self) -> str:
        return (
            f"{self.done} syncs of {self.published} publishes, {self.overtaken} overtaken; {self.readers};"
            f" real clients: {self.clients}; {len(self.problems)} problems"
        )
