# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal: what is under way, so that whoever comes after a crash finishes or undoes it."""

from __future__ import annotations

import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Delete,
    Entry,
    Put,
    Store,
    until_written,
)


class Journal:
    """Records of one kind of transaction (``promotion``, ``sync``, …), each with a plan and steps."""

    def __init__(self, store: Store, kind: str) -> None:
        self.store = store
        self.kind = kind

    def begin(self, name: str, plan: t.Any) -> dict[str, t.Any]:
        """Open the record ``name``. One that is open with the same plan is returned, to be continued."""
        record = {"id": name, "plan": plan, "steps": [], "begun": self.store.now()}

        def attempt() -> dict[str, t.Any] | None:
            entry = self.store.get(self._key(name))
            if entry is None:
                written = self.store.transact({self._key(name): 0}, [Put(self._key(name), record)])
                return record if written is not None else None
            if entry.value["plan"] != plan:
                raise DistrogateError(
                    "journal_open",
                    f"{self.kind} {name} is under way with another plan. Finish or undo it first.",
                )
            return t.cast("dict[str, t.Any]", entry.value)

        return until_written(attempt)

    def step(self, name: str, step: str, **facts: t.Any) -> dict[str, t.Any]:
        """Add one step to an open record."""

        def attempt() -> dict[str, t.Any] | None:
            entry = self._open_entry(name)
            steps = [*entry.value["steps"], {"step": step, "at": self.store.now(), **facts}]
            record: dict[str, t.Any] = {**entry.value, "steps": steps}
            written = self.store.transact({entry.key: entry.revision}, [Put(entry.key, record)])
            return record if written is not None else None

        return until_written(attempt)

    def end(self, name: str) -> None:
        """Close the record: what it describes is wholly done or wholly undone."""
        self.store.transact({}, [Delete(self._key(name))])

    def get(self, name: str) -> dict[str, t.Any] | None:
        """The open record ``name``, or None."""
        entry = self.store.get(self._key(name))
        return None if entry is None else t.cast("dict[str, t.Any]", entry.value)

    def open(self) -> list[dict[str, t.Any]]:
        """All records that were begun and not ended, oldest first."""
        records = [entry.value for entry in self.store.list(f"journal/{self.kind}/")]
        return sorted(records, key=lambda record: (record["begun"], record["id"]))

    def _open_entry(self, name: str) -> Entry:
        entry = self.store.get(self._key(name))
        if entry is None:
            raise DistrogateError(
                "journal_closed", f"{self.kind} {name} is not under way: it ended, or never began."
            )
        return entry

    def _key(self, name: str) -> str:
        return f"journal/{self.kind}/{urllib.parse.quote(name, safe=':@+,=')}"
