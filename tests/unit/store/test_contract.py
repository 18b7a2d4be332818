# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every backend of the store promises."""

from __future__ import annotations

import multiprocessing
import threading
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Delete,
    Key,
    Put,
    Range,
    Store,
    open_store,
    until_written,
)

PROCESSES = multiprocessing.get_context("spawn")


def test_a_value_comes_back_with_its_revision(store: Store) -> None:
    value = {"name": "é", "list": [1, None, True], "text": "a'b\"c"}
    revision = store.transact({}, [Put("a/b", value)])
    entry = store.get("a/b")
    assert entry is not None
    assert entry.value == value
    assert entry.revision == revision
    assert store.revision() == revision
    assert store.get("a") is None


def test_compare_and_swap(store: Store) -> None:
    first = store.transact({"a": 0}, [Put("a", 1)])
    assert first is not None
    assert store.transact({"a": 0}, [Put("a", 2)]) is None
    assert store.transact({"a": first}, [Put("a", 3)]) is not None
    assert store.transact({"a": first}, [Put("a", 4)]) is None
    entry = store.get("a")
    assert entry is not None
    assert entry.value == 3


def test_several_keys_are_written_at_once_or_not_at_all(store: Store) -> None:
    revision = store.transact({}, [Put("a", 1), Put("b", 1)])
    assert revision is not None
    assert store.transact({"a": revision, "b": 0}, [Put("a", 2), Put("b", 2), Delete("a")]) is None
    assert [(entry.key, entry.value) for entry in store.list("")] == [("a", 1), ("b", 1)]
    third = store.transact({"a": revision, "b": revision, "c": 0}, [Delete("a"), Put("b", 2), Put("c", 2)])
    assert [(entry.key, entry.value, entry.revision) for entry in store.list("")] == [
        ("b", 2, third),
        ("c", 2, third),
    ]


def test_operations_apply_in_order(store: Store) -> None:
    store.transact({}, [Put("a", 1), Delete("a"), Put("b", 1), Put("b", 2), Delete("missing")])
    assert [(entry.key, entry.value) for entry in store.list("")] == [("b", 2)]


def test_a_comparison_alone_writes_nothing(store: Store) -> None:
    store.transact({}, [Put("a", 1)])
    assert store.transact({"a": 0}, []) is None


def test_list_takes_exactly_the_prefix_in_order(store: Store) -> None:
    keys = ["a", "a/", "a/é", "a/\U0010ffff", "a/\U0010ffffx", "a/%", "a/_", "a0", "b"]
    store.transact({}, [Put(key, None) for key in reversed(keys)])
    assert [entry.key for entry in store.list("a/")] == sorted(key for key in keys if key.startswith("a/"))
    assert len(store.list("")) == len(keys)


