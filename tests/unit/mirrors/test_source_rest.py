# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A source that is no repository of ours, or holds some: what is not ours is walked until it is at rest."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors import _digests, _look, _rest
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._source import Seen
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import publish, publish_rpm
from ansible_collections.distrogate.ci.tests.unit.mirrors.own import (
    Own,
    every_file,
    listed,
    snapshots_of,
    source_of,
    there,
)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(_seconds: float) -> None:
        return None

    monkeypatch.setattr(_rest.time, "sleep", wait)
    monkeypatch.setattr(_digests, "_TICK_NS", 0)


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    root = tmp_path / "source"
    publish(root / "apt", "one", pool="a_1_amd64.deb")
    publish_rpm(root / "rpm", "first")
    return root


def look(root: pathlib.Path, seen: Seen | None = None, **options: bool) -> Seen:
    return source_of(root).observe(seen.snapshot if seen else None, **options)


def reason(root: pathlib.Path, seen: Seen | None = None) -> str:
    with pytest.raises(DistrogateError) as caught:
        look(root, seen)
    return caught.value.reason


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    read: list[bytes] = []
    digest_of, copy = _rest.digest_of, _look.Blobs.copy

    def counted(path: bytes) -> str:
        read.append(os.path.basename(path))
        return digest_of(path)

    def counted_copy(self: _look.Blobs, path: bytes, mtime_ns: int) -> object:
        read.append(os.path.basename(path))
        return copy(self, path, mtime_ns)

    monkeypatch.setattr(_rest, "digest_of", counted)
    monkeypatch.setattr(_look.Blobs, "copy", counted_copy)
    return read


