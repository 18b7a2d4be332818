# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a mirror says of itself: its file ``.distrogate/mirror.json``. Strangers may have written it."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import parse_json
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import check_name

RECORD = b".distrogate/mirror.json"
RECORD_LIMIT = 4 << 20
FORMAT = 2

_SNAPSHOT = re.compile(r"[0-9a-f]{64}")
_ORIGIN = re.compile(r"[0-9a-f]{32}")


@dataclasses.dataclass(frozen=True)
class Record:
    """What a mirror holds, in the words of who wrote to it last.

    ``name`` is the synchronisation's, ``origin`` its journal's random id (32
    hexadecimal digits). ``snapshot`` is None before the first switch; ``next``
    is what it is being switched to, or None at rest. ``parts`` is ``snapshot`` as JSON, for whoever has lost
    it; nobody but ``Snapshots.from_json`` reads it. ``serial`` grows with each writing.
    """

    name: str
    origin: str
    snapshot: str | None
    next: str | None
    parts: dict[str, t.Any]
    serial: int
    time: float

    def to_bytes(self) -> bytes:
        """The file's contents."""
        return (json.dumps({"version": FORMAT, **dataclasses.asdict(self)}, sort_keys=True) + "\n").encode()


def parse_record(data: bytes, address: str) -> Record:
    """Error ``bad_record`` for anything that ``Record.to_bytes`` would not write."""
    try:
        value = parse_json(data, f"{address}/.distrogate/mirror.json", RECORD_LIMIT)
        return _record(value)
    except (DistrogateError, ValueError) as error:
        raise bad_record(address, str(error)) from error


def bad_record(address: str, why: str) -> DistrogateError:
    """The record is there, and cannot be believed: to go on as if it was not there could lose a mirror."""
    return DistrogateError(
        "bad_record",
        f"{address}: its .distrogate/mirror.json is not what mirror_sync writes ({why})."
        " Look who else writes to that mirror; remove that file to have all of it compared.",
        address=address,
        why=f"its .distrogate/mirror.json is not understood: {why}",
        transient=False,
    )


def _record(value: t.Any) -> Record:
    names = {field.name for field in dataclasses.fields(Record)}
    if not isinstance(value, dict) or value.keys() != names | {"version"}:
        raise ValueError("it has other keys")
    if value["version"] != FORMAT or isinstance(value["version"], bool):
        raise ValueError(f"it is not of version {FORMAT}")
    record = Record(**{name: value[name] for name in names})
    if not (isinstance(record.name, str) and check_name(record.name, "name")):
        raise ValueError("name is none")
    if not (isinstance(record.origin, str) and _ORIGIN.fullmatch(record.origin)):
        raise ValueError("origin is no id")
    if not isinstance(record.parts, dict):
        raise ValueError("parts is no object")
    for name, digest in (("snapshot", record.snapshot), ("next", record.next)):
        if not (isinstance(digest, str) and _SNAPSHOT.fullmatch(digest)) and digest is not None:
            raise ValueError(f"{name} is no digest")
    _check_numbers(record)
    return record


def _check_numbers(record: Record) -> None:
    if isinstance(record.serial, bool) or isinstance(record.time, bool):
        raise ValueError("serial or time is no number")
    if not isinstance(record.serial, int) or not 0 <= record.serial < 1 << 63:
        raise ValueError("serial is no number of writings")
    if not isinstance(record.time, (int, float)) or not 0 <= record.time < 1 << 40:
        raise ValueError("time is no time")
