# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a mirror holds: by its own record, and by our journal where nobody else wrote since."""

from __future__ import annotations

import contextlib
import os

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._depot import Depot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._plan import LISTS, Base
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._reading import Look
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._record import Record
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot_parts import (
    Snapshot,
    from_json,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshots import Snapshots
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._work import Work

_LIST_LIMIT = 1 << 30  # bytes of a mirror's lists


def base_of(look: Look, work: Work, depot: Depot) -> Base:
    """Find out what a mirror holds, as far as it can be known without comparing files."""
    record, held = look.record, depot.held(work.address)
    if record is None:
        return Base(None, certain=False, blank=look.blank)
    if record.origin == depot.journal.state.origin and record.serial in held.serials:
        if held.snapshot is None:
            return Base(None, certain=False, blank=held.certain, ours=True)
        if depot.snapshots.known(held.snapshot):
            return Base(depot.snapshots.load(held.snapshot), held.certain, ours=True)
    snapshot = _stated(record, work, depot)
    return Base(snapshot, certain=snapshot is not None and record.next is None)


def _stated(record: Record, work: Work, depot: Depot) -> Snapshot | None:
    """The snapshot that a record names, with its lists from the mirror when we do not have them."""
    if record.snapshot is None:
        return None
    if depot.snapshots.known(record.snapshot):
        return depot.snapshots.load(record.snapshot)
    try:
        snapshot = from_json(record.parts)
        if snapshot.id != record.snapshot:
            return None
        with contextlib.nullcontext() if depot.snapshots.lists.in_memory else depot.snapshots.lists.hold():
            _fetch_lists(snapshot, work, depot.snapshots)
            if not depot.snapshots.lists.in_memory:
                depot.snapshots.save(snapshot)
    except DistrogateError as error:
        if error.reason in ("bad_snapshot", "bad_list"):
            return None  # everything is compared
        raise
    return snapshot


def _fetch_lists(snapshot: Snapshot, work: Work, snapshots: Snapshots) -> None:
    folder = os.path.join(work.layout.folder, "lists")
    asked: set[str] = set()
    while missing := set(snapshots.missing(snapshot)):
        if missing & asked:
            raise DistrogateError("bad_list", "The mirror does not have the lists that its record names.")
        asked |= missing
        names = [LISTS + name.encode() for name in sorted(missing)]
        os.makedirs(folder, exist_ok=True)
        for name in work.peer.fetch(names, folder, _LIST_LIMIT):
            path = os.path.join(folder, os.fsdecode(name))
            with open(path, "rb") as stream:
                snapshots.lists.take(name.rpartition(b"/")[2].decode("ascii"), stream.read())
            os.unlink(path)
