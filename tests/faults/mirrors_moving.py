# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A source that does not rest: it changes while it is mirrored, and twice within a second."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import pathlib
import threading
import time
import typing as t

from ansible_collections.distrogate.ci.tests.faults.mirrors_hostile import Hostile
from ansible_collections.distrogate.ci.tests.faults.mirrors_sources import SUITE
from ansible_collections.distrogate.ci.tests.faults.reading import read_apt
from ansible_collections.distrogate.ci.tests.faults.run import BrokenPromiseError, argv, finish, run, start
from ansible_collections.distrogate.ci.tests.faults.samples import debs
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import in_release, publish
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import Suite

_RESTLESS = ("source_changing", "source_incomplete")


class Changing(Hostile):
    """A tree that is no repository of ours is written all the time, also by somebody without manners."""

    def whole(self) -> list[str]:
        """What each mirror's InRelease names is there, and is that; returns the states."""
        found = []
        for mirror in self.mirrors:
            suite = mirror / "apt" / "dists" / "stable"
            digest, size, _name = (suite / "InRelease").read_text().splitlines()[-1].split()
            data = (suite / "main/binary-amd64/by-hash/SHA256" / digest).read_bytes()
            right = (hashlib.sha256(data).hexdigest(), len(data)) == (digest, int(size))
            assert right, f"{mirror} shows a mixture"
            found.append(data.decode())
        return found

    @contextlib.contextmanager
    def writing(self, pause: float, rude: bool = False) -> t.Iterator[None]:
        """Publish one state after the other; who is ``rude`` adds and removes other files besides."""
        over = threading.Event()

        def write() -> None:
            for number in itertools.count():
                if over.wait(pause):
                    return
                publish(self.source / "apt", f"moving {number}", pool=f"p_{number}.deb")
                if rude:
                    (self.source / f"file{number}").write_text("comes")
                    (self.source / f"file{number - 3}").unlink(missing_ok=True)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def attempt(self, runs: int, pause: float, rude: bool = False) -> int:
        """How many of so many runs found a state; the others say that the source does not rest."""
        publish(self.source / "apt", "at rest")
        self.same("at rest", keep=20)
        found = 0
        with self.writing(pause, rude):
            for _number in range(runs):
                done = self.sync(f"changes every {pause} s", keep=20)
                found += done.status == 0
                reason = done.result.get("reason")
                if done.status and reason not in _RESTLESS:
                    raise BrokenPromiseError(f"a source that changes: {done}")
                self.whole()
        self.same("at rest again", keep=20)
        assert set(self.whole()) == {in_release_text(self.source)}
        return found

    def twins(self, nanoseconds: int) -> None:
        """Two states whose files differ in nothing but contents, and so many nanoseconds of their times."""
        moment = (int(time.time()) - 100) * 10**9
        for number, text in enumerate(("one state", "two state")):
            publish(self.source / "apt", text)
            for path in (self.source / "apt" / "dists").rglob("*"):
                os.utime(path, ns=(moment, moment + number * nanoseconds))
            self.same(f"twins, {nanoseconds} ns apart")
            for mirror in self.mirrors:
                assert in_release(mirror / "apt") == in_release(self.source / "apt")
        self.untouched()


def in_release_text(source: pathlib.Path) -> str:
    """What the source's only index says."""
    return (source / "apt/dists/stable/main/binary-amd64/Packages").read_text()


class Quick:
    """Two publishes of ours within one second: the second one comes while the first is mirrored.

    Our publisher works in this process and signs nothing, so that it is quick enough. It never gives two
    states the same second; what others do is in ``Changing.twins``.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.mirror = folder, folder / "mirror"
        self.mirror.mkdir()
        (folder / "source").mkdir()
        self.suite = Suite(folder / "source" / "apt")
        self.shown: set[str] = set()
        self.rounds = self.crossed = 0
        self._publish("package00")

    def _publish(self, name: str) -> None:
        self.suite(*debs(self.folder / "incoming", [name]).values())
        self.shown.add(f"{name}=1")

    def arguments(self) -> dict[str, t.Any]:
        return {"source": str(self.folder / "source"), "name": "quick", "mirrors": [str(self.mirror)]}

    def _older(self) -> bool:
        """Whether the mirror shows the first state, of the same size as the second."""
        name = f"apt/dists/{SUITE}/InRelease"
        mine, theirs = ((folder / name).read_bytes() for folder in (self.folder / "source", self.mirror))
        return mine != theirs and len(mine) == len(theirs)

    def attempt(self) -> None:
        """Afterwards one run brings the second one."""
        self.rounds += 1
        time.sleep(1 - time.time() % 1)
        began = time.time()
        self._publish(f"package{self.rounds:02}a")
        process = start(argv("mirror_sync", self.arguments(), self.folder))
        time.sleep(max(0.0, 0.9 - time.time() % 1))
        self._publish(f"package{self.rounds:02}b")
        ended = time.time()
        done = finish(process)
        assert done.status == 0, done
        self.crossed += int(began) == int(ended) and self._older()
        done = run("mirror_sync", self.arguments(), self.folder)
        assert done.status == 0, done
        base = self.mirror / "apt"
        missing = self.shown - read_apt(lambda name: (base / name).read_bytes(), SUITE).keys()
        assert not missing, f"two publishes within a second: {sorted(missing)} did not arrive"
