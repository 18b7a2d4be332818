# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cleaner finds and why each thing goes or stays; each domain has a cleaner of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import stat
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import read_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import remove_folder

DAY = 86400.0


@dataclasses.dataclass
class Finding:
    """One file or folder: ``reason`` says why it goes (``remove``) or stays, in a few words.

    ``when_empty``: a folder that somebody may fill again meanwhile; then it stays.
    ``part``: it goes without its folder, whose age stays as it is.
    """

    kind: str
    path: str
    reason: str
    remove: bool
    when_empty: bool = False
    part: bool = False

    def as_result(self) -> dict[str, str]:
        return {"kind": self.kind, "path": self.path, "reason": self.reason}


class Rules:
    """What is too old, and what is in use whatever its age."""

    def __init__(
        self,
        keep_days: float,
        idle_days: float,
        pinned: t.Iterable[str] = (),
        now: float | None = None,
        *,
        held: t.Iterable[str] = (),
        held_days: float = 20,
    ) -> None:
        self.now = time.time() if now is None else now
        self.keep_days = keep_days
        self.idle_days = idle_days
        self.pinned = {os.path.realpath(path) for path in pinned}
        self.held = set(held)
        self.held_days = held_days
        self.busy = _paths_of_processes()

    def in_use(self, path: str) -> str:
        """Why a folder must stay whatever its age; empty when nothing uses it."""
        real = os.path.realpath(path)
        if any(_within(pin, real) or _within(real, pin) for pin in self.pinned):
            return "pinned"
        if any(_within(used, real) for used in self.busy):
            return "a process works in it"
        return ""

    def days(self, path: str, depth: int = 2) -> float:
        """Days since something in a folder changed, as deep as ``depth``; links are not followed."""
        return max(0.0, self.now - _newest(path, depth)) / DAY

    def judged(self, kind: str, path: str, days: float) -> Finding:
        """A folder that goes when it was not touched for ``days``, unless something uses it."""
        if why := self.in_use(path):
            return Finding(kind, path, why, False)
        age = self.days(path)
        return Finding(kind, path, f"not touched for {age:.1f} days", age >= days)

    def judged_run(self, path: str) -> Finding:
        """A run directory; what belongs to a TE that was held stays longer, and as long as it is held."""
        if not self.in_use(path) and (hold := _hold(path, self.held)):
            age, days = self.days(path), max(self.keep_days, self.held_days)
            if hold == "is":
                return Finding("run", path, "its TE is held", False)
            why = f"its TE was held: {days:g} days; not touched for {age:.1f} days"
            return Finding("run", path, why, age >= days)
        return self.judged("run", path, self.keep_days)


def _hold(run: str, held: set[str]) -> str:
    """``is`` when the TE of a run is held, ``was`` when its system test says so, else empty."""
    names = {os.path.basename(run), str(_read(run, "run.json").get("id"))}
    if names & held:
        return "is"
    facts = _read(run, "stages/system_test.json").get("facts")
    return "was" if isinstance(facts, dict) and facts.get("held") else ""


def _read(run: str, name: str) -> dict[str, t.Any]:
    with contextlib.suppress(DistrogateError, OSError):
        value = read_json(os.path.join(run, name))
        if isinstance(value, dict):
            return value
    return {}


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def _newest(path: str, depth: int) -> float:
    with contextlib.suppress(FileNotFoundError):
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode) or depth == 0:
            return status.st_mtime
        with contextlib.suppress(PermissionError):  # of another user's sandbox
            inside = [_newest(entry.path, depth - 1) for entry in os.scandir(path)]
            return max([status.st_mtime, *inside])
        return status.st_mtime
    return 0.0


def _paths_of_processes() -> set[str]:
    """Where processes work: their folders, roots and open files, as far as this user may look."""
    found = set()
    for process in (name for name in os.listdir("/proc") if name.isdigit()):
        links = [f"/proc/{process}/cwd", f"/proc/{process}/root"]
        with contextlib.suppress(OSError):
            links += [entry.path for entry in os.scandir(f"/proc/{process}/fd")]
        for link in links:
            with contextlib.suppress(OSError):
                found.add(os.readlink(link))
    return found


def folders(path: str | None) -> list[str]:
    """The real folders in a folder that may be missing; a link is never one."""
    if not path or not os.path.isdir(path):
        return []
    return sorted(entry.path for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False))


def find_runs(runs: str | None, rules: Rules) -> t.Iterator[Finding]:
    """Run directories, and in those that stay the sandboxes that a killed stage left."""
    for path in folders(runs):
        if not any(os.path.exists(os.path.join(path, name)) for name in ("run.json", "stages")):
            yield Finding("run", path, "not a run directory", False)
            continue
        frozen = os.path.exists(os.path.join(path, "run.json"))  # else it was killed before, and cannot go on
        finding = rules.judged_run(path) if frozen else rules.judged("run", path, rules.idle_days)
        yield finding
        scratch = os.path.join(path, "scratch")
        if finding.remove or finding.reason == "a process works in it" or not os.path.isdir(scratch):
            continue
        age = rules.days(path)
        if age >= rules.idle_days and not os.path.islink(scratch):
            yield Finding("scratch", scratch, f"left by a run that ended {age:.1f} days ago", True)


def apply(findings: t.Iterable[Finding], check_mode: bool) -> tuple[list[Finding], list[Finding], list[str]]:
    """Remove what goes; one that cannot be removed stays and keeps no other from going.

    Returns what was removed, what stays, and the errors.
    """
    removed, kept, errors = [], [], []
    for finding in findings:
        if not finding.remove:
            kept.append(finding)
            continue
        try:
            if not check_mode:
                _remove(finding)
            removed.append(finding)
        except (OSError, DistrogateError) as error:
            message = error.message if isinstance(error, DistrogateError) else str(error)
            kept.append(Finding(finding.kind, finding.path, "could not be removed", False))
            errors.append(f"{finding.path}: {message}")
    return removed, kept, errors


def _remove(finding: Finding) -> None:
    """A link goes itself, never what it names. What sandboxes left belongs to subordinate ids."""
    path = finding.path
    if finding.part:
        times = os.stat(os.path.dirname(path))
        _remove(dataclasses.replace(finding, part=False))
        os.utime(os.path.dirname(path), ns=(times.st_atime_ns, times.st_mtime_ns))
    elif os.path.islink(path) or not os.path.isdir(path):
        os.unlink(path)
    elif finding.when_empty:
        os.rmdir(path)
    else:
        try:
            shutil.rmtree(path)
        except PermissionError:
            remove_folder(path)
