# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The index: however it is found, what is read from it is what the files say."""

from __future__ import annotations

import errno
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
import typing as t

import pytest
from archive_samples import World, deb, image, make, unreadable

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _bundle, _index, _index_build
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete

Json = dict[str, t.Any]

# Asks as another process does, and says how long the answer is.
ASK = """
import sys
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import Archive
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle_info import Finder
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._known_keys import KnownKeys
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store

with open_store(f"sqlite://{sys.argv[1]}/store.db") as store:
    archive = Archive(sys.argv[1] + "/archive")
    finder = Finder(store, archive, KnownKeys(store), lambda line: print(line, flush=True))
    print("found", len(finder.find({"contains": "common"}).bundles))
"""


def index_of(world: World) -> pathlib.Path:
    return pathlib.Path(world.archive.root) / ".distrogate" / "index.sqlite"


def fill(world: World, many: int = 4) -> list[str]:
    """Some bundles; returns their digests, newest first."""
    made = [
        world.seal([deb("common", "1"), deb("own", str(number))], number) for number in range(1, many + 1)
    ]
    return [bundle["digest"] for bundle in reversed(made)]


def settle(world: World) -> None:
    """Make the archive older than the grain of the file system's time."""
    for folder, _folders, names in os.walk(world.archive.root):
        for name in (*names, "."):
            os.utime(os.path.join(folder, name), (1000, 1000))


def test_no_archive_is_an_empty_one(world: World) -> None:
    assert world.digests() == []
    assert world.lines == [f"there is no folder {world.archive.root}: nothing is archived there"]
    assert not os.path.exists(world.archive.root)


def test_an_index_is_made_once_and_kept(world: World) -> None:
    digests = fill(world)
    settle(world)
    assert world.digests() == digests
    assert [line for line in world.lines if "anew" in line]
    before = (index_of(world).stat().st_ino, index_of(world).read_bytes())
    world.lines.clear()
    assert world.digests(contains="common") == digests
    assert world.lines == []
    assert (index_of(world).stat().st_ino, index_of(world).read_bytes()) == before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"not a database at all, but long enough to look at" * 100),
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: path.write_bytes(path.read_bytes()[:4096] + b"\xa5" * (path.stat().st_size - 4096)),
        lambda path: sqlite3.connect(path).executescript("PRAGMA user_version = 7"),
        lambda path: sqlite3.connect(path).executescript("DROP TABLE word"),
        lambda path: sqlite3.connect(path).executescript("DROP TABLE bundle"),
        lambda path: sqlite3.connect(path).executescript("UPDATE detail SET said = x'00'"),
    ],
)
def test_a_broken_index_is_made_anew(world: World, spoil: t.Callable[[pathlib.Path], None]) -> None:
    digests = fill(world)
    settle(world)
    assert world.digests() == digests
    spoil(index_of(world))
    world.lines.clear()
    assert world.digests(contains="common") == digests
    assert world.digests(contains="own=2") == [digests[2]]
    assert len([line for line in world.lines if "anew" in line]) == 1


@pytest.mark.parametrize("found", ["garbage", "nothing"])
def test_a_journal_of_the_old_index_is_not_played_into_the_new_one(world: World, found: str) -> None:
    digests = fill(world, 28)
    settle(world)
    world.digests()
    journal = index_of(world).with_name("index.sqlite-journal")
    writer = sqlite3.connect(index_of(world), isolation_level=None)
    writer.execute("PRAGMA cache_size = 1")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE detail SET contents = randomblob(9000)")
    hot = journal.read_bytes()
    writer.execute("ROLLBACK")
    writer.close()
    assert hot[8:12] > b"\0\0\0\0"  # pages that would be put back
    journal.write_bytes(hot)
    digests.insert(0, world.seal([deb("common", "1"), deb("own", "29")], 28)["digest"])
    if found == "garbage":
        index_of(world).write_bytes(b"broken" * 3000)
    else:
        index_of(world).unlink()  # by somebody who was told to, and left the journal
    assert world.digests() == digests
    assert not journal.exists()
    assert world.digests(contains="own=1") == [digests[28]]
    assert world.digests(contains="common") == digests
    assert len([line for line in world.lines if "anew" in line]) == 2


def test_what_is_added_is_found_at_once(world: World) -> None:
    digests = fill(world)
    assert world.digests() == digests
    for number in range(5, 9):  # faster than some file systems count time
        digests.insert(0, world.seal([deb("common", "1"), image("i", str(number))], number)["digest"])
        assert world.digests(contains="common") == digests
    bundle = make([deb("common", "1"), image("i", "8")], 8)
    for number in range(6):
        world.verdict(bundle, "test", "FAILED" if number % 2 else "PASSED", number)
        (found,) = world.finder().find({"bundle": bundle["digest"]}).bundles
        assert found["verdicts"][0]["result"] == ("FAILED" if number % 2 else "PASSED")


