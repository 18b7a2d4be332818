# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Giving a lease back when its playbook ended without having done so (``te_lock with_playbook``).

A playbook that is killed leaves workers, which go on with their tasks on the TE. Nobody's children any more,
they are known by what they share with the dead: the pipes by which workers tell their playbook what became
of a task, noted while it lived.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guards import Guards
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holder import Holder
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_process import (
    descendants,
    everything,
    opened,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._lease_file import LeaseFile
from ansible_collections.distrogate.ci.plugins.module_utils._leases._trusted_file import Known

_PAUSE_SECONDS = 1.0
_GONE_SECONDS = 2.0


def pipes_of(playbook: int) -> frozenset[str]:
    """The pipes that only a playbook and those below it have open, as proc(5) names them: ``pipe:[4711]``.

    Others, such as those of a CI system or of make, it may share with processes that are not its own.
    """
    processes = everything()
    own = {playbook, *descendants([playbook], processes)}
    others = {pipe for pid in processes if pid not in own for pipe in _pipes(pid)}
    return frozenset(_pipes(playbook)) - others


def _pipes(pid: int) -> t.Iterator[str]:
    folder = f"/proc/{pid}/fd"
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):
                target = os.readlink(f"{folder}/{name}")
                if target.startswith("pipe:"):
                    yield target


def orphans(pipes: frozenset[str]) -> dict[int, int]:
    """Those who have one of these pipes open, and all below them, as pid: start; without ourselves."""
    processes = everything()
    heads = [pid for pid in processes if pid != os.getpid() and not pipes.isdisjoint(_pipes(pid))]
    return {**{pid: processes[pid].start for pid in heads}, **descendants(heads, processes)}


def end_orphans(pipes: frozenset[str], say: t.Callable[[str], None]) -> None:
    """End what a dead playbook left: asked first, so that what runs on other hosts is ended, too."""
    for number, seconds in ((signal.SIGTERM, _GONE_SECONDS), (signal.SIGKILL, _GONE_SECONDS)):
        left = orphans(pipes)
        if not left:
            return
        say(f"ends what the playbook left: {', '.join(map(str, sorted(left)))}")
        for pid, start in left.items():
            with opened(pid, start) as process:
                if process is not None:
                    process.send(number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and orphans(pipes):
            time.sleep(0.05)


def give_back(
    lease_file: str, known: Known, deadline: t.Callable[[], float], say: t.Callable[[str], None]
) -> None:
    """Revoke the lease's keys, end it and remove its file. A store that is away is asked until ``deadline``,
    in seconds from now, is over: then the lease has ended by itself."""
    while True:
        try:
            with open_store(known.store, create=False) as store:
                held = Holder(store, known.pool, known.lease, known.secret)
                Guards(held.lease(), f"{lease_file}.key").end_all(say)
                held.release()
            break
        except DistrogateError as error:
            if error.reason == "lease_lost" or deadline() <= 0:
                say(f"could not give the lease back: {error.message}")
                break
            time.sleep(_PAUSE_SECONDS)
    LeaseFile(lease_file).remove(log=True)
