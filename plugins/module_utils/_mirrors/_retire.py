# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the mirrors may lose: files that only superseded snapshots name, when nobody can need them."""

from __future__ import annotations

import contextlib
import os
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import write_atomic
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import Mirror
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal import Journal, Record
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._peer import Peer, each
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._transaction import Steps


class Limits(t.Protocol):
    """How long what is superseded stays."""

    @property
    def mirrors(self) -> list[Mirror]: ...

    @property
    def keep(self) -> int: ...

    @property
    def keep_seconds(self) -> float: ...


class Retirement:
    """Deletes by name what we sent and what no kept snapshot names; nothing else."""

    def __init__(self, journal: Journal, steps: Steps, limits: Limits) -> None:
        self.journal = journal
        self.steps = steps
        self.limits = limits

    def run(self) -> int:
        """Returns how many deletions were made on all mirrors together; one that is away keeps its list."""
        if self.journal.state.transaction is None:
            self._forget_others()
            self._expire()
        kept = self._kept()
        peers: list[tuple[Peer, set[bytes]]] = []
        for mirror in self.limits.mirrors:
            names = self._pending(mirror.address) - kept
            record = self.journal.state.mirrors.get(mirror.address)
            if names and record == Record(self.journal.state.committed):
                os.makedirs(self.journal.work, exist_ok=True)
                peers.append((self.steps.peer(mirror, record, {}), names))
        doomed = {peer.address: names for peer, names in peers}
        failed = each([peer for peer, names in peers], lambda peer: peer.remove(doomed[peer.address]))
        for address in doomed.keys() - failed.keys():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.journal.pending_path(address))
        return sum(len(names) for address, names in doomed.items() if address not in failed)

    def _forget_others(self) -> None:
        """A mirror that is no longer named is no longer known: should it return, all of it is compared."""
        state = self.journal.state
        others = state.mirrors.keys() - {mirror.address for mirror in self.limits.mirrors}
        for address in others:
            del state.mirrors[address]
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.journal.pending_path(address))
        if others:
            self.journal.save()

    def _expire(self) -> None:
        """Move what expired from the kept snapshots to the mirrors' lists, which are written first."""
        state = self.journal.state
        old = state.superseded[: max(0, len(state.superseded) - self.limits.keep)]
        limit = time.time() - self.limits.keep_seconds
        expired = [(name, since) for name, since in old if since <= limit]
        if not expired:
            return
        names = {path for name, since in expired for path in self.journal.listing(name)}
        remaining = [item for item in state.superseded if item not in expired]
        for address in state.mirrors:
            pending = self._pending(address) | names
            write_atomic(
                self.journal.pending_path(address), b"".join(name + b"\0" for name in sorted(pending))
            )
        state.superseded = remaining
        self.journal.save()

    def _kept(self) -> set[bytes]:
        return {path for name in self.journal.state.referenced() for path in self.journal.listing(name)}

    def _pending(self, address: str) -> set[bytes]:
        try:
            with open(self.journal.pending_path(address), "rb") as stream:
                return set(stream.read().split(b"\0")[:-1])
        except FileNotFoundError:
            return set()
