# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Promotions that fail, that are killed at every step, and that run side by side."""

from __future__ import annotations

import pathlib
import threading
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._channel_lock import channel_lock
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion import Promotion
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import (
    UNKNOWN_TRANSACTION,
    checked_channel,
    lock_key,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Answers,
    Delete,
    Key,
    Put,
    Range,
    Store,
    open_store,
)
from ansible_collections.distrogate.ci.tests.tools.wrapped_store import WrappedStore

Json = dict[str, t.Any]
A, B, C = ("sha256:" + letter * 64 for letter in "abc")
NOT_KILLED = 10**9


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
    """A release repository with one reservation, which survives every process."""

    def __init__(self) -> None:
        self.published = ""
        self.prepared: dict[str, str] = {}
        self.finished: dict[str, str] = {}
        self.broken: set[str] = set()


class RepositoryTarget:
    """What an adapter does, with its own errors."""

    def __init__(self, repository: Repository, life: Life, digest: str, transaction: str) -> None:
        self.repository, self.life, self.digest, self.transaction = repository, life, digest, transaction

    def _checked(self, state: str) -> None:
        if state in self.repository.broken:
            raise DistrogateError("disk_full", f"No space for {state}.")

    def prepare(self) -> Json:
        def effect() -> None:
            self._checked("prepare")
            assert not set(self.repository.prepared) - {self.transaction}, (
                "reserved by a promotion that is gone"
            )
            self.repository.prepared[self.transaction] = self.digest

        self.life.act(effect)
        return {"prepared": True}

    def commit(self) -> Json:
        def effect() -> None:
            self._checked("commit")
            if self.transaction in self.repository.prepared:
                self.repository.published = self.repository.prepared.pop(self.transaction)
                self.repository.finished[self.transaction] = "committed"
            elif self.repository.finished.get(self.transaction) != "committed":
                raise DistrogateError(UNKNOWN_TRANSACTION, "Never heard of it.")

        self.life.act(effect)
        return {"committed": True}

    def undo(self) -> Json:
        def effect() -> None:
            self._checked("undo")
            assert self.transaction not in self.repository.finished, "what is published is never undone"
            self.repository.prepared.pop(self.transaction, None)

        self.life.act(effect)
        return {}


