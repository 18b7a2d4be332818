# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The targets of a promotion on their hosts: one adapter module each."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import artifact_path
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_adapters import (
    Adapter,
    adapter_of,
    told,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import (
    ROLLED_BACK,
    UNKNOWN_TRANSACTION,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.plugin_utils._hosts import UNKNOWN_HOST, Hosts

Json = dict[str, t.Any]
_COLLECTION = "distrogate.ci."


@dataclasses.dataclass
class HostTarget:
    """One adapter module on one host."""

    hosts: Hosts
    plan: Json
    journal: Json
    transaction: str

    def _call(self, state: str, **more: t.Any) -> Json:
        arguments = {
            "timeout": self.plan["timeout"],
            **told(self.plan, os.environ),
            **more,
            "state": state,
            "transaction": self.transaction,
        }
        result = self.hosts.run(self.plan["host"], _COLLECTION + self.plan["plugin"], arguments)
        returned = {
            key: value for key, value in result.items() if key[0] != "_" and key not in ("invocation", "diff")
        }
        return {"host": self.plan["host"], "plugin": self.plan["plugin"], **returned}

    def _names(self) -> Json:
        """Under which names an adapter publishes that has names; repositories of packages have none."""
        if self._adapter.restores:
            return {}
        named = {name: self.journal[name] for name in ("channel", "version") if self.journal[name]}
        if self.journal["immutable"] and self.plan["plugin"] == "oci_publish":
            named["immutable"] = True
        return named

    @property
    def _adapter(self) -> Adapter:
        return adapter_of(self.plan)[1]

    def _arrived(self) -> tuple[str, list[str]]:
        """Bring the files to the host; returns the folder there, and their paths."""
        host, origin = self.plan["host"], self.journal["origin"]
        files = [file for file in self.plan["files"] if "path" in file]
        here = [artifact_path(origin["run_dir"], file) for file in files]
        if self.hosts.same_machine(host, origin["host"]):
            return origin["run_dir"], here
        sources = [
            {
                "sha256": file["sha256"],
                "name": file["name"],
                "source": self.hosts.copy(origin["host"], path, file["sha256"], host),
            }
            for file, path in zip(files, here)
        ]
        taken = self._incoming("present", files=sources)["paths"]
        folder = os.path.join(self.plan["incoming"], self.transaction)
        return folder, [taken[file["sha256"]] for file in files]

    def _incoming(self, state: str, **more: t.Any) -> Json:
        arguments = {
            "incoming": self.plan["incoming"],
            "transaction": self.transaction,
            "state": state,
            **more,
        }
        return self.hosts.run(self.plan["host"], _COLLECTION + "incoming_files", arguments)

    def _forget(self) -> None:
        if self.plan["incoming"]:
            self._incoming("absent")

    def prepare(self) -> Json:
        """Bring the artifacts and prepare the target."""
        if self.plan.get("restore"):
            return self._call("prepared", restore=self.plan["restore"], packages=[])
        if self._adapter.restores:
            return self._call("prepared", **self._packages())
        more: Json = {"artifacts": self.plan["files"]}
        if self._adapter.files:
            there = self._there()
            if there is not None:
                return there
            folder, paths = self._arrived()
            relative = [{**file, "path": path} for file, path in zip(self.plan["files"], paths)]
            more = {"artifacts": relative, "incoming": folder}
        return self._call("prepared", **more, **self._names())

    def _there(self) -> Json | None:
        """Prepare from what the target has already; None when files have to be brought.

        An earlier bundle was published there, and its run directory may be gone.
        """
        if self.journal["state"] != ROLLED_BACK:
            return None
        try:
            return self._call("prepared", artifacts=self.plan["files"], **self._names())
        except DistrogateError as error:
            if error.reason != "artifact_missing":
                raise
            return None

    def attach(self, statements: t.Mapping[str, str]) -> Json:
        """Attach signed statements to what was published; what is attached already stays."""
        envelopes = [{"name": name, "envelope": text} for name, text in sorted(statements.items())]
        return self._call("attached", artifacts=self.plan["files"], attach=envelopes, **self._names())

    def _packages(self) -> Json:
        """What a repository is told. Its state is kept, so that a roll back can restore it."""
        arguments = self.plan["arguments"]
        digests = {file["name"]: file["sha256"] for file in self.plan["files"]}
        more: Json = {"packages": self._arrived()[1], "digests": digests}
        if not arguments.get("snapshot") and not arguments.get("layers"):
            more["snapshot"] = "now"
        if arguments.get("require_bundle"):
            more["bundle"] = self._bundle()
        return more

    def _bundle(self) -> str:
        """The contents of bundle.json, for a repository that takes nothing else."""
        origin = self.journal["origin"]
        arguments = {"run_dir": origin["run_dir"], "check": []}
        return str(self.hosts.run(origin["host"], _COLLECTION + "run_files", arguments)["bundle"])

    def commit(self) -> Json:
        """Publish, and forget what came in."""
        result = self._call("committed", **self._names())
        self._forget()
        return result

    def undo(self) -> Json:
        """Undo, and forget what came in."""
        try:
            result = self._call("undone", **self._names())
        except DistrogateError as error:
            # A host that left the inventory may not block the channel: its reservation ends by itself.
            if error.reason not in (UNKNOWN_TRANSACTION, UNKNOWN_HOST):
                raise
            result = {"host": self.plan["host"], "plugin": self.plan["plugin"]}
            if error.reason == UNKNOWN_HOST:
                return result
        self._forget()
        return result
