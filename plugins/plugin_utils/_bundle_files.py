# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run directory on its host, and the adapters of a promotion on theirs."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import artifact_path
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import (
    UNKNOWN_TRANSACTION,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import parse_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import FORMAT
from ansible_collections.distrogate.ci.plugins.plugin_utils._hosts import UNKNOWN_HOST, Hosts

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
ADAPTERS = ("apt_publish", "rpm_publish")
_RESERVED = frozenset(("bundle", "digests", "packages", "state", "transaction"))


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


def plan_targets(hosts: Hosts, targets: t.Sequence[Json], bundle: Json, timeout: float) -> list[Json]:
    """What the journal keeps of each target: enough to finish or undo it without the caller's options."""
    plans = []
    seen: set[tuple[str, str]] = set()
    for target in targets:
        plugin = target["plugin"].rpartition(".")[2]
        arguments = {"timeout": int(timeout), **target["arguments"]}
        root = str(arguments.get("root") or "").rstrip("/")
        _check_target(target, plugin, root)
        hosts.check(target["host"])  # before a journal is opened that names it
        if (target["host"], root) in seen:
            # A prepared repository waits for its own transaction, so the second would wait for the first.
            raise DistrogateError(
                "bad_target", f"{root} on {target['host']} is a target twice. Name it once."
            )
        seen.add((target["host"], root))
        files = [artifact for artifact in bundle["artifacts"] if artifact["type"] in target["artifact_types"]]
        plans.append(
            {
                "host": target["host"],
                "plugin": plugin,
                "arguments": arguments,
                "incoming": target["incoming"] or os.path.join(os.path.dirname(root) or "/", "incoming"),
                "files": [{key: file[key] for key in ("name", "path", "sha256")} for file in files],
            }
        )
    return plans


def _check_target(target: Json, plugin: str, root: str) -> None:
    if plugin not in ADAPTERS:
        raise DistrogateError(
            "bad_target", f"{target['plugin']} cannot take part in a promotion. Use {' or '.join(ADAPTERS)}."
        )
    if not root or _RESERVED & set(target["arguments"]):
        raise DistrogateError(
            "bad_target",
            f"The arguments of {plugin} on {target['host']} need root, and may not have any of"
            f" {', '.join(sorted(_RESERVED))}: promotion sets these.",
        )


@dataclasses.dataclass
class HostTarget:
    """One adapter module on one host."""

    hosts: Hosts
    plan: Json
    origin: Json
    transaction: str

    def _call(self, state: str, **more: t.Any) -> Json:
        arguments = {**self.plan["arguments"], **more, "state": state, "transaction": self.transaction}
        result = self.hosts.run(self.plan["host"], _COLLECTION + self.plan["plugin"], arguments)
        returned = {
            key: value for key, value in result.items() if key[0] != "_" and key not in ("invocation", "diff")
        }
        return {"host": self.plan["host"], "plugin": self.plan["plugin"], **returned}

    def _packages(self) -> list[str]:
        """Bring the artifacts to the host; returns their paths there."""
        host, origin = self.plan["host"], self.origin
        here = [artifact_path(origin["run_dir"], file) for file in self.plan["files"]]
        if self.hosts.same_machine(host, origin["host"]):
            return here
        files = [
            {
                "sha256": file["sha256"],
                "name": file["name"],
                "source": self.hosts.copy(origin["host"], path, file["sha256"], host),
            }
            for file, path in zip(self.plan["files"], here)
        ]
        taken = self._incoming("present", files=files)["paths"]
        return [taken[file["sha256"]] for file in self.plan["files"]]

    def _incoming(self, state: str, **more: t.Any) -> Json:
        arguments = {
            "incoming": self.plan["incoming"],
            "transaction": self.transaction,
            "state": state,
            **more,
        }
        return self.hosts.run(self.plan["host"], _COLLECTION + "incoming_files", arguments)

    def prepare(self) -> Json:
        """Bring the artifacts and prepare the repository."""
        digests = {file["name"]: file["sha256"] for file in self.plan["files"]}
        more = {"bundle": self._bundle()} if self.plan["arguments"].get("require_bundle") else {}
        return self._call("prepared", packages=self._packages(), digests=digests, **more)

    def _bundle(self) -> str:
        """The contents of bundle.json, for a repository that takes nothing else."""
        arguments = {"run_dir": self.origin["run_dir"], "check": []}
        return str(self.hosts.run(self.origin["host"], _COLLECTION + "run_files", arguments)["bundle"])

    def commit(self) -> Json:
        """Publish, and forget what came in."""
        result = self._call("committed")
        self._incoming("absent")
        return result

    def undo(self) -> Json:
        """Undo, and forget what came in."""
        try:
            result = self._call("undone")
        except DistrogateError as error:
            # A host that left the inventory may not block the channel: its reservation ends by itself.
            if error.reason not in (UNKNOWN_TRANSACTION, UNKNOWN_HOST):
                raise
            result = {"host": self.plan["host"], "plugin": self.plan["plugin"]}
            if error.reason == UNKNOWN_HOST:
                return result
        self._incoming("absent")
        return result