class Site:
    """Two repositories and the folder of statements."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.repositories = {"deb": Repository(), "rpm": Repository()}
        self.statements: dict[str, str] = {}
        self.no_statements = False

    def promotion(self, steps: int = NOT_KILLED) -> Promotion:
        life = Life(steps)
        return Promotion(MortalStore(self.store, life), "latest", World(self, life))

    def promote(self, digest: str, steps: int = NOT_KILLED) -> t.Any:
        plans = [{"name": name, "digest": digest} for name in self.repositories]
        return self.promotion(steps).promote(digest, plans, {"host": "builder"}, "somebody")

    def state(self) -> set[str]:
        """What users can see, in the repositories and by the channel."""
        pointer = self.store.get("channel/latest")
        return {repository.published for repository in self.repositories.values()} | {
            pointer.value["digest"] if pointer else ""
        }

    def versions(self) -> dict[str, str]:
        found = {entry.key[len("channel/") :]: entry.value["digest"] for entry in self.store.list("channel/")}
        found.pop("latest", None)
        return found


class World:
    """The world of one process."""

    def __init__(self, site: Site, life: Life) -> None:
        self.site, self.life = site, life
        self.lines: list[str] = []

    def target(self, plan: Json, origin: Json, transaction: str) -> RepositoryTarget:
        assert origin == {"host": "builder"}
        return RepositoryTarget(self.site.repositories[plan["name"]], self.life, plan["digest"], transaction)

    def statement(self, journal: Json) -> str:
        return f"{journal['version']} is {journal['digest']}"

    def publish_statement(self, journal: Json) -> None:
        if self.site.no_statements:
            raise DistrogateError("unreachable", "The builder is down.")

        def effect() -> None:
            assert (
                self.site.statements.setdefault(journal["version"], journal["statement"])
                == journal["statement"]
            )

        self.life.act(effect)

    def now(self) -> str:
        return "2026-01-01T00:00:00Z"

    def progress(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def site(store: Store) -> Site:
    """A site on which A is promoted."""
    site = Site(store)
    outcome = site.promote(A)
    assert (outcome.version, outcome.previous, outcome.serial) == ("1.0.0", None, 1)
    return site


def test_promote_and_again(site: Site) -> None:
    outcome = site.promote(B)
    assert (outcome.version, outcome.previous, outcome.serial) == ("2.0.0", A, 2)
    assert outcome.targets == [{"prepared": True, "committed": True}] * 2
    again = site.promote(B)
    assert (again.version, again.changed, again.targets) == ("2.0.0", False, [])
    assert site.state() == {B}
    assert site.promote(A).version == "3.0.0", "a version is never given out twice"
    assert site.versions() == {"1.0.0": A, "2.0.0": B, "3.0.0": A}
    assert list(site.statements) == ["1.0.0", "2.0.0", "3.0.0"]
    assert site.store.list("journal/") == []


@pytest.mark.parametrize("following", [A, B, C])
def test_killed_at_every_step(tmp_path: pathlib.Path, following: str) -> None:
    steps, outcomes = 0, set()
    while True:
        steps += 1
        with open_store(f"sqlite://{tmp_path}/{steps}.db") as store:
            site = Site(store)
            site.promote(A)
            try:
                site.promote(B, steps)
            except Killed:
                pass
            else:
                break
            pointer = store.get("channel/latest")
            assert pointer is not None
            if pointer.value["digest"] == B:
                assert site.state() == {B}, "the channel moves last"
            site.promotion().recover()
            assert site.state() in ({A}, {B}), f"half promoted, killed at step {steps}"
            outcomes.update(site.state())
            assert store.list("journal/") == []
            assert set(site.versions()) == set(site.statements)
            site.promote(following)
            assert site.state() == {following}
            assert not any(repository.prepared for repository in site.repositories.values())
            numbers = [int(version.partition(".")[0]) for version in site.versions()]
            assert len(set(numbers)) == len(numbers)
            assert all(
                site.statements[version].endswith(digest) for version, digest in site.versions().items()
            )
    assert outcomes == {A, B}
    assert steps > 20


def test_killed_again_while_recovering(tmp_path: pathlib.Path) -> None:
    for first in range(1, 40):
        second = 0
        while True:
            second += 1
            with open_store(f"sqlite://{tmp_path}/{first}-{second}.db") as store:
                site = Site(store)
                site.promote(A)
                try:
                    site.promote(B, first)
                except Killed:
                    pass
                else:
                    return
                try:
                    site.promotion(second).recover()
                except Killed:
                    pass
                else:
                    break
                site.promotion().recover()
                assert site.state() in ({A}, {B})
                assert store.list("journal/") == []
    raise AssertionError("the promotion has more steps than were tried")


def test_a_failed_prepare_moves_nothing(site: Site) -> None:
    site.repositories["rpm"].broken = {"prepare"}
    with pytest.raises(DistrogateError, match="No space"):
        site.promote(B)
    assert site.state() == {A}
    assert not site.repositories["deb"].prepared
    assert site.store.list("journal/") == []
    site.repositories["rpm"].broken = set()
    assert site.promote(B).version == "3.0.0", "the number of a failed promotion is not used again"


def test_a_failed_undo_is_done_by_the_next(site: Site) -> None:
    site.repositories["rpm"].broken = {"prepare", "undo"}
    with pytest.raises(DistrogateError, match="No space for prepare"):
        site.promote(B)
    with pytest.raises(DistrogateError) as caught:
        site.promote(B)
    assert caught.value.reason == "undo_incomplete"
    assert site.state() == {A}
    site.repositories["rpm"].broken = set()
    site.promote(C)
    assert site.state() == {C}


def test_a_failed_commit_goes_on_later(site: Site) -> None:
    site.repositories["rpm"].broken = {"commit"}
    with pytest.raises(DistrogateError) as caught:
        site.promote(B)
    assert caught.value.reason == "promotion_incomplete"
    site.repositories["rpm"].broken = set()
    site.repositories["rpm"].prepared = {}  # its reservation ended meanwhile
    site.promotion().recover()
    assert site.state() == {B}
    assert site.versions() == {"1.0.0": A, "2.0.0": B}


def test_a_builder_that_is_gone_does_not_block_the_channel(site: Site) -> None:
    site.no_statements = True
    with pytest.raises(DistrogateError) as caught:
        site.promote(B)
    assert caught.value.reason == "statement_unwritten"
    assert site.state() == {B}
    assert not site.promote(B).changed
    entry = site.store.get("channel/2.0.0")
    assert entry is not None
    assert entry.value["statement"] == f"2.0.0 is {B}"


def test_a_lost_answer_does_not_undo_what_was_decided(site: Site) -> None:
    """The store took the step to commit, and the connection broke before it said so."""
    promotion = site.promotion()
    step = promotion._step

    def lossy(revision: int, journal: Json) -> int:
        step(revision, journal)
        raise DistrogateError("store_unavailable", "The connection broke.")

    promotion._step = lossy  # type: ignore[method-assign]
    plans = [{"name": name, "digest": B} for name in site.repositories]
    with pytest.raises(DistrogateError, match="broke"):
        promotion.promote(B, plans, {"host": "builder"}, "somebody")
    assert all(repository.prepared for repository in site.repositories.values())
    site.promotion().recover()
    assert site.state() == {B}


def test_who_was_taken_for_dead_does_no_harm(site: Site) -> None:
    """A second process takes the journal over between the first one's prepare and its commit."""

    class Slow(RepositoryTarget):
        def prepare(self) -> Json:
            result = super().prepare()
            if self.repository is site.repositories["rpm"]:
                site.promotion().recover()
                site.promote(C)
            return result

    promotion = site.promotion()
    world = t.cast("World", promotion._world)
    world.target = lambda plan, origin, transaction: Slow(  # type: ignore[method-assign]
        site.repositories[plan["name"]], world.life, plan["digest"], transaction
    )
    plans = [{"name": name, "digest": B} for name in site.repositories]
    with pytest.raises(DistrogateError) as caught:
        promotion.promote(B, plans, {"host": "builder"}, "somebody")
    assert caught.value.reason == "promotion_lost"
    assert site.state() == {C}
    assert not any(repository.prepared for repository in site.repositories.values())


