# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What report/index.json says of a run."""

from __future__ import annotations

import datetime
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import read_json
from ansible_collections.distrogate.ci.plugins.module_utils._runs._found import safe_name
from ansible_collections.distrogate.ci.plugins.module_utils._runs._masks import Masks

FORMAT = 1
_LIMIT = 16 << 20
_SERVICES = "system_test"  # the stage that has machines of its own

Record = dict[str, t.Any]
Notes = list[dict[str, str]]


def read_records(run_dir: str, left_out: Notes) -> dict[str, Record]:
    """The stages' records by name, in the order in which they started; a broken one is named."""
    folder = os.path.join(run_dir, "stages")
    found: dict[str, Record] = {}
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if not name.endswith(".json") or name.startswith("."):
            continue
        record = read_file(os.path.join(folder, name), left_out)
        if record is not None:
            found[name[:-5]] = record
    return dict(sorted(found.items(), key=lambda item: (_number(item[1].get("started_ns")), item[0])))


def read_file(path: str, left_out: Notes) -> Record | None:
    """A JSON object of the run; None when there is none, or when it is broken or a link."""
    if not os.path.lexists(path):
        return None
    name = os.path.basename(path)
    if os.path.islink(path) or not os.path.isfile(path):
        left_out.append({"path": safe_name(name), "reason": "not a regular file"})
        return None
    try:
        value = read_json(path, _LIMIT)
    except (DistrogateError, OSError) as error:
        left_out.append({"path": safe_name(name), "reason": f"cannot be read: {error}"})
        return None
    if not isinstance(value, dict):
        left_out.append({"path": safe_name(name), "reason": "not a JSON object"})
        return None
    return value


def _number(value: t.Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0


def masked(value: t.Any, masks: Masks) -> t.Any:
    """A JSON value with the secrets in its texts masked; names stay."""
    if isinstance(value, str):
        return masks.text(value)
    if isinstance(value, list):
        return [masked(item, masks) for item in value]
    if isinstance(value, dict):
        return {key: masked(item, masks) for key, item in value.items()}
    return value


def moments(records: t.Mapping[str, Record]) -> tuple[dict[str, float], float]:
    """When each stage began, and when the last one ended: a report has no time of its own."""
    begun = {name: _number(record.get("started_ns")) / 1e9 for name, record in records.items()}
    ended = [begun[name] + _number(record.get("seconds")) for name, record in records.items()]
    return begun, max(ended, default=0.0)


def rfc3339(moment: float) -> str:
    return (
        datetime.datetime.fromtimestamp(int(moment), datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    )


def stage_of(log: str, records: t.Mapping[str, Record]) -> str:
    """The stage that a log belongs to; empty for one that nobody claims."""
    for name, record in records.items():
        if log in (record.get("logs") or []):
            return name
    if log.startswith("logs/services/"):
        return _SERVICES if _SERVICES in records else ""
    name = log[len("logs/") :].partition("/")[0]
    return name[:-4] if name.endswith(".log") else name


def stage_entry(
    name: str, record: Record, logs: t.Iterable[t.Mapping[str, t.Any]], results: dict[str, int] | None
) -> Record:
    """A stage's line in the index."""
    own = [
        log["path"] for log in logs if log["stage"] == name and not log["path"].startswith("logs/services/")
    ]
    return {
        "name": name,
        "verdict": str(record.get("verdict", "")),
        "seconds": _number(record.get("seconds")),
        "started": str(record.get("started", "")),
        "reused": str(record.get("reused", "")),
        "cancelled_by": str(record.get("cancelled_by", "")),
        "reason": str(record.get("reason", "")),
        "message": str(record.get("message", "")),
        "log": own[0] if own else "",
        "results": results,
    }


def replay_command() -> str:
    """How to do the same run elsewhere, from the archive that holds this report."""
    return "ansible-playbook distrogate.ci.replay -e run=report.tar.gz"
