# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Killed at every call that changes the tree: the old state or the new one, and the next run goes on."""

from __future__ import annotations

import gzip
import itertools
import os
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._transactions import Transactions
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import QuickSigner, Suite

Make = t.Callable[..., t.Any]
_CALLS = ("rename", "unlink", "mkdir", "rmdir", "symlink", "fsync", "fdatasync", "ftruncate", "utime")
_KILLED = 86


def killed_at(number: int, work: t.Callable[[], t.Any]) -> bool:
    """Do ``work`` in a child that dies, without any clean-up, instead of its N-th such call."""
    count = itertools.count(1)
    return killed_when(lambda _name, _target: next(count) == number, work)


def killed_when(now: t.Callable[[str, t.Any], bool], work: t.Callable[[], t.Any]) -> bool:
    """The same, instead of the first such call of which ``now`` is true; it knows the name and on what."""
    child = os.fork()
    if child == 0:

        def dying(name: str, real: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
            def call(*args: t.Any, **kwargs: t.Any) -> t.Any:
                if now(name, args[0]):
                    os._exit(_KILLED)
                return real(*args, **kwargs)

            return call

        try:
            for name in _CALLS:
                setattr(os, name, dying(name, getattr(os, name)))
            work()
        except BaseException:  # noqa: BLE001 -- the child must not go on as a second pytest
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, _KILLED)
    return status == _KILLED


def sweep(
    tmp_path: t.Any, prepare: t.Callable[[Suite], t.Any], work: t.Callable[[Suite], t.Any]
) -> t.Iterator[Suite]:
    """One repository for each point at which ``work`` can be killed."""
    number = 0
    while True:
        number += 1
        suite = Suite(tmp_path / str(number))
        prepare(suite)
        if not killed_at(number, lambda suite=suite: work(suite)):  # type: ignore[misc]
            break
        yield suite
    assert number > 10


def clean(suite: Suite) -> None:
    """Nothing is left over, and at rest the files with fixed names are right too."""
    for name, text in suite.indexes().items():
        assert gzip.decompress((suite.root / f"dists/bookworm/{name}.gz").read_bytes()) == text
    release = (suite.root / "dists/bookworm/Release").read_bytes()
    assert suite.text("dists/bookworm/InRelease") == "SIGNED\n" + release.decode()
    assert suite.text("dists/bookworm/Release.gpg") == QuickSigner().detached(release).decode()
    ours = ["chunks", "lock", "state.json", "touched", "transactions"]
    assert sorted(os.listdir(suite.root / ".distrogate")) == ours
    assert os.listdir(suite.root / ".distrogate/touched") == ["log"]
    assert os.listdir(suite.root / ".distrogate/transactions") == []
    assert not list(suite.root.rglob(".tmp-*"))


OLD, NEW = ["nova=1.0-1"], ["nova=1.0-1", "nova=2"]


def test_publish(tmp_path: t.Any, make: Make) -> None:
    first, second = make(), make(version="2")
    seen = set()
    for suite in sweep(tmp_path, lambda suite: suite(first), lambda suite: suite(second)):
        names = suite.names()  # what a reader finds before anybody comes to clean up
        assert names in (OLD, NEW)
        seen.add(len(names))
        predicted = suite(second, check=True)
        suite(second)
        assert predicted["serial"] == 2
        assert suite.names() == NEW
        clean(suite)
    assert seen == {1, 2}


def test_remove(tmp_path: t.Any, make: Make) -> None:
    first, second = make(), make(version="2")
    for suite in sweep(tmp_path, lambda s: s(first, second), lambda s: s("nova=2", state="absent")):
        names = suite.names()
        assert names in (OLD, NEW)
        suite()
        assert suite.names() == OLD or names == NEW  # what a reader has seen does not go back
        clean(suite)


@pytest.mark.parametrize("end", ["committed", "undone"])
def test_end_of_a_prepared_transaction(tmp_path: t.Any, make: Make, end: str) -> None:
    first, second = make(), make(version="2")

    def prepare(suite: Suite) -> None:
        suite(first)
        suite(second, state="prepared", transaction="one")

    for suite in sweep(tmp_path, prepare, lambda suite: suite(state=end, transaction="one")):
        assert suite.names() in ((OLD, NEW) if end == "committed" else (OLD,))
        suite(state=end, transaction="one")
        assert suite.names() == (NEW if end == "committed" else OLD)
        suite()
        clean(suite)


def test_prepare(tmp_path: t.Any, make: Make) -> None:
    first, second = make(), make(version="2")
    for suite in sweep(
        tmp_path, lambda s: s(first), lambda s: s(second, state="prepared", transaction="one")
    ):
        assert suite.names() == OLD
        suite(second, state="prepared", transaction="one")
        suite(state="committed", transaction="one")
        assert suite.names() == NEW
        clean(suite)


def test_undo_of_a_committed_one(tmp_path: t.Any, make: Make) -> None:
    first, second = make(), make(version="2")

    def prepare(suite: Suite) -> None:
        suite(first)
        suite(second, transaction="one")

    for suite in sweep(tmp_path, prepare, lambda suite: suite(state="undone", transaction="one")):
        assert suite.names() in (OLD, NEW)
        suite(state="undone", transaction="one")
        assert suite.names() == OLD
        clean(suite)


def test_writers_come_one_after_the_other(tmp_path: t.Any, make: Make) -> None:
    suite = Suite(tmp_path / "repository")
    paths = [make(f"package-{number}") for number in range(4)]
    children = []
    for path in paths:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                suite(path, timeout=60)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    assert suite.names() == [f"package-{number}=1.0-1" for number in range(4)]
    assert suite()["serial"] == 4
    clean(suite)


def test_names_stay_inside(tmp_path: t.Any) -> None:
    transaction = Transactions(str(tmp_path)).begin()
    for name in ("../x", "/etc/x", "a//b", ""):
        with pytest.raises(DistrogateError, match="leave"):
            transaction.put(name, b"")
    with pytest.raises(DistrogateError, match="transaction id"):
        Transactions(str(tmp_path)).begin("../x")


def test_links_and_drops(tmp_path: t.Any) -> None:
    (tmp_path / "old").write_text("old")
    log = Transactions(str(tmp_path))
    transaction = log.begin("one")
    transaction.put_link("folder/link", "/nowhere")
    transaction.drop("old")
    transaction.drop("missing")
    transaction.prepare({"why": "test"}, 10**12)
    assert (tmp_path / "old").exists()
    waiting = log.reservation()
    assert waiting is not None
    assert waiting.meta == {"why": "test"}
    waiting.commit()
    assert os.readlink(tmp_path / "folder/link") == "/nowhere"
    assert not (tmp_path / "old").exists()
    assert log.recover() == []
