# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mirrors under attack: with every run there is one more thing to publish."""

from __future__ import annotations

import hashlib
import pathlib
import typing as t

from ansible_collections.distrogate.ci.tests.faults.kill import Subject
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
