# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bundle in a run directory and in an archive, and hosts that need no Ansible."""

from __future__ import annotations

import hashlib
import pathlib
import shutil
import typing as t

from bundle_samples import signed

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _bundle, _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import Archive
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._run_files import read_run, write_once
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import write_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Put, Store
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_judge import Judge
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_world import World

Json = dict[str, t.Any]
Answer = t.Callable[[Json], Json]


class FakeHosts:
    """Runs ``run_files`` for real, notes every call, and answers for the modules that a test names."""

    own = "builder"

    def __init__(self) -> None:
        self.calls: list[tuple[str, Json]] = []
        self.answers: dict[str, Answer] = {}

    def run(self, _host: str, module: str, arguments: Json) -> Json:
        name = module.rpartition(".")[2]
        self.calls.append((name, arguments))
        if name in self.answers:
            return self.answers[name](arguments)
        assert name == "run_files"
        if arguments.get("add") is None:
            return read_run(arguments["run_dir"], arguments["check"])
        added = {one["name"]: one["text"] for one in arguments["add"]}
        return {"added": write_once(arguments["run_dir"], added, False)}

    def lane(self, _number: int) -> FakeHosts:
        return self

    def same_machine(self, one: str, other: str) -> bool:
        return one == other

    def check(self, host: str) -> None:
        """Every host is there."""

    def told(self, module: str) -> list[Json]:
        """What a module was told, call by call."""
        return [arguments for name, arguments in self.calls if name == module]


class JudgeSite:
    """The bundle is sealed, archived, and known to the store."""

    def __init__(self, folder: pathlib.Path, store: Store, bundle: Json, key: _statements.SigningKey) -> None:
        self.store, self.key, self.bundle = store, key, bundle
        self.digest: str = bundle["digest"]
        self.hosts = FakeHosts()
        self.run_dir = folder / "run"
        self.archive = Archive(str(folder / "archive"))
        self.origin = {"host": "builder", "run_dir": str(self.run_dir)}
        (self.run_dir / "statements").mkdir(parents=True)
        write_json(str(self.run_dir / "run.json"), {"version": 1})
        self.text = _bundle.bundle_text(bundle)
        (self.run_dir / "bundle.json").write_text(self.text)
        self.statements = signed(bundle, key)
        for name, text in self.statements.items():
            (self.run_dir / "statements" / name).write_text(text)
        self.archive.add(self.digest, self.text, self.statements)
        store.transact({}, [Put(f"bundle/{self.digest[7:]}", {**self.origin, "sealed": ""})])
        self.lines: list[str] = []

    def judge(self, archived: bool = True, **policy: t.Any) -> Judge:
        """Who judges by a policy that trusts the key."""
        rules = {"verdicts": ["install_test"], **policy}
        archive = self.archive.root if archived else None
        return Judge(t.cast(t.Any, self.hosts), self.store, rules, self.key.public, archive)

    def world(self, archived: bool = True) -> World:
        """What a promotion works with."""
        archive = self.archive.root if archived else None
        hosts, judge = t.cast(t.Any, self.hosts), self.judge(archived)
        return World(hosts, self.key, self.lines.append, archive, judge)

    def envelope(self, kind: str, key: _statements.SigningKey | None = None, **said: t.Any) -> str:
        """A signed statement about the bundle."""
        return _statements.sign(_statements.statement(self.digest, kind, said), key or self.key)

    def lose_run(self) -> None:
        """Somebody cleaned up."""
        shutil.rmtree(self.run_dir)

    def journal(self, state: str = "promoted") -> Json:
        """That of a promotion which has moved the channel."""
        value: Json = {
            "channel": "latest",
            "version": "1.0.0",
            "series": "main",
            "serial": 1,
            "previous": None,
            "at": "2026-01-01T00:00:00Z",
            "by": "somebody",
            "state": state,
            "digest": self.digest,
            "origin": self.origin,
            "immutable": False,
            "transaction": "0123456789abcdef" * 2,
            "again": {},
        }
        return {**value, "statement": self.world().statement(value, [])}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def failing(reason: str, message: str = "It is so.") -> Answer:
    """A module that fails."""

    def answer(_arguments: Json) -> Json:
        raise DistrogateError(reason, message)

    return answer
