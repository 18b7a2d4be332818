# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who works on a stage: so that two never do, and what a dead controller left behind is ended.

``under_way/NAME.json`` is there from the beginning of a stage until its record is written. One that nobody
works on any more says that the stage was killed.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _process
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import read_json, write_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run

FOLDER = "under_way"
HEARD = ".heard"  # touched by whoever follows a long module from another host
SILENCE = 180.0  # seconds without that, until the module takes its controller for gone
_LOOK = 1.0


def note(run: Run, stage: str) -> dict[str, t.Any] | None:
    """Who works on a stage, or did when it was killed; None when nobody does."""
    with contextlib.suppress(FileNotFoundError):
        path = run.file(FOLDER, f"{stage}.json")
        if os.path.exists(path):
            value: dict[str, t.Any] = read_json(path)
            return value
    return None


def names(run: Run) -> list[str]:
    """The stages that have a note."""
    folder = run.file(FOLDER)
    found = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(name[:-5] for name in found if name.endswith(".json"))


def begin(run: Run, stage: str, work: dict[str, t.Any], alone: bool) -> None:
    """Note who begins a stage (``work``: ``controller`` and what is kept until its end).

    ``alone``: this process does the work; else the tasks of the controller do. What an earlier
    try left is ended when its controller is gone. Error ``stage_busy``: it is not.
    """
    os.makedirs(run.file(FOLDER), exist_ok=True)
    me = _process.identity(os.getpid()) if alone else None
    with file_lock(run.file(FOLDER, ".lock"), timeout=60):
        before = note(run, stage)
        if before is not None:
            _succeed(run, stage, before, work.get("controller"))
        write_json(run.file(FOLDER, f"{stage}.json"), {"version": 1, "stage": stage, "process": me, **work})


def of_another(run: Run, stage: str, controller: dict[str, t.Any] | None) -> bool:
    """Whether another controller, which lives as far as this host can tell, works on a stage."""
    before = note(run, stage) or {}
    others = before.get("controller")
    if others is not None and others == controller:
        return False
    return _process.alive(others if _process.here(others) else before.get("process"))


def _succeed(run: Run, stage: str, before: dict[str, t.Any], controller: dict[str, t.Any] | None) -> None:
    others, process = before.get("controller"), before.get("process")
    if of_another(run, stage, controller):
        who: dict[str, t.Any] = (others if _process.alive(others) else process) or {}
        raise DistrogateError(
            "stage_busy",
            f"Stage {stage} of {run.path} is being worked on by process {who.get('pid')} on"
            f" {who.get('host')}. Wait for it, or end it, and run this again.",
        )
    if process is not None and not _process.end(process):
        raise DistrogateError(
            "stage_busy",
            f"Process {process.get('pid')} was left by an earlier try of stage {stage} and cannot be ended."
            " End it by hand.",
        )


def end(run: Run, stage: str) -> None:
    """The stage's record is written."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(run.file(FOLDER, f"{stage}.json"))


def stop(run: Run, stage: str) -> None:
    """End the process that works on a stage, should it run here. Error ``stage_busy``: it does not end."""
    before = note(run, stage)
    process = (before or {}).get("process")
    if process is not None and not _process.end(process):
        raise DistrogateError(
            "stage_busy", f"Process {process.get('pid')} of stage {stage} cannot be ended. End it by hand."
        )


@contextlib.contextmanager
def ended_with(controller: dict[str, t.Any] | None, progress_file: str | None) -> t.Iterator[None]:
    """While this lasts, the process ends soon after its controller did (SIGTERM, to itself)."""
    done = threading.Event()
    near = _process.here(controller)
    heard = None if near or not progress_file else progress_file + HEARD
    if not near and heard is None:
        yield
        return
    if heard is not None:
        _touch(heard)
    watch = threading.Thread(target=_watch, args=(controller, heard, done), daemon=True)
    watch.start()
    try:
        yield
    finally:
        done.set()
        watch.join()
        if heard is not None:
            with contextlib.suppress(OSError):
                os.unlink(heard)


def _touch(path: str) -> None:
    with open(path, "ab"):
        os.utime(path)


def _watch(controller: dict[str, t.Any] | None, heard: str | None, done: threading.Event) -> None:
    while not done.wait(_LOOK):
        if heard is None:
            gone = not _process.alive(controller)
        else:
            try:
                gone = time.time() - os.stat(heard).st_mtime > SILENCE
            except OSError:
                gone = True
        if gone:
            _process.end(_process.identity(os.getpid()), seconds=0)
            return
