# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CPU seconds and memory of all processes that work for a command (cgroups(7)).

The counters are cpu.stat of version 2 and cpuacct.usage of version 1.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

SAMPLE = 0.05  # seconds between two looks at the memory


class LeftBehindError(RuntimeError):
    """A process of a command goes on after it: what it costs would not be counted."""


@dataclasses.dataclass(frozen=True)
class Place:
    """A folder below which cgroups can be made."""

    kind: str
    folder: Path
    counter: str

    @contextlib.contextmanager
    def group(self, *agents: int) -> Iterator[Path]:
        """A new cgroup with the agents in it; nothing else may be left there in the end."""
        group = self.folder / f"distrogate-bench-{os.getpid()}"
        group.mkdir()
        home = self.folder / "cgroup.procs"
        try:
            for agent in agents:
                _enter(group / "cgroup.procs", agent)
            yield group
            left = set((group / "cgroup.procs").read_text().split()) - set(map(str, agents))
            if left:
                raise LeftBehindError(f"processes {sorted(left)} still work after the command ended")
        finally:
            for agent in agents:
                _enter(home, agent)
            group.rmdir()

    def read(self, group: Path) -> float:
        """CPU seconds."""
        text = (group / self.counter).read_text()
        if self.counter == "cpu.stat":
            return int(dict(line.split() for line in text.splitlines())["usage_usec"]) / 1e6
        return int(text) / 1e9


class Watch:
    """The most memory that all processes of a cgroup but the agent had together; shared pages count once."""

    def __init__(self, group: Path | None, agent: int) -> None:
        self.group, self.agent = group, str(agent)
        self.most = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        if self.group:
            self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._end.set()
        if self.group:
            self._thread.join()

    def _look(self) -> None:
        assert self.group
        while not self._end.wait(SAMPLE):
            found = (self.group / "cgroup.procs").read_text().split()
            self.most = max(self.most, sum(_pss(process) for process in found if process != self.agent))


def _pss(process: str) -> int:
    with contextlib.suppress(OSError):  # it has ended
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _enter(procs: Path, process: int) -> None:
    procs.write_text(str(process))


def find() -> Place | None:
    """Where this process is in its hierarchy, if a child there can be made and entered."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    own = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    for _device, mount, kind, options, *_rest in mounts:
        if kind == "cgroup2":
            place = next((path for number, _names, path in own if number == "0"), None)
            found = Place("version 2", Path(mount + (place or "")), "cpu.stat")
        elif kind == "cgroup" and "cpuacct" in options.split(","):
            place = next((path for _number, names, path in own if "cpuacct" in names.split(",")), None)
            found = Place("version 1", Path(mount + (place or "")), "cpuacct.usage")
        else:
            continue
        if place and _usable(found):
            return found
    return None


def _usable(place: Place) -> bool:
    try:
        with subprocess.Popen(["sleep", "60"]) as probe:
            try:
                with place.group(probe.pid) as group:
                    return place.read(group) >= 0
            finally:
                probe.kill()
    except (OSError, KeyError, ValueError):
        return False