def test_two_changes_of_one_instant(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that counts time coarsely gives a folder the same time after the second change."""
    bundle = world.seal([deb("a", "1")])
    world.verdict(bundle, "first", "PASSED")
    folder = os.path.join(world.archive.folder(bundle["digest"]), "statements")
    at = os.stat(folder).st_mtime_ns
    with monkeypatch.context() as context:
        context.setattr(_index_build, "_RACY", 10**12)  # however slow this machine is
        world.digests()
    world.verdict(bundle, "second", "PASSED")
    os.utime(folder, ns=(at, at))
    assert len(world.finder().find({}).bundles[0]["verdicts"]) == 2


def test_what_is_removed_is_gone(world: World) -> None:
    digests = fill(world)
    settle(world)
    assert world.digests() == digests
    shutil.rmtree(world.archive.folder(digests[0]))
    world.store.transact({}, [Delete(f"bundle/{digests[0][7:]}")])
    assert world.digests(contains="common") == digests[1:]
    world.seal([deb("common", "1"), deb("own", "4")], 4)
    assert world.digests(contains="common") == digests


def test_what_was_edited_is_a_problem_until_it_is_put_back(world: World) -> None:
    digests = fill(world)
    world.digests()
    path = pathlib.Path(world.archive.folder(digests[1])) / "bundle.json"
    text = path.read_text()
    path.write_text(text.replace('"own"', '"known"'))
    found = world.finder().find({})
    assert [bundle["digest"] for bundle in found.bundles] == [digests[0], *digests[2:]]
    assert [problem["digest"] for problem in found.problems] == [digests[1]]
    assert world.digests(contains="known=3") == []
    path.write_text(text)
    assert world.digests(contains="own=3") == [digests[1]]
    assert world.finder().find({}).problems == []


def test_a_signer_who_becomes_known(world: World, other_key: t.Any, tmp_path: pathlib.Path) -> None:
    bundle = world.seal([deb("a", "1")])
    world.verdict(bundle, "mine", "PASSED")
    world.say(
        bundle, "https://in-toto.io/attestation/test-result/v0.1", other_key, stage="theirs", result="PASSED"
    )
    settle(world)
    public = tmp_path / "other.pub"
    public.write_text(other_key.public.pem)

    def tests(*signers: str) -> list[str]:
        return [verdict["stage"] for verdict in world.finder(*signers).find({}).bundles[0]["verdicts"]]

    assert tests() == ["mine"]
    assert sorted(tests(str(public))) == ["mine", "theirs"]
    assert tests() == ["mine"]  # whoever does not name the key does not believe it


def test_one_that_may_not_be_read_is_a_problem_until_it_may(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """chmod changes no time that the index looks at."""
    digests = [world.seal([deb("a", str(number))], number)["digest"] for number in (1, 2)]
    settle(world)
    with monkeypatch.context() as patch:
        unreadable(patch, digests[0][7:] + "/bundle.json", errno.EACCES)
        found = world.finder().find({})
        assert [row["digest"] for row in found.bundles] == digests[1:]
        assert [problem["digest"] for problem in found.problems] == digests[:1]
    assert world.digests() == digests[::-1]


@pytest.mark.parametrize(("name", "what"), [("listdir", "/statements"), ("lstat", "/bundle.json")])
def test_a_folder_that_may_not_be_read_is_a_problem_of_one_bundle(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, what: str
) -> None:
    """Somebody with another umask sealed it. The others are found, and it is not called absent."""
    digests = fill(world)
    settle(world)
    real, closed = getattr(os, name), world.archive.folder(digests[1]) + what

    def refused(path: t.Any, *arguments: t.Any, **more: t.Any) -> t.Any:
        if path == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, name, refused)
        if name == "lstat":  # who may not enter a folder opens nothing in it
            unreadable(patch, closed, errno.EACCES)
        for _again in range(2):
            found = world.finder().find({})
            assert [row["digest"] for row in found.bundles] == [digests[0], *digests[2:]]
            assert [problem["digest"] for problem in found.problems] == [digests[1]]
            assert closed in found.problems[0]["message"]
    assert world.digests() == digests


def test_an_edited_statement_is_not_believed(world: World) -> None:
    bundle = world.seal([deb("a", "1")])
    name = world.verdict(bundle, "test", "PASSED")
    path = pathlib.Path(world.archive.folder(bundle["digest"])) / "statements" / name
    path.write_text(path.read_text().replace('"payload":"ey', '"payload":"eY'))
    (found,) = world.finder().find({}).bundles
    assert found["verdicts"] == []
    whole = world.finder().whole(bundle["digest"])
    assert [refused["statement"] for refused in whole["refused"]] == [name]


def processes(world: World, many: int) -> list[subprocess.Popen[str]]:
    folder = os.path.dirname(world.archive.root)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "HOME": os.devnull}
    return [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(ASK), folder],
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for _one in range(many)
    ]


@pytest.mark.parametrize("found", ["nothing", "garbage", "behind"])
def test_several_processes_ask_at_once(world: World, found: str) -> None:
    digests = fill(world, 30)
    settle(world)
    if found == "behind":
        world.digests()
        world.seal([deb("common", "2")], 31)
    if found == "garbage":
        index_of(world).parent.mkdir()
        index_of(world).write_bytes(b"garbage" * 999)
    asking = processes(world, 4)
    said = [process.communicate(timeout=120)[0] for process in asking]
    many = len(digests) + (found == "behind")
    assert [text.splitlines()[-1] for text in said] == [f"found {many}"] * 4
    made = sum("anew" in text for text in said)
    assert made == (0 if found == "behind" else 1)


def test_killed_while_it_makes_the_index(world: World) -> None:
    digests = fill(world, 40)
    settle(world)
    for wait in (0.0, 0.01, 0.03):
        (process,) = processes(world, 1)
        assert process.stdout is not None
        process.stdout.readline()  # it has begun
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        left = index_of(world)
        if left.exists():  # it was faster: then it is whole
            assert sqlite3.connect(left).execute("SELECT count(*) FROM bundle").fetchone() == (40,)
            left.unlink()
    assert world.digests() == digests
    assert not index_of(world).with_name("index.sqlite.new").exists()


def test_killed_while_it_catches_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = fill(world)
    settle(world)
    world.digests()
    more = [world.seal([deb("common", "1"), deb("own", str(n))], n)["digest"] for n in (5, 6, 7)]
    real = _index_build._take_in
    calls = iter(range(2))

    def killed(*arguments: t.Any) -> None:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        real(*arguments)

    with monkeypatch.context() as context:
        context.setattr(_index_build, "_take_in", killed)
        context.setattr(_index_build, "BATCH", 1)
        with pytest.raises(KeyboardInterrupt):
            world.digests()
    assert world.digests(contains="common") == [*reversed(more), *digests]


def test_a_reader_who_may_not_write(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = fill(world)
    settle(world)
    world.digests()
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    assert world.digests() == digests
    world.seal([deb("common", "1")], 9)

    def refused(path: str, *arguments: t.Any, **more: t.Any) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(_index, "file_lock", refused)
    with pytest.raises(DistrogateError) as raised:
        world.digests()
    assert raised.value.reason == "no_permission"


def test_an_index_in_use_is_not_called_broken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(world)
    settle(world)
    world.digests()
    monkeypatch.setattr(_index, "_BUSY", 0.05)
    writer = sqlite3.connect(index_of(world), isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    inode = index_of(world).stat().st_ino
    with pytest.raises(DistrogateError) as raised:
        world.digests()
    assert raised.value.reason == "index_failed"
    assert index_of(world).stat().st_ino == inode
    writer.close()
    assert len(world.digests()) == 4


@pytest.mark.parametrize("anew", [False, True])
def test_a_full_disk(world: World, monkeypatch: pytest.MonkeyPatch, anew: bool) -> None:
    """It is called that; an index that is whole is not made anew because of it."""
    fill(world)
    settle(world)
    world.digests()
    world.seal([deb("common", "1"), *(deb(f"own{number}", "1") for number in range(3000))], 9)
    connect = sqlite3.connect
    if anew:
        index_of(world).unlink()
    before = world.lines[:]

    def limited(path: str, **more: t.Any) -> sqlite3.Connection:
        connection = connect(path, **more)
        connection.execute("PRAGMA max_page_count = 30")
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", limited)
        with pytest.raises(DistrogateError) as raised:
            world.digests()
    assert raised.value.reason == "no_space" and str(index_of(world).parent) in raised.value.message
    assert len(world.lines) == len(before) + anew
    names = {path.name for path in index_of(world).parent.iterdir()}
    assert names == {"lock"} if anew else {"lock", "index.sqlite"}
    assert len(world.digests()) == 5


def test_bundles_of_version_one(world: World) -> None:
    old = make([deb("common", "1")], 3)
    value = {
        **old,
        "version": 1,
        "artifacts": [{k: v for k, v in one.items() if k != "origin"} for one in old["artifacts"]],
    }
    value["digest"] = _bundle.bundle_digest(value)
    world.archive.add(value["digest"], _bundle.bundle_text(value), {})
    assert world.digests(contains="common=1") == [value["digest"]]
