# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The store's keys of a pool. Names are checked first, so that no name makes a key of another kind.

te/<pool>/te/<te>                   a TE: what it is, its phase, the lease on it, its fence
te/<pool>/fence/<te>                the fence of a TE that was removed: it only rises
te/<pool>/class/<class>             labels that TEs share, and how many TEs have them
te/<pool>/free/<class>/<te>         index: may be granted
te/<pool>/dirty/<class>/<te>        index: has to be cleaned
te/<pool>/host/<host>               index: the TE that has this host
te/<pool>/busy/<te>/<id>            index: under this lease
te/<pool>/lease/<id>                a living lease; the entry ends with it
te/<pool>/life/<id>                 while this lives the lease may be renewed
te/<pool>/quota/<person>            written with each hold, so that two do not pass the quota together
te/<pool>/queue                     written by each newcomer
te/<pool>/reaper                    who looks for leases that ended
group/<pool>/<group>                what those who wait in it ask for
waiter/<pool>/<group>/<id>         one who waits; ends with its process
note/<client>                       the lease that was granted to a client
epoch                               how often a store was restored from a backup
"""

from __future__ import annotations

import hashlib
import re

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

EPOCH = "epoch"
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}\Z")


def checked_name(name: str, what: str) -> str:
    """A pool's or TE's name, which becomes a part of keys."""
    if not _NAME.match(name):
        shown = repr(name) if len(name) < 100 else f"{name[:80]!r}… ({len(name)} characters)"
        raise DistrogateError(
            "bad_name", f"{shown} is not a {what}'s name: use letters, digits, '.', '_' and '-', at most 63."
        )
    return name


class Keys:
    """The keys of one pool."""

    def __init__(self, pool: str) -> None:
        self.pool = checked_name(pool, "pool")
        self.listed = f"pool/{pool}"
        self.base = f"te/{pool}/"
        self.tes = f"{self.base}te/"
        self.classes = f"{self.base}class/"
        self.busy_all = f"{self.base}busy/"
        self.pending_all = f"{self.base}pending/"
        self.leases = f"{self.base}lease/"
        self.queue = f"{self.base}queue"
        self.reaper = f"{self.base}reaper"
        self.groups = f"group/{pool}/"
        self.waiters = f"waiter/{pool}/"

    def te(self, name: str) -> str:
        return self.tes + checked_name(name, "TE")

    def fence(self, name: str) -> str:
        return f"{self.base}fence/{checked_name(name, 'TE')}"

    def klass(self, klass: str) -> str:
        return self.classes + klass

    def free(self, klass: str, name: str = "") -> str:
        """The index of what is free in a class; without a name the prefix of all."""
        return f"{self.base}free/{klass}/{name}"

    def dirty(self, klass: str, name: str = "") -> str:
        return f"{self.base}dirty/{klass}/{name}"

    def host(self, host: str) -> str:
        return f"{self.base}host/{host}"

    def busy(self, name: str, lease: str) -> str:
        return f"{self.busy_all}{name}/{lease}"

    def pending(self, name: str) -> str:
        return self.pending_all + name

    def lease(self, lease: str) -> str:
        return self.leases + checked_name(lease, "lease")

    def life(self, lease: str) -> str:
        return f"{self.base}life/{checked_name(lease, 'lease')}"

    def quota(self, person: str) -> str:
        return f"{self.base}quota/{hashlib.sha256(person.encode('utf-8', 'replace')).hexdigest()[:32]}"

    def group(self, group: str) -> str:
        return self.groups + group

    def waiter(self, group: str, lease: str = "") -> str:
        """One who waits; without an id the prefix of all in the group."""
        return f"{self.waiters}{group}/{lease}"


def note(client: str) -> str:
    """Where a client is told of its grant."""
    return f"note/{client}"
