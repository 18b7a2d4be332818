# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a transaction of glance_publish ends: its names move, or it is taken back, or it is dropped."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _glance_images as known
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._adapter import Adapter, Made
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_api import Glance
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_move import (
    LOST,
    DroppedError,
    UnmovedError,
    against,
    send,
    way_back,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._ledger import Ledger
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import (
    UNKNOWN_TRANSACTION,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import Progress
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import Transaction

Json = dict[str, t.Any]
_FOREVER = 253402300799  # the last second of the year 9999: only its own end ends it


class GlanceDecider(Adapter[Made]):
    """One call, from the moment that it decides."""

    glance: Glance
    progress: Progress

    def images(self) -> list[Json]:
        """All images of this name. What the cloud's filter does is not taken on trust."""
        name = self.params["name"]
        return [one for one in self.glance.images(**{known.NAME: name}) if one.get(known.NAME) == name]

    def decide(self, transaction: Transaction) -> None:
        """From the first name on, whoever comes next finishes it."""
        meta, expires = transaction.meta, transaction.record["expires"]
        work, sending = meta["work"], meta.get("sending")
        self.progress.say(f"moving the names of {self.params['name']}")
        there = self.images()
        why = against(there, work)
        if why is not None:
            raise self._dropped(transaction, there, *why)
        if not sending:
            transaction.prepare({**meta, "sending": True}, _FOREVER)
        try:
            send(self.glance, there, work)
        except UnmovedError:
            if not sending:
                transaction.prepare(meta, expires)
            raise
        transaction.commit()

    def _dropped(self, transaction: Transaction, there: list[Json], reason: str, why: str) -> DroppedError:
        """Forget it. Names that had begun to move to what is lost go back, as far as that is there."""
        work = transaction.meta["work"]
        if reason == LOST and transaction.meta.get("sending"):
            send(self.glance, there, way_back(there, work, strict=False))
        transaction.discard()
        ending = self.params["state"] == "committed" and transaction.identifier == self.identifier
        what = "Prepare it again, if it is still wanted." if ending else "Publish it again, if it is wanted."
        return DroppedError(UNKNOWN_TRANSACTION if ending else reason, f"{why} {what}")

    def decide_once(self, transaction: Transaction) -> None:
        """What is brought and verified is not given up because Glance dies now: the next run goes on."""
        self.decide(transaction)

    def recover(self, identifier: str) -> None:
        """Finish what began to move names, unless this call decides about it."""
        super().recover(identifier)
        waiting = self.log.reservation()
        if waiting is None or not waiting.meta.get("sending") or self.has_ended(waiting.identifier):
            return
        if waiting.identifier == identifier and self.params["state"] in ("committed", "undone"):
            return
        try:
            self.decide(waiting)
        except DroppedError as error:
            self.progress.say(error.message)
        except UnmovedError as error:  # what Glance does not let happen must not block the name for ever
            self.progress.say(error.message)
            there = self.images()
            send(self.glance, there, way_back(there, waiting.meta["work"], strict=False))
            waiting.discard()

    def take_back(self, waiting: Transaction, ledger: Ledger) -> None:  # noqa: ARG002 -- Glance has the state
        """Names go back where they had begun to move; what was only brought is removed."""
        work = waiting.meta["work"]
        if not waiting.meta.get("sending"):
            if work["image"]:
                self.glance.remove(work["image"])
            return
        there = self.images()
        why = against(there, work)
        if why is None or why[0] == LOST:  # what another host published since stays
            send(self.glance, there, way_back(there, work))
