# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sealed run directory and an archive, on one machine, and who judges the bundle there."""

from __future__ import annotations

import pathlib
import typing as t

from bundle_samples import CONTENTS, signed

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _bundle, _run_files, _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import Archive
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_judge import Judge, Verdict
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_world import World

Json = dict[str, t.Any]
WAIVER: Json = {
    "rule": "verdicts",
    "author": "Ada",
    "reason": "The lab is down",
    "expires": "2999-01-01T00:00:00Z",
    "at_ns": 5,
}
HOLD: Json = {"name": "cve", "author": "Ada", "reason": "CVE-2026-1", "at_ns": 10}


class OneHost:
    """The controller is the builder, and modules are called as functions."""

    own = "builder"

    def run(self, host: str, module: str, arguments: Json) -> Json:
        assert (host, module) == ("builder", "distrogate.ci.run_files")
        if "add" in arguments:
            files = {file["name"]: file["text"] for file in arguments["add"]}
            return {"added": _run_files.write_once(arguments["run_dir"], files, False)}
        return _run_files.read_run(arguments["run_dir"], arguments["check"])


class Place:
    """A run directory with a sealed bundle, and an archive that has it, too."""

    def __init__(self, folder: pathlib.Path, store: Store, bundle: Json, key: t.Any) -> None:
        self.run = folder / "run"
        self.store, self.bundle, self.key = store, bundle, key
        self.archive = Archive(str(folder / "archive"))
        self.texts = signed(bundle, key)
        text = _bundle.bundle_text(bundle)
        files = {
            "run.json": "{}",
            "bundle.json": text,
            **{path: data.decode() for path, data in CONTENTS.items()},
        }
        for name, content in {**files, **{f"statements/{n}": s for n, s in self.texts.items()}}.items():
            path = self.run / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.archive.add(bundle["digest"], text, self.texts)

    def hold(self, name: str = "hold-1.json") -> str:
        """A hold that the archive alone has, as when it was placed before this run directory was restored."""
        value = _statements.statement(self.bundle["digest"], _statements.HOLD, HOLD)
        text = _statements.sign(value, self.key)
        self.archive.add(self.bundle["digest"], None, {name: text})
        return text

    def say(self, name: str, kind: str, said: Json, key: t.Any = None) -> str:
        """Lay a statement into the run directory."""
        value = _statements.statement(self.bundle["digest"], kind, said)
        text = _statements.sign(value, key or self.key)
        (self.run / "statements" / name).write_text(text)
        return text

    def judging_with(self, policy: Json) -> Judge:
        hosts: t.Any = OneHost()
        return Judge(hosts, self.store, policy, self.key.public, self.archive.root)

    def judge(self) -> Verdict:
        self.judging = self.judging_with({})
        return self.judging.judge("latest", None, self.judging.located(None, str(self.run)), False)

    def end_promotion(self) -> None:
        """What a promotion does last."""
        hosts: t.Any = OneHost()
        verdict = self.judge()
        assert verdict.refused == []
        world = World(hosts, self.key, print, self.archive.root, self.judging)
        world.know(self.bundle["digest"], verdict.texts)
        digest, origin = self.bundle["digest"], verdict.texts.origin
        journal = {
            "channel": "latest",
            "serial": 1,
            "transaction": "0" * 32,
            "digest": digest,
            "origin": origin,
        }
        world.publish_statement({**journal, "statement": self.texts["provenance.json"]})

    def rules(self) -> list[str]:
        return [reason["rule"] for reason in self.judge().refused]
