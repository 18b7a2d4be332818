# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a synchronisation left under way: the next one goes on with it, so a cleaner only says so."""

from __future__ import annotations

import os

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal import Journal


def open_synchronisations(source: str) -> list[dict[str, str]]:
    """Every journal of ``source`` with a transaction that did not end."""
    folder = os.path.join(source, ".distrogate", "mirrors")
    found = []
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        journal = Journal(source, name)
        journal.load()
        transaction = journal.state.transaction
        if transaction is None:
            continue
        waits = transaction.explicit and transaction.phase == "prepared"
        next_step = "waits to be committed or undone" if waits else "the next mirror_sync goes on with it"
        outcome = f"kept: {transaction.phase}; {next_step}"
        found.append({"root": journal.folder, "transaction": transaction.id, "outcome": outcome})
    return found
