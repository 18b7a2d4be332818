# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mirrors under attack: with every run there is one more thing to publish."""

from __future__ import annotations

import hashlib
import pathlib
import typing as t

from ansible_collections.distrogate.ci.tests.faults.kill import Subject
from ansible_collections.distrogate.ci.tests.faults.mirrors_sources import Release, outcomes, tree
from ansible_collections.distrogate.ci.tests.faults.run import Outcome
from ansible_collections.distrogate.ci.tests.tools.mirror_daemons import Daemon
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import publish


class Mirrors(Subject):
    """Reads two mirrors; both must show what the source showed before or after."""

    module = "mirror_sync"

    def prepare(self) -> None:
        self.number = 0
        self.mirrors = [self.folder / name for name in ("mirror1", "mirror2")]
        for mirror in self.mirrors:
            mirror.mkdir()
        self.reset("add")
        self.call()

    def arguments(self) -> dict[str, t.Any]:
        mirrors = [str(mirror) for mirror in self.mirrors]
        return {"source": str(self.folder / "source"), "name": "public", "mirrors": mirrors, "timeout": 60}

    def reset(self, operation: str) -> None:
        self.number += 1
        publish(self.folder / "source" / "apt", f"state {self.number}", pool=f"p_{self.number}.deb")
        self.before, self.after = self._states(self.number - 1), self._states(self.number)

    def _states(self, number: int) -> set[str]:
        return {f"state {earlier}" for earlier in range(1, number + 1)}

    def look(self) -> set[str]:
        shown = {self._shown(mirror) for mirror in self.mirrors}
        number = min(int(state.split()[1]) for state in shown)
        assert len(shown) == 1 or shown == {f"state {number}", f"state {number + 1}"}, shown
        for mirror in self.mirrors:
            for earlier in range(1, number + 1):
                assert (mirror / "apt" / "pool" / f"p_{earlier}.deb").exists()
        return self._states(number)

    def _shown(self, mirror: pathlib.Path) -> str:
        suite = mirror / "apt" / "dists" / "stable"
        digest, size, name = (suite / "InRelease").read_text().splitlines()[-1].split()
        data = ((suite / name).parent / "by-hash" / "SHA256" / digest).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (digest, int(size))
        return data.decode()

    def at_rest(self) -> None:
        for mirror in self.mirrors:
            packages = (mirror / "apt/dists/stable/main/binary-amd64/Packages").read_text()
            assert packages == self._shown(mirror) == f"state {self.number}"


class Daemons(Subject):
    """Three daemons that follow one of our repositories; every decision is attacked, and what it deletes.

    Nothing replaced is kept here, neither in the source nor on the mirrors, so
    that each run deletes. Readers come between runs only.
    """

    module = "mirror_sync"
    operations = ("add", "prepare", "commit", "undo")

    def prepare(self) -> None:
        self.number, self.options = 0, dict[str, t.Any]()
        self.daemons = [Daemon(self.folder / f"daemon{number}") for number in range(3)]
        try:
            for daemon in self.daemons:
                daemon.start()
            self.release = Release(self.folder, keep=0, keep_seconds=0)
            self.reset("add")
            self.call()
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        for daemon in self.daemons:
            daemon.stop()

    def arguments(self) -> dict[str, t.Any]:
        mirrors = [daemon.address() for daemon in self.daemons]
        return self.release.arguments(mirrors, keep=1, keep_seconds=0, **self.options)

    def reset(self, operation: str) -> None:
        if self.options.get("state") == "prepared":
            self.options["state"] = "undone"
            self.call()
        self.options = {}
        if self.number:
            self.call()
        self.number += 1
        old = set(self.release.shown)
        self.release.publish(f"package{self.number:05}")
        self.before, self.after = old, set(self.release.shown)
        if operation == "add":
            return
        name = f"release{self.number}"
        if operation == "undo":
            self.options = {"state": "synced", "transaction": name}
            self.call()
            self.before, self.after = self.after, self.before
            self.options = {"state": "undone", "transaction": name}
            return
        self.options = {"state": "prepared", "transaction": name}
        if operation == "commit":
            self.call()
            self.options["state"] = "committed"
        else:
            self.after = self.before

    def look(self) -> set[str]:
        """Old on one mirror and new on another is fine, amid a run; a third state is not."""
        return self.before if self._behind() else self.after

    def _behind(self) -> set[str]:
        """The mirrors that do not show the new state."""
        found = {daemon.address(): self.release.read(daemon.path) for daemon in self.daemons}
        for address, shown in found.items():
            assert shown in (self.before, self.after), f"{address} shows {sorted(shown)}"
        return {address for address, shown in found.items() if shown != self.after}

    def survived(self, done: Outcome) -> None:
        """Success means everywhere; only what is undone may be so on some, and then the others are named."""
        behind, away = self._behind(), {one for one, what in outcomes(done).items() if what == "away"}
        if done.status == 0:
            assert behind <= away, f"success, and {sorted(behind - away)} stay behind unnoticed"
            assert not away or self.options.get("state") == "undone", f"success without {sorted(away)}"
        if done.result.get("reason") in ("quorum_lost", "quorum_not_met"):
            # It says that the transaction is over: what comes next is a transaction of its own.
            self.options = {"state": "synced"} if self.options.get("state") == "committed" else self.options
        again = self.call()
        behind = self._behind()
        assert not behind, (
            f"after the next run {sorted(behind)} are behind; it said {again.result['mirrors']}"
        )
        self.at_rest()

    def at_rest(self) -> None:
        """All that the source has is on each mirror, byte for byte, and nothing waits there."""
        if self.options.get("state") in ("prepared", "undone"):
            return
        expected = tree(self.release.source)
        for daemon in self.daemons:
            found = tree(daemon.path)
            assert {path: found.get(path) for path in expected} == expected, (
                "a mirror differs from the source"
            )
            waiting = list(daemon.path.rglob(".distrogate-staging"))
            assert not waiting, f"left behind: {waiting[0]}"
