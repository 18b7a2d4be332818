# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of each mirror, for a result."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._fleet import Fleet
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal import Journal
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal_state import Held
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._look import Found
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._paths import printable
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._plan import Plan
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._work import Work

_SHOWN = 100


class Rows:
    """Remembers what the mirrors held when the task began."""

    def __init__(self, journal: Journal, fleet: Fleet) -> None:
        self.journal = journal
        self.fleet = fleet
        self.was = self._held()
        self.plans: dict[str, Plan] = {}

    def planned(self, works: t.Iterable[Work]) -> None:
        """Keep what the mirrors are going to get."""
        self.plans.update((work.address, work.plan) for work in works if work.plan is not None)

    def _held(self) -> dict[str, str | None]:
        known = self.journal.state.mirrors
        return {address: known.get(address, Held()).snapshot for address in self.fleet.works}

    def held(self, after: t.Mapping[str, str | None] | None = None) -> tuple[t.Any, t.Any]:
        """By mirror, the state before and after."""
        return self.was, {**self._held(), **(after or {})}

    def rows(self, moved: t.Iterable[str], opened: bool, planned: bool = False) -> list[dict[str, t.Any]]:
        """One row for each mirror."""
        switched = set(moved)
        return [self._row(address, address in switched, opened, planned) for address in self.fleet.works]

    def _row(self, address: str, moves: bool, opened: bool, planned: bool) -> dict[str, t.Any]:
        plan = self.plans.get(address)
        why = self.fleet.away.get(address)
        note = ""
        if moves and plan is not None and planned:
            note = (
                f"would get {len(plan.added)} files and switch {len(plan.waiting)}, {plan.size} bytes at most"
            )
        elif moves and opened:
            note = "ready to switch"
        elif address in self.fleet.untidy:
            note = f"the next run tidies up there: {self.fleet.untidy[address]}"
        switches = moves and not opened
        outcome = "away" if why else "switched" if switches else "unchanged"
        if outcome == "switched" and plan is not None and plan.empty:
            outcome = "unchanged"
        return {
            "address": address,
            "outcome": outcome,
            "message": why or note,
            "added": len(plan.added) if plan else 0,
            "switched": len(plan.waiting) if plan else 0,
            "bytes": plan.size if plan else 0,
        }

    def found(self, source: Found | None) -> dict[str, t.Any]:
        """What ``deep`` found: names, bounded."""
        if source is None:
            return {}
        mirrors = {
            address: {kind: shown(names) for kind, names in work.found.items()}
            for address, work in self.fleet.works.items()
            if work.found
        }
        return {
            "source": {kind: shown(names) for kind, names in source._asdict().items()},
            "mirrors": mirrors,
        }


def shown(names: t.Sequence[bytes]) -> list[str]:
    """At most 100 names for people and, if there are more, how many."""
    found = [printable(name) for name in names[:_SHOWN]]
    return found if len(names) <= _SHOWN else [*found, f"… and {len(names) - _SHOWN} more"]
