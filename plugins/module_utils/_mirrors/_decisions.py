# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which transaction a task decides, and which one it must not pass over."""

from __future__ import annotations

import dataclasses

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal_state import State, Transaction
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._request import Request


@dataclasses.dataclass(frozen=True)
class Decisions:
    """What the journal says about a task's transaction."""

    state: State
    request: Request

    def decided(self) -> tuple[Transaction, bool] | None:
        """The transaction that is committed (True) or undone (False) now; None when that was done before."""
        if self.request.state not in ("committed", "undone"):
            return None
        wanted = self.request.transaction
        current, last = self.state.transaction, self.state.last
        goes_on = self.request.state == "committed"
        if current is not None and current.id == wanted:
            return current, goes_on
        if goes_on and wanted not in self.state.ended:
            raise DistrogateError(
                "no_transaction", f"No transaction {wanted} is prepared here; prepare it first."
            )
        if goes_on or wanted not in self.state.ended:
            return None
        self.refuse_other()
        if last is not None and last.id == wanted:
            return last, False
        raise DistrogateError(
            "transaction_superseded",
            f"Transaction {wanted} was followed by another one; undo that one first, or publish anew.",
        )

    def refuse_other(self) -> None:
        """Error ``transaction_open`` while another transaction waits for its decision."""
        current = self.state.transaction
        if (
            current is not None
            and current.phase == "prepared"
            and current.explicit
            and current.id != self.request.transaction
        ):
            raise DistrogateError(
                "transaction_open",
                f"Transaction {current.id} is prepared and waits for state committed or undone;"
                " decide it first.",
                transaction=current.id,
            )