def test_versions_are_not_shared_by_channels(store: Store) -> None:
    site = Site(store)
    site.promote(A)
    other = Promotion(store, "stable", World(site, Life()))
    assert other.promote(A, [], {"host": "builder"}, "somebody").version == "2.0.0"


@pytest.mark.parametrize("name", ["4.0.0", "", "Latest", "a/b", "../x", "a b"])
def test_names_of_channels(name: str) -> None:
    with pytest.raises(DistrogateError):
        checked_channel(name)


def _holder(name: str) -> Json:
    return {"by": name, "since": "noon", "channel": "latest"}


def test_one_holds_a_channel_and_the_waiter_is_told(store: Store, tmp_path: pathlib.Path) -> None:
    lines: list[str] = []
    order: list[str] = []
    held, release = threading.Event(), threading.Event()

    def reopen() -> Store:
        return open_store(f"sqlite://{tmp_path}/store.db")

    def first() -> None:
        with (
            reopen() as mine,
            channel_lock(
                mine, reopen, lock_key("latest"), _holder("ann"), timeout=5, progress=lines.append, ttl=0.6
            ),
        ):
            held.set()
            release.wait(10)
            order.append("ann")

    thread = threading.Thread(target=first)
    thread.start()
    held.wait(10)
    with (
        pytest.raises(DistrogateError, match="ann since noon"),
        channel_lock(store, reopen, lock_key("latest"), _holder("bob"), timeout=1.5, progress=lines.append),
    ):
        raise AssertionError("the lock was not kept alive")
    threading.Timer(0.2, release.set).start()
    with channel_lock(store, reopen, lock_key("latest"), _holder("bob"), timeout=10, progress=lines.append):
        order.append("bob")
    thread.join()
    assert order == ["ann", "bob"]
    assert len(lines) == 2
    assert store.get(lock_key("latest")) is None


def test_the_lock_of_the_dead_ends(store: Store, tmp_path: pathlib.Path) -> None:
    store.transact({}, [Put(lock_key("latest"), {**_holder("ann"), "token": "dead"}, 0.3)])
    with channel_lock(
        store,
        lambda: open_store(f"sqlite://{tmp_path}/store.db"),
        lock_key("latest"),
        _holder("bob"),
        timeout=10,
        progress=print,
    ):
        pass
