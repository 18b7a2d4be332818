# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is measured: the same source for us and for the peers, in turn, each with a mirror of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ansible_collections.distrogate.ci.tests.benchmarks import publish_inputs
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_meter import MirrorMeter
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_ours import Ours
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_peers import Copied, Delayed, LinkDest, Peer
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_repository import (
    SMALL,
    SUITE,
    Repository,
    usual_packages,
)
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_sizes import (
    CHANGED,
    FEW,
    FILE,
    FIRST,
    GROW,
    OURS,
    SAME,
    UNCOMPILED,
    UNVERIFIED,
    Sizes,
)
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_trsync import (
    Trsync,
    open_trsync,
)
from ansible_collections.distrogate.ci.tests.benchmarks.publish_figures import Figures
from ansible_collections.distrogate.ci.tests.benchmarks.publish_meter import Used
from ansible_collections.distrogate.ci.tests.demo.site import say
from ansible_collections.distrogate.ci.tests.tools.mirror_daemons import Daemon

_TICK = 2.1  # seconds after which a file is no longer so young that it might change with the same times
_MIRROR = 700 << 20  # bytes of the largest mirror that begins empty


@dataclasses.dataclass
class Bench:
    """Everything is below ``root``: in ``inputs`` the packages that are kept, in ``work`` all else.

    But mirrors are below ``mirrors``: in memory, for else the disk decides what a copy costs.
    """

    root: Path
    key: str
    gnupg: Path
    meter: MirrorMeter
    mirrors: Path
    rounds: int
    checkout: Path | None = None
    python2: str = "python2"
    figures: Figures = dataclasses.field(default_factory=Figures)
    trsync_name: str = ""

    def __post_init__(self) -> None:
        self.inputs = publish_inputs.cache(self.root)
        self.work = self.root / "work"
        self.ours = Ours(self.meter, self.work)
        self.environment = {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "HOME": os.devnull,
            "LOGLEVEL": "WARNING",
        }

    @property
    def few(self) -> int:
        """Rounds of what takes long."""
        return min(3, self.rounds)

    def warm_up(self) -> None:
        """A first run compiles."""
        source = self.work / "little"
        source.mkdir()
        (source / "file").write_text("file")
        with self.daemon("any") as daemon:
            self.ours.sync(source, [daemon])
        publish_inputs.remove(source)

    def _age(self) -> None:
        if self.meter.settle:
            time.sleep(_TICK)

    def repository(self, name: str) -> Repository:
        publish_inputs.remove(self.work / name)
        return Repository(self.work, name, self.key, self.gnupg)

    def trsync(self) -> Trsync:
        found = open_trsync(self.mirrors, self.checkout, self.python2)
        self.trsync_name = found.name
        return found

    @contextlib.contextmanager
    def daemon(self, name: str) -> Iterator[Daemon]:
        """An empty one, which is removed afterwards."""
        folder = self.mirrors / name
        publish_inputs.remove(folder)
        with Daemon(folder) as daemon:
            yield daemon
        publish_inputs.remove(folder)

    @contextlib.contextmanager
    def peers(self, source: Path, kinds: Sequence[Callable[[], Peer]]) -> Iterator[list[Peer]]:
        """Peers that have the source's state already."""
        with contextlib.ExitStack() as stack:
            found = []
            for kind in kinds:
                peer = kind()
                stack.callback(peer.end)
                say(f"first copy for {peer.name}")
                self._peer(peer, source, 0)
                found.append(peer)
            yield found

    def _peer(self, peer: Peer, source: Path, _number: int) -> Used:
        used = self.meter.both(peer.steps(source), self.environment, [peer.daemon])
        for name in (f"apt/dists/{SUITE}/InRelease", f"apt/dists/{SUITE}/main/binary-amd64/Packages.gz"):
            assert (peer.shown() / name).read_bytes() == (source / name).read_bytes(), f"{peer.name}: {name}"
        peer.tidy()
        return used

    def _ours(self, source: Path, daemon: Daemon, _number: int, changed: bool = False) -> Used:
        used = self.ours.sync(source, [daemon])
        assert (self.ours.result["mirrors"][0]["outcome"] == "switched") == changed, self.ours.result
        return used

    def grow(self, sizes: Sizes) -> None:
        """One repository that grows; each size is measured on the way."""
        repository = self.repository("release")
        with self.daemon("mirror") as daemon, contextlib.ExitStack() as stack:
            plain = Peer(self.mirrors)
            stack.callback(plain.end)
            for count in sizes.growth:
                repository.fill(count)
                self.figures.add(GROW, OURS, count, self.ours.sync(repository.source, [daemon]))
                self._peer(plain, repository.source, 0)
                self._nothing_changed(count, repository, daemon, plain, sizes)
                if count == sizes.middle:
                    self._changed(CHANGED, SUITE, repository, daemon)
                    self._changed(FEW, SMALL, repository, daemon)
        publish_inputs.remove(repository.source)

    def _nothing_changed(
        self, count: int, repository: Repository, daemon: Daemon, plain: Peer, sizes: Sizes
    ) -> None:
        source = repository.source
        self._age()
        self._ours(source, daemon, 0)  # after which nothing is young
        runs: dict[str, Callable[[int], Used]] = {
            OURS: functools.partial(self._ours, source, daemon),
            plain.name: functools.partial(self._peer, plain, source),
        }
        self.figures.in_turn(SAME, count, self.few if count > sizes.middle else self.rounds, runs)
        if count not in (sizes.middle, sizes.large):
            return
        with self.peers(source, [self.trsync]) as (trsync,):
            rounds = self.few if count == sizes.middle else 1
            self.figures.in_turn(
                SAME, count, rounds, {trsync.name: functools.partial(self._peer, trsync, source)}
            )
        if count == sizes.middle:
            for _number in range(self.few):
                self.figures.add(SAME, FILE, count, self.ours.sync(source, [daemon], file=True))
            self.figures.add(SAME, UNCOMPILED, count, self.ours.sync(source, [daemon], compiled=False))

    def _changed(self, what: str, suite: str, repository: Repository, daemon: Daemon) -> None:
        """Ten packages get new versions each round; then everyone follows in turn."""
        source = repository.source
        repository.change(10, suite)
        self.ours.sync(source, [daemon])
        kinds: list[Callable[[], Peer]] = [
            functools.partial(kind, self.mirrors) for kind in (LinkDest, Copied, Delayed)
        ]
        with self.peers(source, [*kinds, self.trsync]) as peers:
            for number in range(self.rounds):
                repository.change(10, suite)
                self._age()
                runs: list[tuple[str, Callable[[int], Used]]] = [
                    (OURS, functools.partial(self._ours, source, daemon, changed=True)),
                    *((peer.name, functools.partial(self._peer, peer, source)) for peer in peers),
                ]
                for who, run in runs if number % 2 == 0 else runs[::-1]:
                    self.figures.add(what, who, repository.count, run(number))

    def first_copy(self, sizes: Sizes) -> None:
        """Usual packages onto empty mirrors."""
        repository = self.repository("usual")
        repository.usual(usual_packages(self.inputs, sizes.first))
        source = repository.source
        self._age()
        for number in range(self.rounds):
            runs = [
                (OURS, functools.partial(self._ours_first, source, True)),
                (UNVERIFIED, functools.partial(self._ours_first, source, False)),
                (Peer.name, functools.partial(self._peer_first, lambda: Peer(self.mirrors), source)),
                ("", functools.partial(self._peer_first, self.trsync, source)),
            ]
            for who, run in runs if number % 2 == 0 else runs[::-1]:
                self._touch_memory()
                used = run()
                self.figures.add(FIRST, who or self.trsync_name, sizes.first, used)
        publish_inputs.remove(source)

    def _touch_memory(self) -> None:
        """Have the memory that a mirror needs: of a virtual machine, the first touch costs much more."""
        file = self.mirrors / "touched"
        file.write_bytes(bytes(_MIRROR))
        file.unlink()

    def _ours_first(self, source: Path, verify: bool) -> Used:
        # Without the journal it knows neither mirrors nor digests; what the publisher knows stays.
        publish_inputs.remove(source / ".distrogate")
        with self.daemon("empty") as daemon:
            return self.ours.sync(source, [daemon], verify=verify)

    def _peer_first(self, kind: Callable[[], Peer], source: Path) -> Used:
        peer = kind()
        try:
            return self._peer(peer, source, 0)
        finally:
            peer.end()
