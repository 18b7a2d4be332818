# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One of three mirrors is bad, in each way that a mirror can be: what the run says, and what readers see.

With a quorum of two the good ones follow, and the bad one is named as away.
When all must follow, nothing is switched anywhere. Once it is well the next run
brings it up. Its own readers see old or new, never a mixture, as all others do.
"""

from __future__ import annotations

import contextlib
import pathlib
import random
import typing as t

from ansible_collections.distrogate.ci.tests.faults.mirrors_sources import Release, outcomes, tree
from ansible_collections.distrogate.ci.tests.faults.mirrors_watch import Readers, by_hash
from ansible_collections.distrogate.ci.tests.faults.run import BrokenPromiseError, Outcome
from ansible_collections.distrogate.ci.tests.tools.mirror_daemons import Daemon
from ansible_collections.distrogate.ci.tests.tools.mirror_disk import SmallDisk
from ansible_collections.distrogate.ci.tests.tools.mirror_proxy import FOREVER, Proxy

_BODY = 300_000  # bytes of a package
_DISK = 64 << 20
_SHORT = 6  # seconds that a run waits for a mirror that says nothing
_POOL, _INDEXES = ("**/pool/**/*.deb",), ("**/by-hash/**/*", "**/.distrogate-staging/*", "**/Packages*")
AWAY, EITHER = {"away"}, {"away", "switched"}


class Kind(t.NamedTuple):
    """``spoil`` makes the mirror bad; ``outcome`` is what may be said of it when the others follow."""

    spoil: t.Callable[[BadMirror], None]
    outcome: set[str] = AWAY
    timeout: int = 60


class BadMirror:
    """Three daemons, of which the last is reached by way of a proxy."""

    def __init__(self, folder: pathlib.Path, seed: int) -> None:
        self.folder, self.chance = folder, random.Random(seed)
        self.stack = contextlib.ExitStack()
        self.good = [Daemon(folder / f"good{number}") for number in range(2)]
        self.disk = SmallDisk(folder / "disk", _DISK) if SmallDisk.possible() else None
        if self.disk:
            self.stack.enter_context(self.disk)
        self.release = Release(folder, body=_BODY)
        self.number = 0
        self.readers = Readers()
        self.said: dict[str, str] = {}

    def __enter__(self) -> BadMirror:
        with contextlib.ExitStack() as stack:
            stack.push(self.stack)
            self.bad = Daemon(self.folder / "bad", tree=self.folder / "disk" / "tree", hook=True)
            for daemon in self._daemons():
                stack.enter_context(daemon)
            self.proxy = stack.enter_context(Proxy(self.bad.port))
            self._publish()
            done = self._sync("all")
            assert done.status == 0, done
            stack.enter_context(self.readers)
            by_hash(self.readers, "apt", [daemon.path for daemon in self._daemons()], (0, 0.05))
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stack.close()

    def _daemons(self) -> list[Daemon]:
        return [*self.good, self.bad]

    @property
    def address(self) -> str:
        return self.bad.address(self.proxy.port)

    def _publish(self) -> None:
        self.before = set(self.release.shown)
        self.number += 1
        self.release.publish(f"package{self.number:05}")

    def _sync(self, quorum: str, timeout: int = 60) -> Outcome:
        addresses = [*(daemon.address() for daemon in self.good), self.address]
        return self.release.sync(addresses, quorum=quorum, timeout=timeout)

    def attempt(self, name: str) -> None:
        """One kind of bad mirror: all must follow, then two, then it is well again."""
        kind = KINDS[name]
        try:
            self._publish()
            kind.spoil(self)
            self._all_must_follow(kind)
            self.well()
            kind.spoil(self)
            self._two_follow(name, kind)
            self.well()
            self._brought_up()
        except AssertionError as error:
            raise BrokenPromiseError(f"{name}: {error}") from error

    def _all_must_follow(self, kind: Kind) -> None:
        done = self._sync("all", kind.timeout)
        assert not done.traceback, str(done)
        if done.status == 0:
            assert "switched" in kind.outcome, f"all followed, one of them cannot have: {done}"
            assert self._shown() == [self.release.shown] * 3, str(done)
            return
        assert done.result.get("reason") in ("quorum_not_met", "quorum_lost"), str(done)
        assert self._shown()[:2] == [self.before] * 2, f"one was bad, and another one switched: {done}"
        assert outcomes(done).get(self.address) == "failed", str(done)

    def _two_follow(self, name: str, kind: Kind) -> None:
        done = self._sync("2", kind.timeout)
        assert done.status == 0 and not done.traceback, str(done)
        shown, row = self._shown(), self._row(done)
        assert shown[:2] == [self.release.shown] * 2, "the good ones did not follow"
        followed = self.release.shown == self.before or row["outcome"] in ("switched", "unchanged")
        assert row["outcome"] in kind.outcome or (followed and "switched" in kind.outcome), str(row)
        if row["outcome"] == "away":
            assert row["message"].strip(), "it is away, and nobody is told why"
            self.said[name] = row["message"]
        else:
            assert shown[2] == self.release.shown, (
                f"said to have {row['outcome']}, and it shows the old state"
            )

    def _row(self, done: Outcome) -> dict[str, t.Any]:
        rows = [row for row in done.result["mirrors"] if row["address"] == self.address]
        assert len(rows) == 1, str(done)
        return dict(rows[0])

    def _shown(self) -> list[set[str]]:
        found = [self.release.read(daemon.path) for daemon in self._daemons()]
        for shown in found:
            assert shown in (self.before, self.release.shown), f"a mirror shows {sorted(shown)}"
        return found

    def _brought_up(self) -> None:
        done = self._sync("all")
        assert done.status == 0, f"the next run: {done}"
        assert self._shown() == [self.release.shown] * 3, f"after the next run one is behind: {done}"
        expected = tree(self.release.source)
        for daemon in self._daemons():
            found = tree(daemon.path)
            wrong = [path for path in expected if found.get(path) != expected[path]]
            assert not wrong, f"{daemon.folder.name}: {wrong[:3]} differ from the source after the next run"

    def well(self) -> None:
        """Nothing is wrong with it any more; what it holds stays as it is."""
        self.proxy.well()
        self.bad.order()
        if self.disk:
            self.disk.empty()
        self.bad.set(read_only="no", max_connections="0")
        if self.bad.largest:
            self.limit(0)
        if self.bad.process is None:
            self.bad.start()

    def full(self, free: int) -> None:
        assert self.disk
        self.disk.fill(free)

    def limit(self, largest: int) -> None:
        self.bad.stop()
        self.bad.largest = largest
        self.bad.start()

    def lie(self, patterns: tuple[str, ...], times: int = FOREVER) -> None:
        self.bad.order(spoil=patterns, times=times)

    def drop(self, times: int) -> None:
        """Somewhere within what a run sends, which is a package and a little more."""
        self.proxy.drop_after(self.chance.randrange(1, _BODY + 50_000), times)

    def slow_down(self) -> None:
        self.proxy.rate = 4000


KINDS: dict[str, Kind] = {
    "down": Kind(lambda it: it.bad.stop()),
    "read-only": Kind(lambda it: it.bad.set(read_only="yes")),
    "too many connections": Kind(lambda it: it.bad.set(max_connections="-1")),
    "no room for a large file": Kind(lambda it: it.limit(_BODY // 2)),
    "silent": Kind(lambda it: setattr(it.proxy, "silent", True), timeout=_SHORT),
    "slow": Kind(lambda it: it.slow_down(), timeout=_SHORT),
    "drops once": Kind(lambda it: it.drop(1), EITHER),
    "drops always": Kind(lambda it: it.drop(FOREVER), EITHER),
    "packages are not what was sent": Kind(lambda it: it.lie(_POOL), EITHER),
    "one package is not what was sent": Kind(lambda it: it.lie(_POOL, 1), EITHER),
    "indexes are not what was sent": Kind(lambda it: it.lie(_INDEXES), EITHER),
}
if SmallDisk.possible():
    KINDS["full"] = Kind(lambda it: it.full(0))
    KINDS["nearly full"] = Kind(lambda it: it.full(it.chance.randrange(4096, _BODY)))
