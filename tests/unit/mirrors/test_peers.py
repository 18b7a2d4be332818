# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be done to a mirror of each kind: looked at, sent to, compared, switched, finished, read."""

from __future__ import annotations

import os
import pathlib
import secrets
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._claims import new_claim
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._operations import batches
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._record import RECORD, Record
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import tree
from ansible_collections.distrogate.ci.tests.unit.mirrors.mirror_hosts import KINDS, Host, claimed

NAMES = [
    b"-rf",
    b"--delete",
    b"a\nb",
    b"\xff\xfe",
    b"*",
    b"?[z]",
    b"[!a]",
    b" x ",
    b"#x",
    b";y",
    b"a:b",
    b"$(id)",
    b"\\#012",
    b"%n",
    b"%41",
    b"\r",
    b"+ x",
    b"- *",
    b"\tx",
    b"x" * 200,
]


@pytest.fixture(params=sorted(KINDS))
def host(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> t.Iterator[Host]:
    with KINDS[request.param](tmp_path / "mirror") as found:
        yield found


@pytest.fixture
def source(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "source"


def fill(folder: pathlib.Path, names: t.Iterable[bytes], text: bytes = b"text of ") -> list[bytes]:
    """Write a file for each name; its contents are unlike any other's."""
    made = []
    for name in names:
        path = os.path.join(os.fsencode(folder), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(text + name)
        made.append(name)
    return made


def record(**changes: t.Any) -> Record:
    values: dict[str, t.Any] = {"name": "public", "origin": "0" * 32, "snapshot": "1" * 64, "next": None}
    return Record(**{**values, "parts": {"": {}}, "serial": 1, "time": 1.5, **changes})


def test_all_operations(host: Host, source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    peer = host.peer(tmp_path / "work")
    assert peer.look([b"pool/x"]) == (None, True, [])
    claim = new_claim()
    assert peer.claim(claim, 5).claims[0].id == claim.id
    assert claimed(peer, claim) and not claimed(peer, new_claim())
    names = fill(source, [b"pool/x", *(b"pool/" + name + b"/" + name for name in NAMES)])
    moved = peer.send(str(source), names)
    assert moved == (len(names), sum(len(b"text of ") + len(name) for name in names))
    assert peer.differing(str(source), names) == []
    (host.tree / "pool/x").write_bytes(b"text OF pool/x")
    os.utime(host.tree / "pool/x", ns=(0, (source / "pool/x").stat().st_mtime_ns))
    os.utime(os.path.join(os.fsencode(host.tree), names[1]), (1, 1))
    os.unlink(os.path.join(os.fsencode(host.tree), names[2]))
    assert peer.differing(str(source), names) == sorted(names[:3])
    assert peer.send(str(source), names[:3]).files == 2, "the quick check cannot see the first"
    assert peer.send(str(source), names[:3], checksum=True).files == 1
    assert peer.differing(str(source), names) == []
    sizes = {name: len(b"text of ") + len(name) for name in names}
    assert peer.missing({**sizes, b"pool/none": 1, b"pool/-rf": 1, names[1]: 5}) == sorted(
        [b"pool/none", b"pool/-rf", names[1]]
    )
    assert set(names) < set(peer.every_name())
    fill(source, [RECORD], b"")
    (source / os.fsdecode(RECORD)).write_bytes(record().to_bytes())
    peer.finish(str(source), [RECORD], names[1:])
    peer.release(claim)
    assert peer.look() == (record(), False, [])
    assert list(peer.every_name()) == [RECORD, b"pool/x"] or list(peer.every_name()) == [b"pool/x", RECORD]
    assert peer.transferred > sum(sizes.values())


def test_switch(host: Host, source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    peer = host.peer(tmp_path / "work")
    names = [b"d/Packages", b"d/InRelease"]
    staged = [b"d/.distrogate-staging/" + os.path.basename(name) for name in names]
    for text in (b"one", b"two", b"two"):
        fill(source / "ready", names, text)
        for name, waiting in zip(names, staged):
            fill(source / "stage", [waiting], b"")
            (source / "stage" / os.fsdecode(waiting)).unlink()
            os.link(source / "ready" / os.fsdecode(name), source / "stage" / os.fsdecode(waiting))
            os.utime(source / "ready" / os.fsdecode(name), (1_700_000_000, 1_700_000_000))
        peer.send(str(source / "stage"), staged)
        assert peer.differing(str(source / "stage"), staged) == []
        inodes = {(host.tree / os.fsdecode(name)).stat().st_ino for name in staged}
        peer.switch(str(source / "ready"), names[:1], names[1:])
        assert tree(host.tree) == tree(source / "ready")
        assert {(host.tree / os.fsdecode(name)).stat().st_ino for name in names} == inodes, "not renamed"
        assert not list(host.tree.rglob(".distrogate-staging"))


def test_finish_removes_what_waits(host: Host, source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    peer = host.peer(tmp_path / "work")
    fill(
        host.tree, [b"d/.distrogate-staging/a/b", b"e/.distrogate-staging/c", b"e/f", b"g/h", b"kept/full/x"]
    )
    (host.tree / "kept/empty").mkdir()
    fill(source, [b"e/new"])
    gone = [b"e/.distrogate-staging/c", b"e/f", b"kept/full", b"absent/x"]
    peer.finish(str(source), [b"e/new"], gone, [b"d/.distrogate-staging", b"e/.distrogate-staging"])
    assert sorted(tree(host.tree)) == [b"e/new", b"g/h", b"kept/full/x"]
    assert not list(host.tree.rglob(".distrogate-staging"))
    peer.finish(str(source), [], [b"g/h", b"nowhere/x"])
    assert sorted(tree(host.tree)) == [b"e/new", b"kept/full/x"] and not (host.tree / "nowhere").exists()


def test_fetch(host: Host, source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    peer = host.peer(tmp_path / "work")
    names = fill(host.tree, [b"pool/" + name for name in NAMES])
    into = tmp_path / "into"
    found = peer.fetch([*names, b"pool/none", b"nowhere/x"], str(into), 1 << 20)
    assert sorted(found) == sorted(names) and tree(into) == tree(host.tree)
    (host.tree / "large").write_bytes(secrets.token_bytes(200_000))
    with pytest.raises(DistrogateError) as caught:
        peer.fetch([b"large"], str(into), 100_000)
    assert caught.value.reason == "mirror_failed" and caught.value.details["large"]
    assert not (into / "large").exists()
    for number in range(5):
        (host.tree / f"part{number}").write_bytes(secrets.token_bytes(50_000))
    with pytest.raises(DistrogateError) as caught:
        peer.fetch([b"part%d" % number for number in range(5)], str(into), 100_000)
    assert caught.value.details["large"] and not list(into.glob("part*"))
    assert not list((tmp_path / "work").iterdir())


def test_progress_is_told(host: Host, source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    told: list[tuple[int, int]] = []
    peer = host.peer(tmp_path / "work", bandwidth=1024)
    peer.rsync.tell = lambda files, size: told.append((files, size))
    source.mkdir()
    for number in range(4):
        (source / f"f{number}").write_bytes(secrets.token_bytes(400_000))
    peer.send(str(source), [b"f%d" % number for number in range(4)])
    assert told == sorted(told) and 2 <= len(told) <= 7 and told[-1] == (4, 1_600_000), told
    (source / "index").write_bytes(b"7 bytes")
    peer.finish(str(source), [b"index"], [b"f0"])
    peer.send(str(source), [b"f0"])
    assert told[-1] == (5, 2_000_000) and told == sorted(told), told


def test_many_names(tmp_path: pathlib.Path, source: pathlib.Path) -> None:
    """More than fit on a command line: sent in parts; deleted by a list."""
    with KINDS["local"](tmp_path / "mirror") as host:
        peer = host.peer(tmp_path / "work")
        names = fill(source, [b"%04d-" % number + b"x" * 240 for number in range(7000)])
        assert len(list(batches(names))) == 2 and list(batches([])) == []
        assert [name for batch in batches(names) for name in batch] == names
        assert peer.send(str(source), names).files == 7000
        assert peer.differing(str(source), names) == []
        peer.finish(str(source), [], names[1:])
        assert list(peer.every_name()) == names[:1]
