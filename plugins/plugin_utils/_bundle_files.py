# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run directory on its host."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import parse_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import FORMAT
from ansible_collections.distrogate.ci.plugins.plugin_utils._hosts import Hosts

Json = dict[str, t.Any]
_COLLECTION = "distrogate.ci."
_RECORD: dict[str, t.Any] = {
    "stage": str,
    "verdict": str,
    "started_ns": int,
    "seconds": (int, float),
    "artifacts": list,
    "facts": dict,
    "message": str,
    "reason": str,
}


class RemoteRun:
    """A run directory on ``host``, as it was when it was read.

    ``check`` says whose artifacts are digested: those of the ``stages``, of the ``bundle``, or of neither.
    """

    def __init__(self, hosts: Hosts, host: str, run_dir: str, check: str | None) -> None:
        self._hosts = hosts
        self.host = host
        self.run_dir = run_dir
        checked = [] if check is None else [check]
        read = hosts.run(host, _COLLECTION + "run_files", {"run_dir": run_dir, "check": checked})
        self.bundle_text: str | None = read["bundle"]
        self.statements: dict[str, str] = dict(read["statements"])
        self.found: dict[str, str | None] = dict(read["found"])
        self._run_text = read["run"]
        self._stage_texts: dict[str, str] = dict(read["stages"])

    @property
    def frozen(self) -> Json:
        """The contents of run.json."""
        return _object(self._run_text, f"{self.run_dir}/run.json")

    @property
    def stages(self) -> dict[str, Json]:
        """The stages' records, in the order in which they started."""
        found = {name: _record(text, name) for name, text in self._stage_texts.items()}
        return dict(sorted(found.items(), key=lambda item: (item[1]["started_ns"], item[0])))

    def add(self, files: dict[str, str]) -> list[str]:
        """Add files; returns the names of those that were not there."""
        return add_files(self._hosts, self.host, self.run_dir, files)


def _object(text: str, name: str) -> Json:
    value = parse_json(text, name)
    if not isinstance(value, dict):
        raise DistrogateError("bad_json", f"{name} does not hold a JSON object.")
    return value


def _record(text: str, name: str) -> Json:
    """A stage's record; strangers may have written it, so its form is looked at before it is signed."""
    record = _object(text, f"stages/{name}.json")
    whole = all(isinstance(record.get(key), kind) for key, kind in _RECORD.items())
    if not whole or record["stage"] != name or record.get("version") != FORMAT:
        raise DistrogateError(
            "bad_stage", f"stages/{name}.json is not the record of the stage {name}. Run that stage again."
        )
    return record


def add_files(hosts: Hosts, host: str, run_dir: str, files: dict[str, str]) -> list[str]:
    """Add files to a run directory on a host."""
    added = [{"name": name, "text": text} for name, text in files.items()]
    result = hosts.run(host, _COLLECTION + "run_files", {"run_dir": run_dir, "add": added})
    return list(result["added"])
