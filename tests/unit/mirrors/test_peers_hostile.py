# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mirrors on which somebody put links, folders, fifos and devices where files of ours should be."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._claims import new_claim
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._record import (
    RECORD,
    RECORD_LIMIT,
    Record,
)
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import tree
from ansible_collections.distrogate.ci.tests.unit.mirrors.mirror_hosts import KINDS, Host
from ansible_collections.distrogate.ci.tests.unit.mirrors.test_peers import fill, record

STAGED = b"a/d/.distrogate-staging/InRelease"
INDEX = b"a/d/InRelease"
POOL = b"a/d/x_1.deb"
RETIRED = b"a/d/old_1.deb"
LIST = b".distrogate/lists/" + b"0" * 64


@pytest.fixture(params=["daemon", "local"])
def host(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> t.Iterator[Host]:
    with KINDS[request.param](tmp_path / "mirror") as found:
        yield found


@pytest.fixture
def outside(tmp_path: pathlib.Path) -> pathlib.Path:
    """What must stay as it is: it has a file for each name that we write or delete."""
    folder = tmp_path / "outside"
    names = [INDEX, POOL, RETIRED, STAGED, RECORD, LIST, b".distrogate/claims/" + b"0" * 32 + b".json"]
    for depth in (b"", *{part for name in names for part in parents(name)}):
        below = [name[len(depth) + 1 :] if depth else name for name in names if name.startswith(depth)]
        fill(folder / os.fsdecode(depth.replace(b"/", b"-") or b"root"), below, b"not ours ")
    return folder


def parents(name: bytes) -> list[bytes]:
    parts = name.split(b"/")
    return [b"/".join(parts[:count]) for count in range(1, len(parts))]


LINKS = [
    b"a",
    b"a/d",
    b"a/d/.distrogate-staging",
    b".distrogate",
    b".distrogate/claims",
    b".distrogate/lists",
]


def everything(peer: t.Any, work: pathlib.Path, before: t.Callable[[], None]) -> None:
    """All that is done to a mirror; ``before`` is called before each step."""
    source = work / "source"
    fill(source, [POOL, INDEX, STAGED, LIST], b"ours ")
    (source / os.fsdecode(RECORD)).write_bytes(record().to_bytes())
    claim = new_claim()
    steps: list[t.Callable[[], object]] = [
        lambda: peer.look([INDEX]),
        lambda: peer.claim(claim, 5),
        lambda: peer.send(str(source), [POOL, STAGED, LIST]),
        lambda: peer.differing(str(source), [POOL, STAGED, LIST]),
        lambda: peer.send(str(source), [POOL, STAGED, LIST], checksum=True),
        lambda: peer.missing({POOL: 1, INDEX: 1, RETIRED: 1}),
        lambda: peer.switch(str(source), [], [INDEX]),
        lambda: peer.finish(str(source), [RECORD], [RETIRED, POOL], [b"a/d/.distrogate-staging"]),
        lambda: peer.finish(str(source), [], [RETIRED, POOL, LIST], [b"a/d/.distrogate-staging"]),
        lambda: peer.fetch([INDEX, RETIRED, RECORD, LIST], str(work / "into"), 1 << 20),
        lambda: list(peer.every_name()),
        lambda: peer.release(claim),
    ]
    for step in steps:
        before()
        step()


@pytest.mark.parametrize("link", LINKS)
def test_a_link_to_a_folder(host: Host, outside: pathlib.Path, tmp_path: pathlib.Path, link: bytes) -> None:
    target = outside / os.fsdecode(link.replace(b"/", b"-"))
    here = host.tree / os.fsdecode(link)
    held = tree_with_private(outside)

    def put_the_link() -> None:
        if here.is_symlink():
            return
        here.parent.mkdir(parents=True, exist_ok=True)
        if here.is_dir():
            here.rename(tmp_path / f"aside{len(list(tmp_path.glob('aside*')))}")
        here.symlink_to(target)

    everything(host.peer(tmp_path / "work"), tmp_path, put_the_link)
    assert tree_with_private(outside) == held
    # Over ssh, and from older daemons, rsync follows links to folders when it reads: that only harms them.
    assert not any(b"not ours" in data for data in tree_with_private(tmp_path / "into").values())


def tree_with_private(folder: pathlib.Path) -> dict[bytes, bytes]:
    """All files, without following links."""
    found = {}
    for where, _folders, names in os.walk(os.fsencode(folder)):
        for name in names:
            path = os.path.join(where, name)
            if os.path.islink(path):
                found[path] = os.readlink(path)
                continue
            with open(path, "rb") as stream:
                found[path] = stream.read()
    return found


FILES = [POOL, INDEX, STAGED, RETIRED, RECORD, LIST]


@pytest.mark.parametrize("what", ["link", "dangling link", "fifo", "device", "empty folder"])
def test_something_else_where_a_file_should_be(
    host: Host, outside: pathlib.Path, tmp_path: pathlib.Path, what: str
) -> None:
    if what == "device" and os.getuid() != 0:
        what = "fifo"  # nobody but root can make one, so nobody meets one
    held = tree_with_private(outside)

    def put_them() -> None:
        # Where a file waits already a folder cannot come by itself, and rsync does not go on with it.
        for name in FILES if what != "empty folder" else set(FILES) - {STAGED}:
            path = host.tree / os.fsdecode(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_file() and not path.is_symlink():
                path.unlink()
            if not os.path.lexists(path):
                put(what, path, outside / "root" / os.fsdecode(name))

    peer = host.peer(tmp_path / "work")
    everything(peer, tmp_path, put_them)
    assert tree_with_private(outside) == held
    assert not any(b"not ours" in data for data in tree_with_private(tmp_path / "into").values())
    put_them()
    source = str(tmp_path / "source")
    assert peer.differing(source, [POOL, STAGED]) == sorted([POOL, STAGED])
    assert peer.missing({POOL: 1}) == [POOL]
    peer.send(source, [POOL, STAGED])
    peer.switch(source, [], [INDEX])
    peer.finish(source, [RECORD], [RETIRED])
    assert (host.tree / os.fsdecode(INDEX)).read_bytes() == b"ours " + INDEX
    assert peer.look().record == record()
    assert not os.path.lexists(host.tree / os.fsdecode(RETIRED))


def put(what: str, path: pathlib.Path, target: pathlib.Path) -> None:
    if what == "link":
        path.symlink_to(target)
    elif what == "dangling link":
        path.symlink_to(target.with_name("made-by-mirror-sync"))
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "device":
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))
    else:
        path.mkdir()


