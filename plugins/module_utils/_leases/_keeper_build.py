# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a keeper is made of: the store's lease, the guards of its TEs, the playbook."""

from __future__ import annotations

import functools
import importlib
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store, open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases import _keeper_release as release
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holder import Holder
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper import Keeper
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_lock import KeeperLock, lock_path
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_process import Process
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_release import (
    end_orphans,
    pipes_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_renewal import Renewal
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_stop import stop_playbook
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_voice import Voice
from ansible_collections.distrogate.ci.plugins.module_utils._leases._trusted_file import Known, read_trusted

_CLIENT = "ansible_collections.distrogate.ci.plugins.module_utils._leases._guard_client"


class Times(t.NamedTuple):
    """For how long a renewal lasts, and when the last one before the keeper began."""

    ttl: float
    since: float


class StoreLease:
    """Renews in the store, over one connection; after an error over a new one."""

    def __init__(self, known: Known, ttl: float) -> None:
        self._known = known
        self._ttl = ttl
        self._store: Store | None = None

    def renew(self) -> None:
        if self._store is None:
            self._store = open_store(self._known.store, create=False)
        try:
            holder(self._store, self._known).renew(self._ttl)
        except BaseException:
            self._store.close()
            self._store = None
            raise


def holder(store: Store, known: Known) -> Holder:
    return Holder(store, known.pool, known.lease, known.secret)


def build(words: list[str]) -> tuple[Keeper, KeeperLock]:
    """The keeper, bound to the playbook, after a look at the living lease. The words are the program's."""
    lease_file, pid, start = words[0], int(words[1]), int(words[2])
    ttl, since, lock = float(words[3]), float(words[4]), int(words[5])
    playbook = Process(pid, start)
    voice = Voice(f"{lease_file}.log", pid)
    known = read_trusted(lease_file)
    if known is None:
        raise DistrogateError("no_lease_file", f"The lease file {lease_file} has gone.")
    with open_store(known.store, create=False) as store:
        lease = holder(store, known).lease()
    renewals = _renewals(lease_file, known, lease, Times(ttl, since), voice)
    held = KeeperLock(lock_path(lease_file, pid), lock)
    pipes = pipes_of(pid)

    def give_back(deadline: t.Callable[[], float]) -> None:
        end_orphans(pipes, voice.note)
        release.give_back(lease_file, known, deadline, voice.note)

    keeper = Keeper(
        lease_file,
        known,
        lease,
        playbook=playbook,
        renewals=renewals,
        voice=voice,
        stop=functools.partial(stop_playbook, playbook, voice.say),
        give_up=functools.partial(held.say, "", 0),
        give_back=give_back if words[6] == "give_back" else None,
    )
    held.say(known.lease, ttl)
    return keeper, held


def _renewals(
    lease_file: str, known: Known, lease: dict[str, t.Any], times: Times, voice: Voice
) -> list[Renewal]:
    def made(what: str, renew: t.Callable[[], object]) -> Renewal:
        return Renewal(what, renew, ttl=times.ttl, since=times.since, say=voice.say)

    renewals = [made("the lease", StoreLease(known, times.ttl).renew)]
    for te in lease["tes"]:
        for guard in te.get("guards", []):
            # Only a TE with a guard needs the program that speaks to one.
            # One that hangs is asked again before its deadline.
            client = importlib.import_module(_CLIENT).Guard(guard, timeout=max(5.0, times.ttl / 3))
            what = f"the guard of TE {te['name']} on {guard['host']}"
            renewals.append(made(what, functools.partial(client.renew, times.ttl, f"{lease_file}.key")))
    return renewals
