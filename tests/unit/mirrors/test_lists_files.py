# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of lists: what is broken, forged or not written for want of space is never believed."""

from __future__ import annotations

import errno
import hashlib
import os
import pathlib

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors import _pieces
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._lists import Lists
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import (
    Entry,
    Ref,
    dump_refs,
    fault,
    is_border,
    join,
    record,
)

Tree = dict[bytes, Entry]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pieces, "SPREAD", 4)


@pytest.fixture
def lists(tmp_path: pathlib.Path) -> Lists:
    return Lists(str(tmp_path / "lists"))


def build(lists: Lists, tree: Tree) -> str:
    return lists.build(sorted(tree.items()))


def many(count: int) -> Tree:
    return {b"pool/%05d" % number: Entry(f"{number:064x}", number, number) for number in range(count)}


@pytest.mark.parametrize("how", ["flip", "cut", "empty", "gone"])
def test_a_broken_file_is_refused_and_written_again(lists: Lists, how: str) -> None:
    tree = many(100)
    digest = build(lists, tree)
    path = pathlib.Path(lists.folder) / lists.names(digest)[1]
    data = path.read_bytes()
    path.chmod(0o644)
    if how == "gone":
        path.unlink()
    else:
        broken = {"flip": bytes([data[0] ^ 1]) + data[1:], "cut": data[:-1], "empty": b""}[how]
        path.write_bytes(broken)
    fresh = Lists(lists.folder)
    with pytest.raises(DistrogateError) as caught:
        list(fresh.entries(digest))
    assert caught.value.reason == "list_damaged"
    assert build(Lists(lists.folder), tree) == digest
    assert path.read_bytes() == data
    assert dict(Lists(lists.folder).entries(digest)) == tree


LINE = record(b"b", Entry("0" * 64, 1, 1))


@pytest.mark.parametrize(
    "data",
    [
        join([record(path, Entry("0" * 64, 1, 1))])
        for path in (b"../x", b"/x", b"a//b", b"a/../b", b"a/./b", b"a/", b".", b"x" * 5000)
    ]
    + [
        join([record(path, Entry("0" * 64, 1, 1))])
        for path in (b".distrogate/state.json", b"a/.distrogate/x", b"a/.distrogate-staging/x", b"a/.tmp-1")
    ]
    + [
        LINE,
        join([LINE, LINE]),
        join([LINE, record(b"a", Entry("0" * 64, 1, 1))]),
        join([record(b"b", Entry("0" * 63, 1, 1))]),
        join([record(b"b", Entry("A" * 64, 1, 1))]),
        join([record(b"b", Entry("0" * 64, -1, 1))]),
        join([record(b"b", Entry("0" * 64, 1, 10**30))]),
        b"0" * 64 + b" 01 1 b\0",
        b"0" * 64 + b" 1 1 \0",
        b"\0",
    ],
)
def test_a_lists_file_of_a_liar(lists: Lists, data: bytes) -> None:
    with pytest.raises(DistrogateError) as caught:
        lists.take(hashlib.sha256(data).hexdigest(), data)
    assert caught.value.reason == "bad_list"
    assert not os.path.exists(lists.folder)


def test_borders_of_a_liar(monkeypatch: pytest.MonkeyPatch) -> None:
    names = sorted(b"n%d" % number for number in range(200))
    borders = [name for name in names if is_border(name)]
    others = [name for name in names if not is_border(name)]

    def lines(paths: list[bytes]) -> bytes:
        return join([record(path, Entry("0" * 64, 1, 1)) for path in paths])

    assert not fault(lines(borders)) and not fault(lines(others))
    assert fault(lines(names))


def test_another_name_than_its_digest(lists: Lists) -> None:
    for name in ("0" * 64, "../" + "0" * 61, "", "x"):
        with pytest.raises(DistrogateError) as caught:
            lists.take(name, b"")
        assert caught.value.reason == "bad_list"


def test_a_root_that_lies_about_its_pieces(lists: Lists) -> None:
    digest = build(lists, many(3))
    ref = lists._refs(digest)[0]
    for wrong in (Ref(ref.digest, 9, 1, ref.first), Ref(ref.digest, ref.files, 1, b"a")):
        root = dump_refs([wrong])
        name = hashlib.sha256(root).hexdigest()
        lists.take(name, root)
        with pytest.raises(DistrogateError) as caught:
            list(lists.entries(name))
        assert caught.value.reason == "list_damaged"


def test_a_full_disk(lists: Lists, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = many(50)
    before = build(lists, tree)
    there = sorted(os.listdir(lists.folder))

    def full(descriptor: int, mode: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fchmod", full)
        with pytest.raises(DistrogateError) as caught:
            lists.update(before, {b"new": Entry("0" * 64, 1, 1)})
    assert caught.value.reason == "no_space"
    assert sorted(os.listdir(lists.folder)) == there
    after = lists.update(before, {b"new": Entry("0" * 64, 1, 1)})
    assert len(list(Lists(lists.folder).difference(before, after))) == 1


def test_in_memory_nothing_is_written(lists: Lists) -> None:
    tree = many(50)
    before = build(lists, tree)
    there = sorted(os.listdir(lists.folder))
    quiet = Lists(lists.folder)
    quiet.in_memory = True
    after = quiet.update(before, {b"pool/00001": None})
    assert sorted(os.listdir(lists.folder)) == there
    assert [path for path, _old, _new in quiet.difference(before, after)] == [b"pool/00001"]
    assert lists.update(before, {b"pool/00001": None}) == after


def test_collect(lists: Lists) -> None:
    first = build(lists, many(50))
    second = lists.update(first, {b"pool/00001": None})
    (pathlib.Path(lists.folder) / ".tmp-left").write_bytes(b"")
    with lists.hold():
        lists.collect([second])
    assert lists.missing(first) == []
    lists.collect([second])
    assert lists.missing(second) == [] and lists.missing(first) == [first]
    assert set(os.listdir(lists.folder)) == {*lists.names(second), ".lock"}
    os.unlink(f"{lists.folder}/{second}")
    Lists(lists.folder).collect([second])
    assert len(os.listdir(lists.folder)) > 1, "nothing goes while what is needed is not known"
    with lists.hold(), Lists(lists.folder).hold():
        pass


def test_files_cannot_be_rewritten_by_accident(lists: Lists) -> None:
    digest = build(lists, many(3))
    lists.sync()
    for name in lists.names(digest):
        assert os.stat(f"{lists.folder}/{name}").st_mode & 0o777 == 0o444
