# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is measured, with the same packages for us and for the peers."""

from __future__ import annotations

import dataclasses
import functools
import os
from pathlib import Path
from typing import Any

from ansible_collections.distrogate.ci.tests.benchmarks import publish_files, publish_inputs, publish_peers
from ansible_collections.distrogate.ci.tests.benchmarks.publish_figures import Figures
from ansible_collections.distrogate.ci.tests.benchmarks.publish_meter import Meter, Step, Used
from ansible_collections.distrogate.ci.tests.benchmarks.publish_ours import LINKED, STEADY, Ours
from ansible_collections.distrogate.ci.tests.demo.site import say

OURS = "ours"
ADD, ADD_MEMORY, ADD_UNCOMPILED = "add one", "add one, memory watched", "add one, nothing compiled before"
NOTHING, COPY = "from nothing", "from nothing, with a copy"
POOL = "from nothing, in the pool already"
START, LIMIT = "start of a module", "read and sha256"
SHA256 = "apt-ftparchive, SHA256 only"
INDEX = {"deb": publish_peers.Peer.index, "rpm": publish_peers.Createrepo.index}


@dataclasses.dataclass
class Bench:
    """Everything is below ``root``: in ``inputs`` what is kept, in ``work`` what is removed afterwards."""

    root: Path
    key: str
    gnupg: Path
    meter: Meter
    rounds: int
    figures: Figures = dataclasses.field(default_factory=Figures)

    def __post_init__(self) -> None:
        self.inputs = publish_inputs.cache(self.root)
        self.work = self.root / "work"
        self.ours = Ours(self.meter, self.work, self.key, self.gnupg)
        self.uncompiled = Ours(self.meter, self.work, self.key, self.gnupg, compiled=False)
        self.environment = {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.work),
            "GNUPGHOME": str(self.gnupg),
        }

    @property
    def few(self) -> int:
        """Rounds of what takes long."""
        return min(3, self.rounds)

    def add_one(self, kind: str, count: int, peers: list[publish_peers.Peer], closely: bool = False) -> None:
        """To a repository of ``count`` packages, each round another; the first of all is not measured.

        ``closely`` looks at the memory as well, and at a run that has to compile everything.
        """
        packages = publish_inputs.make(self.inputs, kind, count + self.rounds + 4)
        more = packages[count:]
        root = self.work / f"{OURS}-{kind}"
        used = self.ours.publish(kind, root, packages[:count], closely, **LINKED, **STEADY)
        if closely:
            self.figures.add(f"{NOTHING} ({kind})", OURS, count, used)
        there = {peer.command: (peer, self._filled(peer, packages[:count])) for peer in self._have(peers)}
        runs = {OURS: functools.partial(self._add, kind, root, more)}
        for name, (peer, place) in there.items():
            runs[name] = functools.partial(self._peer_adds, peer, place, more)
        for run in runs.values():
            run(self.rounds)
        self.figures.in_turn(f"{ADD} ({kind})", count, self.rounds, runs)
        for peer, place in there.values():
            assert publish_files.listed(kind, place, peer.index) == count + self.rounds + 1
            publish_inputs.remove(place)
        before = publish_files.files(root)
        self._add(kind, root, more, self.rounds + 1)
        self.figures.bytes[kind, count] = publish_files.written(before, publish_files.files(root))
        if closely:
            self._closely(kind, count, root, more)
        publish_inputs.remove(root)

    def _closely(self, kind: str, count: int, root: Path, more: list[Path]) -> None:
        """In one run each."""
        used = self._add(kind, root, more, self.rounds + 2, watch=True)
        self.figures.add(f"{ADD_MEMORY} ({kind})", OURS, count, used)
        used = self.uncompiled.publish(kind, root, [more[self.rounds + 3]], **LINKED, **STEADY)
        self.figures.add(f"{ADD_UNCOMPILED} ({kind})", OURS, count, used)
        assert publish_files.listed(kind, root, INDEX[kind]) == len(more) + count

    def _add(self, kind: str, root: Path, more: list[Path], number: int, watch: bool = False) -> Used:
        return self.ours.publish(kind, root, [more[number]], watch, **LINKED, **STEADY)

    def _peer_adds(self, peer: publish_peers.Peer, root: Path, more: list[Path], number: int) -> Used:
        (package,) = publish_inputs.copies([more[number]], self.work / "incoming")
        return self.meter(peer.add(root, package), self.environment)

    def _filled(self, peer: publish_peers.Peer, packages: list[Path]) -> Path:
        """A peer's repository. What takes it long is done once and copied."""
        root = self.work / peer.command
        publish_inputs.remove(root)
        if type(peer).lay is not publish_peers.Peer.lay:
            root.mkdir(parents=True)
            peer.lay(root, packages)
            self.meter(peer.fill(root, packages), self.environment)
            return root
        kept = self.inputs / "filled" / f"{peer.command}-{len(packages)}"
        if not kept.exists():
            say(f"{peer.command} takes {len(packages)} packages")
            peer.configure(root)
            copies = publish_inputs.copies(packages, self.work / "incoming")
            self.meter(peer.fill(root, copies), self.environment)
            publish_inputs.remove(self.work / "incoming")
            kept.parent.mkdir(exist_ok=True)
            root.rename(kept)
        publish_inputs.copy_tree(kept, root)
        peer.configure(root)
        return root

    def _have(self, peers: list[publish_peers.Peer]) -> list[publish_peers.Peer]:
        for peer in peers:
            if not peer.installed():
                self.figures.missing[peer.command] = peer.package
        return [peer for peer in peers if peer.installed()]

    def from_nothing(self, kind: str, count: int, peers: dict[str, publish_peers.Peer]) -> None:
        """A repository of ``count`` packages that are on the same file system; the peer's are in its tree."""
        packages = publish_inputs.make(self.inputs, kind, count)
        runs = {OURS: functools.partial(self._new, kind, packages, LINKED)}
        have = self._have(list(peers.values()))
        for name, peer in peers.items():
            if peer in have:
                runs[name] = functools.partial(self._peer_new, peer, packages, copy=False)
        self.figures.in_turn(f"{NOTHING} ({kind})", count, self.few, runs)

    def in_pool(self, count: int, peer: publish_peers.Peer) -> None:
        """Indexes alone: the packages lie where they are to be, for us as for the peer."""
        packages = publish_inputs.make(self.inputs, "deb", count)
        root = self.work / "pool-deb"
        publish_inputs.remove(root)
        self.ours.publish("deb", root, packages, **LINKED)
        there = sorted((root / "pool").rglob("*.deb"))
        runs = {OURS: functools.partial(self._index, root, there)}
        if self._have([peer]):
            runs[peer.command] = functools.partial(self._peer_new, peer, packages, copy=False)
        self.figures.in_turn(f"{POOL} (deb)", count, self.few, runs)
        publish_inputs.remove(root)

    def _index(self, root: Path, there: list[Path], _number: int) -> Used:
        for name in (".distrogate", "dists"):
            publish_inputs.remove(root / name)
        used = self.ours.publish("deb", root, there)
        assert publish_files.listed("deb", root, INDEX["deb"]) == len(there)
        return used

    def copying(self, count: int, peer: publish_peers.Peer) -> None:
        """The same for debs, when the packages must be copied; for the peer cp(1) does."""
        packages = publish_inputs.make(self.inputs, "deb", count)
        runs = {OURS: functools.partial(self._new, "deb", packages, {})}
        if self._have([peer]):
            runs[f"cp -r + {peer.command}"] = functools.partial(self._peer_new, peer, packages, copy=True)
        self.figures.in_turn(f"{COPY} (deb)", count, self.few, runs)

    def _new(self, kind: str, packages: list[Path], options: dict[str, Any], _number: int) -> Used:
        root = self.work / f"new-{kind}"
        publish_inputs.remove(root)
        used = self.ours.publish(kind, root, packages, **options)
        assert publish_files.listed(kind, root, INDEX[kind]) == len(packages)
        names = 2 if options == LINKED else 1
        assert all(package.stat().st_nlink == names for package in packages), "not by hard link, or by it"
        publish_inputs.remove(root)
        return used

    def _peer_new(self, peer: publish_peers.Peer, packages: list[Path], _number: int, copy: bool) -> Used:
        root, laid = self.work / "new-peer", self.work / "laid"
        for folder in (root, laid):
            publish_inputs.remove(folder)
            folder.mkdir(parents=True)
        steps = peer.fill(root, packages)
        if copy:
            publish_peers.link(packages, laid)
            steps = [Step(["cp", "-r", str(laid), str(root / "pool")]), *steps]
        else:
            peer.lay(root, packages)
        used = self.meter(steps, self.environment)
        assert publish_files.listed(peer.kind, root, peer.index) == len(packages)
        for folder in (root, laid):
            publish_inputs.remove(folder)  # a package with another name enters no pool of ours by hard link
        return used

    def others(self, count: int) -> None:
        """What no design changes: the start of a module, and the reading of all packages."""
        for number in range(self.rounds + 1):
            used = self.ours.nothing()
            if number:  # the first one compiles
                self.figures.add(START, OURS, 0, used)
        for kind in ("deb", "rpm"):
            packages = publish_inputs.make(self.inputs, kind, count)
            for number in range(self.few + 1):
                used = self.ours.limit(packages)
                if number:  # the first one may read from the disk
                    self.figures.add(f"{NOTHING} ({kind})", LIMIT, count, used)