def _wait_for(what: t.Callable[[], bool], seconds: float = 60) -> None:
    """A backend may let an entry live somewhat longer than its ttl."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_an_expired_entry_is_gone_for_every_reader(store: Store, store_url: str) -> None:
    revision = store.transact({}, [Put("a", 1, ttl=3), Put("b", 1, ttl=60), Put("c", 1)])
    assert revision is not None
    assert len(store.list("")) == 3
    _wait_for(lambda: store.get("a") is None)
    with open_store(store_url) as other:
        assert store.get("a") is None
        assert other.get("a") is None
        assert [entry.key for entry in other.list("")] == ["b", "c"]
        assert store.transact({"a": revision}, [Put("a", 2)]) is None
        assert store.transact({"a": 0}, [Put("a", 3)]) is not None


def test_a_write_replaces_the_ttl(store: Store) -> None:
    store.transact({}, [Put("a", 1, ttl=1), Put("b", 1, ttl=1)])
    store.transact({}, [Put("a", 2)])
    _wait_for(lambda: store.get("b") is None)
    entry = store.get("a")
    assert entry is not None
    assert entry.value == 2


def test_revisions_only_rise(store: Store, store_url: str) -> None:
    seen = [
        store.transact({}, [Put("a", 1)]),
        store.transact({}, [Delete("a")]),
        store.transact({}, [Put("a", 1)]),
    ]
    with open_store(store_url) as other:
        seen.append(other.transact({}, [Put("a", 1)]))
    assert seen == sorted(set(seen), key=lambda revision: revision or 0)


@pytest.mark.parametrize("key", ["", "a\0b", "é" * 513, "\udc80"])
def test_bad_keys_are_refused(store: Store, key: str) -> None:
    with pytest.raises(DistrogateError) as error:
        store.transact({}, [Put(key, 1)])
    assert error.value.reason == "bad_key"


@pytest.mark.parametrize(
    ("put", "reason"),
    [
        (Put("a", "x" * (1 << 20)), "bad_value"),
        (Put("a", {1, 2}), "bad_value"),
        (Put("a", float("nan")), "bad_value"),
        (Put("a", 1, ttl=0), "bad_ttl"),
        (Put("a", 1, ttl=-1), "bad_ttl"),
    ],
)
def test_bad_writes_are_refused(store: Store, put: Put, reason: str) -> None:
    with pytest.raises(DistrogateError) as error:
        store.transact({}, [Put("before", 1), put])
    assert error.value.reason == reason
    assert store.list("") == []


def _later(url: str, operations: list[t.Any]) -> threading.Thread:
    def work() -> None:
        time.sleep(0.3)
        with open_store(url) as store:
            store.transact({}, operations)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize("operation", [Put("a", 2), Delete("a")])
def test_a_watch_wakes_on_a_change_of_its_key(store: Store, store_url: str, operation: t.Any) -> None:
    store.transact({}, [Put("a", 1)])
    started = time.monotonic()
    with store.watch("a") as watch:
        thread = _later(store_url, [operation])
        assert watch.wait(120)
        assert 0.2 < time.monotonic() - started < 60
        thread.join()
        assert watch.entry() == store.get("a")
        assert watch.wait(0.5) is False


def test_a_watch_sleeps_through_changes_elsewhere(store: Store, store_url: str) -> None:
    store.transact({}, [Put("a", 1), Put("a/b", 1)])
    with store.watch("a") as watch:
        thread = _later(store_url, [Put("a/b", 2), Put("b", 1)])
        assert not watch.wait(1)
        thread.join()


def test_a_watch_sees_an_entry_appear_and_end_with_its_session(store: Store) -> None:
    session = store.session(3)
    with store.watch("a") as watch:
        store.transact({}, [Put("a", 1, session=session)])
        assert watch.wait(60)
        entry = watch.entry()
        assert entry is not None
        assert entry.value == 1
        assert watch.wait(60)
        assert watch.entry() is None


def test_a_watch_that_comes_late_knows_the_entry(store: Store) -> None:
    store.transact({}, [Put("a", 1)])
    with store.watch("a") as watch:
        assert watch.entry() == store.get("a")


def test_two_watch_one_key(store: Store, store_url: str) -> None:
    with open_store(store_url) as other, store.watch("a") as first, other.watch("a") as second:
        thread = _later(store_url, [Put("a", 1)])
        assert first.wait(60)
        assert second.wait(60)
        thread.join()


def test_a_session_that_is_kept_lives_and_one_that_is_not_ends(store: Store) -> None:
    kept, left = store.session(4), store.session(2)
    store.transact({}, [Put("kept", 1, session=kept), Put("left", 1, session=left)])
    started = time.monotonic()
    while time.monotonic() - started < 6:
        time.sleep(0.5)
        assert store.keep(kept)
    assert [entry.key for entry in store.list("")] == ["kept"]
    assert not store.keep(left)
    assert store.transact({}, [Put("other", 1), Put("late", 1, session=left)]) is None
    assert [entry.key for entry in store.list("")] == ["kept"]


def test_ending_a_session_ends_its_entries_at_once(store: Store) -> None:
    session = store.session(60)
    store.transact({}, [Put("a", 1, session=session), Put("b", 1)])
    store.end(session)
    store.end(session)
    assert [entry.key for entry in store.list("")] == ["b"]
    assert not store.keep(session)


def test_a_write_moves_an_entry_to_another_session(store: Store) -> None:
    first, second = store.session(60), store.session(60)
    store.transact({}, [Put("a", 1, session=first)])
    store.transact({}, [Put("a", 2, session=second)])
    store.end(first)
    assert store.get("a") is not None
    store.transact({}, [Put("a", 3)])
    store.end(second)
    assert store.get("a") is not None


def test_many_queries_are_answered_in_turn(store: Store) -> None:
    for key in ("x/c", "x/a", "x/b", "y"):
        store.transact({}, [Put(key, key)])
    store.transact({}, [Put("x/a", "again")])
    answers = store.read(
        [Key("y"), Key("none"), Range("x/", 2), Range("x/", oldest=True), Range("x/", 1, True)]
    )
    assert [[entry.key for entry in found] for found in answers] == [
        ["y"],
        [],
        ["x/a", "x/b"],
        ["x/c", "x/a", "x/b"],
        ["x/c"],
    ]
    assert store.read([]) == []
    [bare] = store.read([Range("x/", bare=True)])
    assert [(entry.key, entry.value) for entry in bare] == [("x/a", None), ("x/b", None), ("x/c", None)]
    assert [entry.revision for entry in bare] == [entry.revision for entry in store.list("x/")]


def test_writing_again_keeps_the_age_and_removing_does_not(store: Store) -> None:
    made = store.transact({}, [Put("a", 1)])
    store.transact({}, [Put("a", 2)])
    entry = store.get("a")
    assert entry is not None
    assert (entry.created, entry.revision > entry.created) == (made, True)
    store.transact({}, [Delete("a")])
    again = store.transact({}, [Put("a", 3)])
    entry = store.get("a")
    assert entry is not None
    assert entry.created == again


def _increment(url: str, times: int) -> None:
    with open_store(url) as store:

        def attempt() -> int | None:
            entry = store.get("count")
            value, revision = (entry.value, entry.revision) if entry else (0, 0)
            return store.transact(
                {"count": revision}, [Put("count", value + 1), Put(f"mirror/{value + 1}", None)]
            )

        for _number in range(times):
            until_written(attempt, attempts=10_000)


def test_processes_that_compete_lose_no_update(store_url: str) -> None:
    workers = [PROCESSES.Process(target=_increment, args=(store_url, 50)) for _number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    with open_store(store_url) as store:
        entry = store.get("count")
        assert entry is not None
        assert entry.value == 200
        assert len(store.list("mirror/")) == 200


def _move(url: str, rounds: int) -> None:
    with open_store(url) as store:
        for number in range(rounds):
            here, there = ("x/a", "x/b") if number % 2 else ("x/b", "x/a")
            store.transact({}, [Delete(here), Put(there, number)])


def test_a_list_is_of_one_revision(store: Store, store_url: str) -> None:
    store.transact({}, [Put("x/a", -1)])
    mover = PROCESSES.Process(target=_move, args=(store_url, 300))
    mover.start()
    while mover.is_alive():
        assert len(store.list("x/")) == 1
    mover.join()
    assert mover.exitcode == 0


def test_until_written_gives_up_with_a_sentence() -> None:
    with pytest.raises(DistrogateError) as error:
        until_written(lambda: None, attempts=3)
    assert error.value.reason == "store_contended"


def test_a_write_may_rely_on_nothing_new_below_a_prefix(store: Store) -> None:
    store.transact({}, [Put("x/a", 1), Put("y", 1)])
    seen = store.read([Range("x/")]).revision
    assert seen >= store.list("x/")[0].created
    assert store.transact({}, [Put("x/a", 2)], {"x/": seen}) is not None
    assert store.transact({}, [Put("x/b", 1)], {"x/": seen, "z/": seen}) is not None
    assert store.transact({}, [Put("y", 2)], {"x/": seen}) is None
    entry = store.get("y")
    assert entry is not None
    assert entry.value == 1
    assert store.transact({}, [Put("y", 3)], {"x/": store.revision()}) is not None


def test_a_write_and_a_read_in_one(store: Store) -> None:
    store.transact({}, [Put("x/a", 1)])
    answers = store.transact_and_read({"x/b": 0}, [Put("x/b", 2)], [Range("x/", oldest=True), Key("x/c")])
    assert answers is not None
    assert [[entry.value for entry in found] for found in answers] == [[1, 2], []]
    assert store.transact_and_read({"x/b": 0}, [Put("x/b", 3)], [Key("x/b")]) is None
    assert [entry.value for entry in store.list("x/")] == [1, 2]


def test_what_is_not_fresh_is_of_one_revision_too(store: Store) -> None:
    store.transact({}, [Put("x/a", 1), Put("x/b", 1)])
    _wait_for(lambda: len(store.read([Range("x/")], fresh=False)[0]) == 2)
    assert store.read([], fresh=False) == []
