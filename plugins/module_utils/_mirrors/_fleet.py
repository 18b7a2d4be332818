# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All mirrors of a run: who answers, what each holds, and the claim on each."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._access import Access
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import Mirror
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._bases import base_of
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._claims import Claim, new_claim
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._depot import Depot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._each import each
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._layout import Layout
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._peers import Peer
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._reading import Look
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._work import Work

_CLAIMS = 500  # of earlier runs, which may still lie on a mirror that was away


class Fleet:
    """``away`` says why a mirror does not take part, by address; ``works`` has all of them.

    ``untidy`` ones show what they ought to, but did not do what comes after that.
    """

    def __init__(self, mirrors: t.Sequence[Mirror], depot: Depot, access: Access, folder: str = "") -> None:
        self.depot = depot
        self.journal = depot.journal
        self.away: dict[str, str] = {}
        self.untidy: dict[str, str] = {}
        self.moved: dict[str, tuple[int, int]] = {}
        self._claims: dict[str, Claim] = {}
        self._claimed: set[str] = set()
        self._told: t.Callable[[], None] | None = None
        self.works: dict[str, Work] = {}
        for mirror in mirrors:
            place = self.journal.work_of(mirror.address)
            if folder:
                place = os.path.join(folder, str(len(self.works)))
            workplace = os.path.join(place, "peer")
            os.makedirs(workplace, exist_ok=True)
            peer = Peer(mirror, access, workplace, self._teller(mirror.address))
            layout = Layout(place, depot.source, depot.blobs)
            self.works[mirror.address] = Work(peer, layout, depot.snapshots)

    def _teller(self, address: str) -> t.Callable[[int, int], None]:
        def tell(files: int, size: int) -> None:
            self.moved[address] = (files, size)
            if self._told is not None:
                self._told()

        return tell

    def listen(self, told: t.Callable[[], None]) -> None:
        """Have ``told`` called when more was moved."""
        self._told = told

    @property
    def present(self) -> list[Work]:
        """The mirrors that answered so far."""
        return [work for address, work in self.works.items() if address not in self.away]

    @property
    def transferred(self) -> int:
        return sum(work.peer.transferred for work in self.works.values())

    def look(self, index: t.Sequence[bytes]) -> None:
        """Ask every mirror what it holds; writes nothing there."""
        self._ask(lambda work: work.peer.look(index))

    def claim(self, index: t.Sequence[bytes], timeout: float) -> None:
        """Be the only one who works on these mirrors; ask them what they hold.

        Each gets a claim of its own, so that two addresses of one mirror show. Error ``bad_mirror``.
        """
        state = self.journal.state
        claims, mine = {address: new_claim() for address in self.works}, state.claims
        ids = [claim.id for claim in claims.values()]
        # Before they are on any mirror: should we be killed, or not reach a mirror to take one back, a later
        # run knows that it is nobody's.
        state.claims = [*mine[-_CLAIMS:], *ids]
        self.journal.save()
        self._claims = claims

        def take(work: Work) -> Look:
            look = work.peer.claim(claims[work.address], timeout, mine, index, ids)
            self._claimed.add(work.address)
            return look

        self._ask(take)

    def _ask(self, ask: t.Callable[[Work], Look]) -> None:
        def step(work: Work) -> None:
            work.base = base_of(ask(work), work, self.depot)

        self.away.update(each(self.present, step))

    def too_few(self, needed: int, reason: str, then: str) -> DistrogateError:
        """The error when fewer than ``needed`` mirrors can follow."""
        why = "; ".join(f"{address}: {text}" for address, text in sorted(self.away.items()))
        rows = [
            {
                "address": address,
                "outcome": "failed" if address in self.away else "unchanged",
                "message": self.away.get(address, ""),
            }
            for address in sorted(self.works)
        ]
        message = f"{needed} of {len(rows)} mirrors must follow, and too few could. {then} {why}"
        return DistrogateError(reason, message, mirrors=rows)

    def release(self) -> None:
        """Take the claims back."""
        if not self._claims:
            return
        claimed = [self.works[address] for address in sorted(self._claimed)]
        with contextlib.suppress(DistrogateError):
            failed = each(claimed, lambda work: work.peer.release(self._claims[work.address]))
            if not failed and not self.away:
                self.journal.state.claims = []
