# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One mirror's part in a transaction: make ready, switch, go back, end."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._classify import SWITCH, classify
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._layout import Layout
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._paths import (
    PRIVATE,
    STAGING,
    file_in,
    printable,
    staging_folder,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._peers import Peer
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._plan import Base, Plan, make_plan
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._record import Record
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot_parts import Snapshot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshots import Delta, Snapshots

_SHOWN = 5


class Work:
    """What is done on one mirror. ``found`` names what was not as its list says (deep)."""

    def __init__(self, peer: Peer, layout: Layout, snapshots: Snapshots) -> None:
        self.peer = peer
        self.layout = layout
        self.snapshots = snapshots
        self.base = Base(None)
        self.plan: Plan | None = None
        self.found: dict[str, list[bytes]] = {}

    @property
    def address(self) -> str:
        return self.peer.address

    def aim(self, target: Snapshot) -> Plan:
        """Plan the way from what the mirror holds to ``target``."""
        self.plan = make_plan(self.snapshots, self.base, target)
        return self.plan

    @property
    def aimed(self) -> Plan:
        if self.plan is None:
            raise AssertionError("a mirror is given something before it is known what it lacks")
        return self.plan

    def prepare(self, record: Record, back: bool = False) -> None:
        """Add the new names, put the others in waiting, and compare what arrived.

        ``back`` to an older state: what the source has no more must still lie on the mirror.
        """
        plan = self.aimed
        self.layout.clear()
        if back:
            plan = self.plan = self._without_kept(plan)
        parts = self.layout.lay(plan)
        parts[-1][1].append(self.layout.record(record, self.layout.send))
        try:
            for folder, names in parts:
                if folder == self.layout.source and not plan.checksum:
                    self.peer.fill(folder, names)
                else:
                    self.peer.send(folder, names, checksum=plan.checksum)
            for folder, names in parts:
                self._compare(folder, names)
        except DistrogateError as error:
            self.layout.check(parts, plan.entries)  # rsync blames the transfer when the source changed
            raise error

    def _compare(self, folder: str, names: list[bytes]) -> None:
        # rsync's quick look compares whole seconds: what it took for the same is sent again.
        wrong = self.peer.differing(folder, names)
        if wrong:
            self.peer.send(folder, wrong, checksum=True)
            wrong = self.peer.differing(folder, wrong)
        if wrong:
            shown = ", ".join(repr(name.decode("utf-8", "backslashreplace")) for name in wrong[:_SHOWN])
            why = f"{len(wrong)} files differ from the source after they were sent twice: {shown}"
            raise DistrogateError("mirror_failed", f"{self.address}: {why}", why=why)

    def _without_kept(self, plan: Plan) -> Plan:
        """The plan without content that lies on the mirror still."""
        here = {path for path in plan.added if os.path.lexists(file_in(self.layout.source, path))}
        gone = {path: plan.entries[path] for path in plan.added if path not in here}
        lost = self.peer.missing({path: entry.size for path, entry in gone.items()})
        if not lost:
            lost = self.peer.spoilt({path: (entry.size, entry.sha256) for path, entry in gone.items()})
        if lost:
            why = f"it lost {len(lost)} files that the source has no more, such as {printable(lost[0])}"
            raise DistrogateError("mirror_failed", f"{self.address}: {why}", why=why)
        return dataclasses.replace(plan, added=[path for path in plan.added if path in here])

    def inspect(self, target: Snapshot, known: t.Container[bytes]) -> None:
        """Compare everything with what it ought to be; the plan is to repair that alone.

        ``known`` are the names that some state has.
        """
        plan = make_plan(self.snapshots, Base(None, certain=False, blank=self.base.blank), target)
        self.layout.clear()
        self.layout.lay_ready(plan.waiting, plan.entries)
        written = [path for path in plan.lists if os.path.lexists(file_in(self.layout.source, path))]
        wrong = set(self.peer.differing(self.layout.source, plan.added + written))
        wrong.update(set(plan.lists) - set(written))  # in check mode new lists are in memory alone
        index = set(self.peer.differing(self.layout.ready, plan.waiting))
        unknown = sorted(path for path in self.peer.every_name() if path not in known and not _private(path))
        self.found = {"differing": sorted(wrong | index), "unknown": unknown}
        self.plan = dataclasses.replace(
            plan,
            added=[path for path in plan.added if path in wrong],
            lists=[path for path in plan.lists if path in wrong],
            plain=[path for path in plan.plain if path in index],
            switches=[path for path in plan.switches if path in index],
            size=sum(entry.size for path, entry in plan.entries.items() if path in wrong | index),
        )

    def switch(self) -> None:
        """Rename what waits: plain-name files first, then the files that name the rest."""
        self.peer.switch(self.layout.ready, self.aimed.plain, self.aimed.switches)

    def restore(self, before: Snapshot | None, after: Snapshot) -> list[bytes]:
        """Bring back the index files of ``before``; returns those that only ``after`` has, which may go."""
        delta = self.snapshots.delta(after, before)
        if not self.base.certain:
            delta = Delta(delta.content, self.snapshots.delta(None, before).index + _only_before(delta))
        entries = {path: entry for path, _after, entry in [*delta.index, *delta.content] if entry}
        index = sorted(path for path, _after, entry in delta.index if entry)
        self.layout.clear()
        self.layout.lay_ready(index, entries)
        self.peer.switch(
            self.layout.ready,
            [path for path in index if classify(path) != SWITCH],
            [path for path in index if classify(path) == SWITCH],
        )
        return _names(_only_before(delta))

    def end(self, record: Record, doomed: t.Iterable[bytes], folders: t.Iterable[str]) -> None:
        """Write down what the mirror holds, delete what it may lose, and remove what waits in vain."""
        waiting = {staging_folder(path) for path in (self.plan.waiting if self.plan else [])}
        waiting.update(folder.encode("utf-8", "surrogateescape") for folder in folders)
        put = [self.layout.record(record, self.layout.end)]
        self.peer.finish(self.layout.end, put, doomed, sorted(waiting))

    def folders(self) -> list[str]:
        """Where files wait."""
        paths = self.plan.waiting if self.plan else []
        return sorted({staging_folder(path).decode("utf-8", "surrogateescape") for path in paths})


def _private(path: bytes) -> bool:
    parts = path.split(b"/")
    return PRIVATE in parts or STAGING in parts


def _only_before(delta: Delta) -> list[t.Any]:
    return [change for change in delta.index if change[2] is None]


def _names(changes: list[t.Any]) -> list[bytes]:
    return [path for path, _before, _after in changes]
