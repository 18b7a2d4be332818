# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A source that is no repository of ours: walked at each look, and read where it changed."""

from __future__ import annotations

import os
import pathlib
import time

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors import _digests, _look, _rest
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import publish, publish_rpm
from ansible_collections.distrogate.ci.tests.unit.mirrors.own import (
    every_file,
    listed,
    look,
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


def test_a_young_file_has_no_digest(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_digests, "_TICK_NS", 10**12)
    old, young = _digests.Signature(1, 1, 1, 1), _digests.Signature(1, 1, time.time_ns(), 1)
    for digests in (_digests.Digests(str(tmp_path / "d")), _digests.Digests(str(tmp_path / "d"))):
        digests.save(("c", "i"), {b"old": old, b"young": young}, {b"old": "0" * 64, b"young": "1" * 64})
        again = _digests.Digests(digests.path)
        assert (again.get(b"old", old), again.get(b"young", young)) == ("0" * 64, None)
        assert set(again.signatures) == {b"old", b"young"} and again.base == ("c", "i")


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
    digest = listed(root, first.snapshot)[b"apt/pool/a_1_amd64.deb"].encode()
    for broken in (data.replace(digest, b"0" * 64), b"", b"\0", b"nonsense", data[:-1]):
        assert broken != data
        for last in (first, None):
            path.write_bytes(broken)
            assert look(root, last).snapshot.id == first.snapshot.id


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
