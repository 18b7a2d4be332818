# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site whose promotions may die at any step: a store, release targets of each kind, and statements."""

from __future__ import annotations

import hashlib
import json
import pathlib
import threading
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion import Promotion
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_history import (
    earlier,
    way_back,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import (
    ROLLED_BACK,
    UNKNOWN_TRANSACTION,
    Outcome,
    Request,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_targets import _answer
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Answers,
    Delete,
    Key,
    Put,
    Range,
    Store,
)
from ansible_collections.distrogate.ci.tests.tools.wrapped_store import WrappedStore

Json = dict[str, t.Any]
A, B, C = ("sha256:" + letter * 64 for letter in "abc")
NOT_KILLED = 10**9
RESTORING = frozenset(("apt_publish", "rpm_publish"))
RANKS = {"oci_publish": 0, "git_publish": 0, "apt_publish": 1, "rpm_publish": 1, "file_publish": 2}


class Killed(BaseException):
    """The process is gone: nothing of it runs after this, no handler either."""


class Life:
    """A process that dies at its N-th step, before or after the step took effect."""

    def __init__(self, steps: int = NOT_KILLED) -> None:
        self.left = steps

    def step(self) -> None:
        self.left -= 1
        if self.left <= 0:
            raise Killed

    def act(self, effect: t.Callable[[], t.Any]) -> t.Any:
        self.step()
        result = effect()
        self.step()
        return result


class MortalStore(WrappedStore):
    """A store as a process that may die sees it."""

    def __init__(self, store: Store, life: Life) -> None:
        super().__init__(store)
        self._life = life

    def read(self, queries: t.Sequence[Key | Range], fresh: bool = True) -> Answers:
        return t.cast("Answers", self._life.act(lambda: self.inner.read(queries, fresh)))

    def transact(
        self,
        expected: dict[str, int],
        operations: t.Sequence[Put | Delete],
        unmade: t.Mapping[str, int] | None = None,
    ) -> int | None:
        return t.cast("int | None", self._life.act(lambda: self.inner.transact(expected, operations, unmade)))

    def close(self) -> None:
        """The store outlives the process."""


class Repository:
    """What one target publishes: names that stand for digests. It survives every process.

    Real ones, too, when it has a ``path``.
    """

    def __init__(self, plugin: str, path: pathlib.Path | None = None) -> None:
        self.plugin = plugin
        self.path = path
        self.published: dict[str, str] = {}
        self.prepared: dict[str, dict[str, str]] = {}
        self.finished: dict[str, str] = {}
        self.kept: dict[str, dict[str, str]] = {}  # the states it had, by their digests
        self.broken: set[str] = set()
        self.moves: list[str] = []  # names that moved though they must not

    def load(self) -> None:
        """As the last process left it."""
        if self.path is not None and self.path.exists():
            kept = json.loads(self.path.read_text())
            self.published, self.prepared, self.finished, self.kept, self.moves = kept

    def save(self) -> None:
        """All or nothing, as adapters do."""
        if self.path is not None:
            new = self.path.with_suffix(f".{threading.get_ident()}")
            new.write_text(json.dumps([self.published, self.prepared, self.finished, self.kept, self.moves]))
            new.rename(self.path)

    def after(self, plan: Json, journal: Json) -> dict[str, str]:
        """What a promotion makes of it."""
        if plan.get("restore"):
            return self.kept[plan["restore"]]
        digest, version = journal["digest"], journal["version"]
        if self.plugin == "git_publish":
            return {**self.published, **({version: digest} if version else {})}
        if self.plugin in RESTORING:
            return {**self.published, f"package-{digest[-1]}": digest, "newest": digest}
        return {**self.published, journal["channel"]: digest, **({version: digest} if version else {})}

    def resolves(self) -> str | None:
        """The bundle that a reader of the channel finds here; None where channels have no names."""
        if self.plugin == "git_publish":
            return None
        return self.published.get("newest" if self.plugin in RESTORING else "latest", "")


def digest_of(state: dict[str, str]) -> str:
    """As adapters name a state."""
    return "sha256:" + hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


class RepositoryTarget:
    """What an adapter does, with its own errors."""

    def __init__(
        self, repository: Repository, life: Life, plan: Json, journal: Json, transaction: str
    ) -> None:
        self.repository, self.life, self.plan = repository, life, plan
        self.journal, self.transaction = journal, transaction

    def _act(self, effect: t.Callable[[], t.Any]) -> t.Any:
        def kept() -> t.Any:
            self.repository.load()
            result = effect()
            self.repository.save()
            return result

        return self.life.act(kept)

    def _checked(self, state: str) -> None:
        if state in self.repository.broken:
            raise DistrogateError("disk_full", f"No space for {state}.")

    def _result(self, state: dict[str, str]) -> Json:
        named = self.repository.plugin not in RESTORING
        place = self.plan["place"]
        published = [
            {"name": name, "digest": digest, "address": f"{place}:{name}"} for name, digest in state.items()
        ]
        # The state of file_publish is the set of files that it was given.
        digest = self.journal["digest"] if self.repository.plugin == "file_publish" else digest_of(state)
        return {"state_digest": digest, **({"published": published} if named else {})}

    def prepare(self) -> Json:
        def effect() -> dict[str, str]:
            self._checked("prepare")
            others = set(self.repository.prepared) - {self.transaction}
            if others:
                raise DistrogateError("reserved", "It waits for a promotion that is gone.")
            after = self.repository.after(self.plan, self.journal)
            self.repository.prepared[self.transaction] = after
            return after

        return {"prepared": True, **self._result(self._act(effect))}

    def commit(self) -> Json:
        def effect() -> dict[str, str]:
            self._checked("commit")
            mine = self.repository
            if self.transaction in mine.prepared:
                after = mine.prepared.pop(self.transaction)
                mine.moves += [
                    name
                    for name, digest in mine.published.items()
                    if name[0].isdigit() and after.get(name) != digest
                ]
                mine.published = after
                mine.kept[digest_of(after)] = after
                mine.finished[self.transaction] = "committed"
            elif mine.finished.get(self.transaction) != "committed":
                raise DistrogateError(UNKNOWN_TRANSACTION, "Never heard of it.")
            return mine.published

        return {"committed": True, **self._result(self._act(effect))}

    def undo(self) -> Json:
        def effect() -> None:
            self._checked("undo")
            assert self.transaction not in self.repository.finished, "what is published is never undone"
            self.repository.prepared.pop(self.transaction, None)

        self._act(effect)
        return {}


class World:
    """The world of one process; its targets work one after the other, so that each step has a number."""

    def __init__(self, site: Site, life: Life) -> None:
        self.site, self.life = site, life
        self.lines: list[str] = []

    def target(self, plan: Json, journal: Json, transaction: str, index: int) -> RepositoryTarget:
        assert journal["origin"]["host"] == "builder"
        return RepositoryTarget(self.site.repositories[plan["place"]], self.life, plan, journal, transaction)

    def together(self, calls: t.Sequence[t.Callable[[], Json]]) -> list[t.Any]:
        return [_answer(call) for call in calls]

    def statement(self, journal: Json, states: list[Json]) -> str:
        return f"{journal['channel']} {journal['serial']} is {journal['digest']} in {len(states)} targets"

    def publish_statement(self, journal: Json) -> None:
        if self.site.no_statements:
            raise DistrogateError("unreachable", "The builder is down.")

        def effect() -> None:
            name = f"{journal['channel']}-{journal['serial']}"
            assert self.site.statements.setdefault(name, journal["statement"]) == journal["statement"]

        self.life.act(effect)

    def attach_statements(self, journal: Json, plans: t.Sequence[Json]) -> None:
        if self.site.no_attaching:
            raise DistrogateError("registry_failed", "The registry takes no statements.")
        places = [plan["place"] for plan in plans]
        name = f"{journal['channel']}-{journal['serial']}"
        self.life.act(lambda: self.site.attached.update({name: places}))

    def now(self) -> str:
        return "2026-01-01T00:00:00Z"

    def progress(self, line: str) -> None:
        self.lines.append(line)


class Site:
    """Targets of some kinds, and the folder of statements."""

    def __init__(
        self,
        store: Store,
        plugins: t.Sequence[str] = ("apt_publish", "rpm_publish"),
        folder: pathlib.Path | None = None,
    ) -> None:
        self.store = store
        self.repositories = {
            f"/srv/{plugin[:3]}": Repository(plugin, folder / plugin if folder else None)
            for plugin in plugins
        }
        for repository in self.repositories.values():
            repository.load()
        self.statements: dict[str, str] = {}
        self.attached: dict[str, list[str]] = {}
        self.no_statements = self.no_attaching = False
        sealed = "2026-01-01T00:00:00Z"
        facts = {
            digest: {"host": "builder", "run_dir": f"/runs/{digest[-1]}", "sealed": sealed}
            for digest in (A, B, C)
        }
        store.transact({}, [Put(f"bundle/{digest[7:]}", value) for digest, value in facts.items()])

    def promotion(
        self, steps: int = NOT_KILLED, channel: str = "latest", life: Life | None = None
    ) -> Promotion:
        life = life or Life(steps)
        return Promotion(MortalStore(self.store, life), channel, World(self, life), "somebody")

    def plans(self) -> list[Json]:
        return [
            {
                "host": "repositories",
                "plugin": repository.plugin,
                "place": place,
                "rank": RANKS[repository.plugin],
                "arguments": {},
                "artifact_types": [],
            }
            for place, repository in self.repositories.items()
        ]

    def request(self, digest: str, **more: t.Any) -> Request:
        origin = {"host": "builder", "run_dir": f"/runs/{digest[-1]}"}
        return Request(digest, more.pop("plans", self.plans()), origin, "somebody", **more)

    def promote(
        self, digest: str, steps: int = NOT_KILLED, channel: str = "latest", **more: t.Any
    ) -> Outcome:
        return self.promotion(steps, channel).promote(self.request(digest, **more))

    def roll_back(
        self, digest: str | None = None, steps: int = NOT_KILLED, channel: str = "latest"
    ) -> Outcome:
        row, rows = earlier(self.store, channel, digest)
        plans = [
            {**state, "rank": RANKS[state["plugin"]]}
            | ({"restore": state["state_digest"]} if state["plugin"] in RESTORING else {})
            for state in way_back(rows, row["serial"], RESTORING)
        ]
        more = {"version": "none", "known": row["version"], "state": ROLLED_BACK, "series": row["series"]}
        return self.promote(row["digest"], steps, channel, plans=plans, **more)

    def state(self) -> set[str]:
        """What users can see, in the targets and by the channel."""
        found = [repository.resolves() for repository in self.repositories.values()]
        return {bundle for bundle in found if bundle is not None} | {self.has()}

    def has(self, channel: str = "latest") -> str:
        pointer = self.store.get(f"channel/{channel}")
        return pointer.value["digest"] if pointer else ""

    def versions(self) -> dict[str, str]:
        found = {entry.key[len("channel/") :]: entry.value["digest"] for entry in self.store.list("channel/")}
        return {name: digest for name, digest in found.items() if name.rpartition("/")[2][0].isdigit()}

    def check(self) -> None:
        """What holds whenever nothing is under way."""
        assert self.store.list("journal/") == []
        assert [entry for entry in self.store.list("promotion/") if "/parts/" in entry.key] == []
        for repository in self.repositories.values():
            assert not repository.prepared, "a reservation was left"
            assert not repository.moves, "a version moved"
        rows = [entry.value for entry in self.store.list("history/latest/")]
        assert [row["serial"] for row in rows] == list(range(1, len(rows) + 1))
        assert [row["from"] for row in rows] == [None, *(row["digest"] for row in rows[:-1])][: len(rows)]
        assert self.has() == (rows[-1]["digest"] if rows else "")
        pinned = {entry.value["thing"] for entry in self.store.list("pins/run/")}
        assert pinned == {f"/runs/{row['digest'][-1]}" for row in rows[-2:]}
        tags = {entry.key: entry.value["digest"] for entry in self.store.list("tag/")}
        named = {
            f"tag/{repository.plugin}/{place.replace('/', '%2F')}/{name}": digest
            for place, repository in self.repositories.items()
            if repository.plugin not in RESTORING
            for name, digest in repository.published.items()
        }
        assert tags == named
