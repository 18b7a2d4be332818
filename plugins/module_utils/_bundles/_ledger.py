# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state file of a tree of files or of tags: what is published, and how its transactions ended."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import canonical_json, read_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import PRIVATE

STATE = f"{PRIVATE}/state.json"
FORMAT = 1
FINISHED = 50  # transactions whose end is remembered

Json = dict[str, t.Any]


@dataclasses.dataclass
class Ledger:
    """The contents of state.json; ``data`` is what the kind of tree keeps."""

    kind: str
    serial: int = 0
    latest: str = ""
    finished: dict[str, Json] = dataclasses.field(default_factory=dict)
    data: Json = dataclasses.field(default_factory=dict)

    def finish(self, identifier: str, outcome: str, undo: Json | None) -> None:
        """Write down a publish; only the latest one can be undone."""
        self.serial += 1
        for entry in self.finished.values():
            entry.pop("undo", None)
        self.latest = identifier if outcome == "committed" else ""
        if identifier:
            self.finished.pop(identifier, None)
            self.finished[identifier] = {"state": outcome, "serial": self.serial, "undo": undo}
        newest = sorted(self.finished, key=lambda name: int(self.finished[name]["serial"]))[-FINISHED:]
        self.finished = {name: self.finished[name] for name in newest}

    def dump(self) -> bytes:
        return canonical_json({"version": FORMAT, **dataclasses.asdict(self)})


def load_ledger(path: str, kind: str) -> Ledger:
    """Read a state file; an empty ledger where there is none."""
    try:
        raw = read_json(path)
        if raw.pop("version") != FORMAT:
            raise DistrogateError(
                "state_version",
                f"{path} was written by another version of this collection. Publish into a new root, or use"
                " that version.",
            )
        if raw["kind"] != kind:
            raise DistrogateError("wrong_kind", f"{path} belongs to a tree of {raw['kind']}, not of {kind}.")
        return Ledger(**raw)
    except DistrogateError as error:
        if error.reason == "not_found":
            return Ledger(kind)
        raise
    except (KeyError, TypeError, AttributeError) as error:
        raise DistrogateError("bad_state", f"{path} is broken: {error}. Restore it from a backup.") from error