def test_a_tree_is_walked_and_read_once(root: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = look(root)
    assert first.walked == [b""] and first.notes == {b"": None} and set(first.snapshot.parts) == {b""}
    assert listed(root, first.snapshot) == there(root)
    read = count_reads(monkeypatch)
    before = every_file(root)
    second = look(root, first)
    assert second.snapshot == first.snapshot and second.walked == [b""] and read == []
    assert every_file(root) == before
    publish(root / "apt", "two", pool="b_1_amd64.deb")
    third = look(root, second)
    assert listed(root, third.snapshot) == there(root)
    assert b"a_1_amd64.deb" not in read and b"b_1_amd64.deb" in read and b"repomd.xml" not in read
    delta = snapshots_of(root).delta(second.snapshot, third.snapshot)
    assert [path for path, _old, _new in delta.index] == [
        b"apt/dists/stable/InRelease",
        b"apt/dists/stable/Release",
        b"apt/dists/stable/main/binary-amd64/Packages",
    ]


def test_removed_files(root: pathlib.Path) -> None:
    first = look(root)
    (root / "apt" / "pool" / "a_1_amd64.deb").unlink()
    (root / "rpm" / "repodata" / "repomd.xml").unlink()
    second = look(root, first)
    assert listed(root, second.snapshot) == there(root)
    delta = snapshots_of(root).delta(first.snapshot, second.snapshot)
    assert [(path, new) for path, _old, new in (*delta.content, *delta.index)] == [
        (b"apt/pool/a_1_amd64.deb", None),
        (b"rpm/repodata/repomd.xml", None),
    ]


def test_young_files_are_read_again(root: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_digests, "_TICK_NS", 10**12)
    first = look(root)
    path = root / "apt" / "pool" / "a_1_amd64.deb"
    status = path.stat()
    path.write_text("b_1_amd64.deb")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    second = look(root, first)
    assert listed(root, second.snapshot) == there(root)
    path.unlink()
    assert listed(root, look(root, second).snapshot) == there(root)


def test_another_base_builds_from_scratch(root: pathlib.Path) -> None:
    first = look(root)
    publish(root / "apt", "two", pool="b_1_amd64.deb")
    second = look(root, first)
    (root / "apt" / "pool" / "b_1_amd64.deb").unlink()
    assert listed(root, look(root, first).snapshot) == there(root)
    assert listed(root, look(root, second).snapshot) == there(root)
    assert listed(root, look(root).snapshot) == there(root)


def test_a_broken_digest_file_is_not_believed(root: pathlib.Path) -> None:
    first = look(root)
    path = root / ".distrogate" / "mirrors" / "public" / "digests"
    data = path.read_bytes()
    at = data.index(b"apt/pool")
    flipped = data[: at - 100] + data[at - 100 :].replace(b"0", b"1", 3)
    assert flipped != data
    for broken in (flipped, b"", b"\0", b"nonsense"):
        path.write_bytes(broken)
        assert look(root, first).snapshot.id == first.snapshot.id


def test_a_rewritten_list_is_built_anew(root: pathlib.Path) -> None:
    first = look(root)
    publish(root / "apt", "two")
    for name in snapshots_of(root).names(first.snapshot):
        path = root / ".distrogate" / "lists" / name
        path.chmod(0o644)
        path.write_bytes(b"x")
    assert listed(root, look(root, first).snapshot) == there(root)


def test_a_frozen_file_that_is_gone_is_frozen_again(root: pathlib.Path) -> None:
    first = look(root)
    publish_rpm(root / "rpm", "second")
    source = source_of(root)
    for name in os.listdir(source.blobs.folder):
        os.unlink(f"{source.blobs.folder}/{name}")
    second = look(root, first)
    paths = [path for path, old, new in snapshots_of(root).changes(None, second.snapshot, "index")]
    assert all(source.blobs.has(entry) for entry in snapshots_of(root).find(second.snapshot, paths).values())


def moving(monkeypatch: pytest.MonkeyPatch, change: t.Callable[[int], None]) -> None:
    """Change the source each time its index files were read."""
    walks, walk = [0], _rest.walk

    def changed(*args: t.Any) -> t.Any:
        walks[0] += 1
        if walks[0] % 2 == 0:
            change(walks[0])
        return walk(*args)

    monkeypatch.setattr(_rest, "walk", changed)


def test_a_publisher_that_never_rests(root: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(number: int) -> None:
        publish(root / "apt", f"state {number}")

    moving(monkeypatch, change)
    assert reason(root) == "source_changing"
    assert not snapshots_of(root).ids()


def test_a_publisher_that_rests_at_last(root: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(number: int) -> None:
        if number < 6:
            publish(root / "apt", f"state {number}")
        if number == 4:
            (root / "apt" / "pool" / "a_1_amd64.deb").unlink()

    moving(monkeypatch, change)
    assert listed(root, look(root).snapshot) == there(root)


def test_a_file_that_vanishes_while_it_is_read(root: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest_of = _rest.digest_of

    def vanishing(path: bytes) -> str:
        if path.endswith(b".deb") and os.path.exists(path):
            os.unlink(path)
        return digest_of(path)

    monkeypatch.setattr(_rest, "digest_of", vanishing)
    assert listed(root, look(root).snapshot) == there(root)


def test_a_file_that_becomes_a_pipe_is_not_waited_for(
    root: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest_of = _rest.digest_of

    def trap(path: bytes) -> str:
        if path.endswith(b".deb"):
            os.unlink(path)
            os.mkfifo(path)
        return digest_of(path)

    monkeypatch.setattr(_rest, "digest_of", trap)
    assert reason(root) == "special_file_in_source"


@pytest.mark.parametrize("known", [True, False])
def test_what_is_not_there(root: pathlib.Path, known: bool) -> None:
    first = look(root) if known else None
    next((root / "rpm" / "repodata").glob("*-primary.xml")).unlink()
    assert reason(root, first) == "source_incomplete"


def test_an_index_that_its_release_does_not_name_yet(root: pathlib.Path) -> None:
    first = look(root)
    (root / "apt" / "dists" / "stable" / "main" / "binary-amd64" / "Packages").write_text("two")
    assert reason(root, first) == "source_incomplete"


def test_links_and_devices(root: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (root / "link").symlink_to(tmp_path)
    assert reason(root) == "symlink_in_source"
    (root / "link").unlink()
    os.mkfifo(root / "pipe")
    assert reason(root) == "special_file_in_source"


def test_a_very_deep_tree(root: pathlib.Path) -> None:
    paths = [os.fsencode(root) + b"/d" * level for level in range(1, 1501)]
    for path in paths:
        os.mkdir(path)
    try:
        with open(paths[-1] + b"/f", "wb"):
            pass
        assert (b"d/" * 1500 + b"f") in listed(root, look(root).snapshot)
    finally:  # who removes it later may be recursive
        os.unlink(paths[-1] + b"/f")
        for path in reversed(paths):
            os.rmdir(path)


def test_an_empty_tree(tmp_path: pathlib.Path) -> None:
    (tmp_path / "source" / "folder").mkdir(parents=True)
    assert reason(tmp_path / "source") == "empty_source"


def test_without_write_nothing_is_written(root: pathlib.Path) -> None:
    before = every_file(root)
    foreseen = look(root, write=False)
    assert every_file(root) == before
    first = look(root)
    assert first.snapshot.id == foreseen.snapshot.id and first.switches == foreseen.switches
    publish(root / "apt", "two", pool="b_1_amd64.deb")
    before = every_file(root)
    foreseen = look(root, first, write=False)
    assert every_file(root) == before
    assert look(root, first).snapshot.id == foreseen.snapshot.id


def test_deep(root: pathlib.Path) -> None:
    first = look(root)
    path = root / "apt" / "pool" / "a_1_amd64.deb"
    status = path.stat()
    path.write_text("A_1_amd64.deb")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    (root / "new").write_text("new")
    found = look(root, first, deep=True)
    assert found.deep is not None
    assert (found.deep.damaged, found.deep.unlisted) == ([b"apt/pool/a_1_amd64.deb"], [b"new"])
    assert listed(root, found.snapshot) == there(root)


@pytest.fixture
def mixed(tmp_path: pathlib.Path) -> dict[str, Own]:
    root = tmp_path / "source"
    own = {name: Own(root / name) for name in ("apt", "more/rpm", "a-b")}
    for one in own.values():
        one.publish("one", "a/a_1.deb")
    (root / "README").write_text("read me")
    (root / "b").mkdir()
    (root / "b" / "file").write_text("file")
    return own


def test_repositories_in_a_tree(
    tmp_path: pathlib.Path, mixed: dict[str, Own], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "source"
    first = look(root)
    assert set(first.snapshot.parts) == {b"", b"apt/", b"a-b/", b"more/rpm/"}
    assert first.walked == sorted(first.snapshot.parts)
    assert listed(root, first.snapshot) == there(root)
    paths = [path for path, _entry in snapshots_of(root).entries(first.snapshot)]
    assert paths == sorted(paths)
    second = look(root, first)
    assert second.walked == [b""] and second.snapshot == first.snapshot
    assert second.notes == {b"": None, b"apt/": [], b"a-b/": [], b"more/rpm/": []}
    mixed["more/rpm"].publish("two", "b/b_1.deb")
    third = look(root, second)
    assert third.walked == [b""] and listed(root, third.snapshot) == there(root)
    assert set(third.switches) == {b"more/rpm/dists/stable/InRelease", b"more/rpm/dists/stable/Release"}
    changed = {path for path in there(root) if b"more/rpm/" in path and b"pool/a/" not in path}
    delta = snapshots_of(root).delta(second.snapshot, third.snapshot)
    assert {path for path, _old, new in (*delta.content, *delta.index) if new} == {
        path for path in changed if b"by-hash/SHA256/7692" not in path
    }


def test_only_repositories_in_a_tree_are_not_called_walked(
    tmp_path: pathlib.Path, mixed: dict[str, Own]
) -> None:
    root = tmp_path / "source"
    (root / "README").unlink()
    (root / "b" / "file").unlink()
    assert look(root, look(root)).walked == []
    assert mixed


@pytest.mark.parametrize("becomes", [True, False])
def test_a_folder_that_becomes_a_repository(
    tmp_path: pathlib.Path, mixed: dict[str, Own], becomes: bool
) -> None:
    root = tmp_path / "source"
    state = mixed["apt"].root / ".distrogate" / "state.json"
    data = state.read_bytes()
    if becomes:
        state.unlink()
    first = look(root)
    if becomes:
        state.write_bytes(data)
    else:
        state.unlink()
    second = look(root, first)
    assert set(first.snapshot.parts) ^ set(second.snapshot.parts) == {b"apt/"}
    assert listed(root, second.snapshot) == listed(root, first.snapshot) == there(root)
    delta = snapshots_of(root).delta(first.snapshot, second.snapshot)
    assert delta.content == [] and delta.index == []
