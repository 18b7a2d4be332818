# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the mirrors may lose: files that only superseded states name, when nobody can need them."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._depot import Depot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal_state import Shown
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._plan import LISTS
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot_parts import Snapshot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshots import Snapshots


@dataclasses.dataclass(frozen=True)
class Limits:
    """How long what is superseded stays: so many states, so many seconds, and what is pinned."""

    keep: int
    keep_seconds: float
    pinned: frozenset[str]


class Retirement:
    """Deletes by name what we sent and what no kept state names; nothing else."""

    def __init__(self, depot: Depot, limits: Limits) -> None:
        self.depot = depot
        self.journal = depot.journal
        self.snapshots = depot.snapshots
        self.limits = limits

    def expire(self, addresses: t.Collection[str]) -> int:
        """Write down what each mirror may lose; returns how many files that is for one of them, at most.

        A mirror that is no longer named is forgotten: should it return, it says itself what it has.
        """
        state = self.journal.state
        expired, kept = self._parted()
        names = self._only_in(expired, kept)
        for address in state.mirrors.keys() - set(addresses):
            del state.mirrors[address]
            self.journal.doom(address, ())
        state.shown = kept
        losses = self._losses(names)
        for address, doomed in losses.items():
            if doomed != self.journal.doomed(address):
                self.journal.doom(address, doomed)
        if expired:
            self.journal.save()  # after the lists of what goes: killed in between, they are made again
        return _most(losses)

    def predict(self, addresses: t.Collection[str]) -> int:
        """What ``expire`` would return; nothing is written."""
        state = self.journal.state
        expired, kept = self._parted()
        names = self._only_in(expired, kept)
        state.shown = kept
        state.mirrors = {address: held for address, held in state.mirrors.items() if address in addresses}
        return _most(self._losses(names))

    def _losses(self, names: set[bytes]) -> dict[str, set[bytes]]:
        """By mirror, all that it may lose now."""
        pending = {address: self.journal.doomed(address) for address in self.journal.state.mirrors}
        return {
            address: self._unused(doomed | names) for address, doomed in pending.items() if names or doomed
        }

    def expires(self) -> bool:
        """Whether a state is over."""
        return bool(self._parted()[0])

    def _parted(self) -> tuple[list[Shown], list[Shown]]:
        """The states that are over, and those that stay."""
        state, limit = self.journal.state, time.time() - self.limits.keep_seconds
        older = state.shown[: -1 - self.limits.keep] if state.transaction is None else []
        needed = state.in_work()
        expired: list[Shown] = []
        for number, one in enumerate(older):
            until = state.shown[number + 1].since
            if until <= limit and not self._pinned(one) and one.snapshot not in needed:
                expired.append(one)
        return expired, [one for one in state.shown if one not in expired]

    def _pinned(self, one: Shown) -> bool:
        pins = self.limits.pinned
        return bool(pins & {one.snapshot, f"sha256:{one.snapshot}", *one.names})

    def _only_in(self, expired: list[Shown], kept: list[Shown]) -> set[bytes]:
        """Names that the expired states have and the state after each does not."""
        names: set[bytes] = set()
        follower = self.snapshots.load(kept[-1].snapshot) if kept else None
        kept_ids = {one.snapshot for one in kept}
        for one in expired:
            if one.snapshot in kept_ids or not self.snapshots.known(one.snapshot):
                continue
            snapshot = self.snapshots.load(one.snapshot)
            delta = self.snapshots.delta(snapshot, follower)
            names.update(path for path, _before, after in [*delta.content, *delta.index] if after is None)
            names.update(_list_names(self.snapshots, snapshot))
        return names

    def _unused(self, names: set[bytes]) -> set[bytes]:
        """Those that no state which is still referenced has."""
        for snapshot in self.depot.referenced() if names else []:
            names = names - self.snapshots.find(snapshot, names).keys()
            names -= _list_names(self.snapshots, snapshot)
        return names


def _most(losses: dict[str, set[bytes]]) -> int:
    """Lists are not counted: nobody but us reads them."""
    return max((sum(not name.startswith(LISTS) for name in doomed) for doomed in losses.values()), default=0)


def _list_names(snapshots: Snapshots, snapshot: Snapshot) -> set[bytes]:
    return {LISTS + name.encode() for name in snapshots.names(snapshot)}