def test_a_full_folder_where_a_file_should_be(host: Host, tmp_path: pathlib.Path) -> None:
    """Nobody's files are deleted for it: a person has to look."""
    peer = host.peer(tmp_path / "work")
    fill(tmp_path / "source", [POOL, INDEX])
    fill(host.tree, [POOL + b"/theirs", INDEX + b"/theirs", RETIRED + b"/theirs"])
    held = tree(host.tree)
    for step in (
        lambda: peer.send(str(tmp_path / "source"), [POOL]),
        lambda: peer.differing(str(tmp_path / "source"), [POOL]),
        lambda: peer.switch(str(tmp_path / "source"), [], [INDEX]),
    ):
        with pytest.raises(DistrogateError, match="a folder lies where a file should be") as caught:
            step()
        assert not caught.value.details["transient"]
    peer.finish(str(tmp_path / "source"), [], [RETIRED])
    assert {path: data for path, data in tree(host.tree).items() if b"staging" not in path} == held
    assert peer.missing({POOL: 4}) == [POOL]


def test_a_huge_record(host: Host, tmp_path: pathlib.Path) -> None:
    peer = host.peer(tmp_path / "work")
    (host.tree / ".distrogate").mkdir()
    with open(host.tree / os.fsdecode(RECORD), "wb") as stream:
        stream.truncate(1 << 30)
    for step in (peer.look, lambda: peer.claim(new_claim(), 5)):
        with pytest.raises(DistrogateError, match="larger than") as caught:
            step()
        assert caught.value.reason == "bad_record"
    os.truncate(host.tree / os.fsdecode(RECORD), RECORD_LIMIT + 1)
    with pytest.raises(DistrogateError, match="larger than") as caught:
        peer.look()
    assert caught.value.reason == "bad_record" and not list((tmp_path / "work").iterdir())


@pytest.mark.parametrize(("count", "size"), [(1100, 1), (20, 300_000)])
def test_too_many_claims(host: Host, tmp_path: pathlib.Path, count: int, size: int) -> None:
    peer = host.peer(tmp_path / "work")
    fill(host.tree, [b".distrogate/claims/%d.json" % number for number in range(count)], b"x" * size)
    with pytest.raises(DistrogateError, match="too many claims"):
        peer.look()


def test_records_are_read_strictly(host: Host, tmp_path: pathlib.Path) -> None:
    assert isinstance(record(), Record)
    peer = host.peer(tmp_path / "work")
    (host.tree / ".distrogate").mkdir()
    for data in (b"", b"{}", b"[" * 10_000, b"\xff", record().to_bytes()[:-3]):
        (host.tree / os.fsdecode(RECORD)).write_bytes(data)
        with pytest.raises(DistrogateError) as caught:
            peer.look()
        assert caught.value.reason == "bad_record"
