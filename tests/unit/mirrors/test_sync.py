# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""mirror_sync on real folders and real daemons."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._peers import Peer
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._work import Work
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import (
    Caller,
    Daemon,
    in_release,
    publish,
    publish_rpm,
    tree,
)


def outcomes(result: dict[str, t.Any]) -> list[str]:
    return [row["outcome"] for row in result["mirrors"]]


def refused(reason: str) -> t.Any:
    return pytest.raises(DistrogateError, check=lambda error: error.reason == reason)


def test_first_sync_again_and_change(sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]) -> None:
    first = sync()
    assert first["changed"] and outcomes(first) == ["switched", "switched"]
    assert first["transferred_bytes"] > 0 and first["files"]["added"] == len(tree(source))
    assert [tree(mirror) for mirror in locals_] == [tree(source)] * 2
    again = sync()
    assert not again["changed"] and outcomes(again) == ["unchanged", "unchanged"]
    assert again["snapshot"] == first["snapshot"] and again["transferred_bytes"] < 8192
    publish(source / "apt", "two", pool="b_1_amd64.deb")
    publish_rpm(source / "rpm", "second")
    changed = sync()
    assert changed["files"] == {"added": 3, "changed": 4, "removed": 0}
    assert [tree(mirror) for mirror in locals_] == [tree(source)] * 2
    assert changed["diff"]["after"]["files"]["added"][0].startswith(
        "apt/dists/stable/main/binary-amd64/by-hash/"
    )


def test_modification_time_is_the_source_s(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]
) -> None:
    name = "apt/dists/stable/InRelease"
    os.utime(source / name, (1_600_000_000, 1_600_000_000))
    sync()
    assert (locals_[0] / name).stat().st_mtime == 1_600_000_000


def test_check_mode_predicts_and_writes_nothing(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]
) -> None:
    predicted = sync(check=True)
    assert not (source / ".distrogate").exists() and not tree(locals_[0])
    done = sync()
    assert predicted["diff"] == done["diff"] and predicted["snapshot"] == done["snapshot"]
    assert "would get" in predicted["mirrors"][0]["message"]
    publish(source / "apt", "two")
    journal = tree(source / ".distrogate")
    predicted = sync(check=True)
    assert tree(source / ".distrogate") == journal
    assert predicted["diff"] == sync()["diff"]
    assert not sync(check=True)["changed"]


def test_same_size_in_the_same_second(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]
) -> None:
    for text in ("one", "two", "six"):
        publish(source / "apt", text)
        for name in ("InRelease", "Release", "main/binary-amd64/Packages"):
            os.utime(source / "apt" / "dists" / "stable" / name, (1_700_000_000, 1_700_000_000))
        sync()
        assert in_release(locals_[0] / "apt") == in_release(source / "apt")
        assert (locals_[1] / "apt/dists/stable/main/binary-amd64/Packages").read_text() == text


def test_a_mirror_that_dies_after_it_switched(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the new state: it is not away, and the next run does what is left."""
    sync()
    publish(source / "apt", "two")
    work_end = Work.end

    def end(work: Work, *words: t.Any) -> None:
        if work.address == str(locals_[1]):
            raise DistrogateError("mirror_failed", "no", why="no connection")
        work_end(work, *words)

    with monkeypatch.context() as patch:
        patch.setattr(Work, "end", end)
        result = sync()
    assert outcomes(result) == ["switched", "switched"]
    assert result["mirrors"][1]["message"] == "the next run tidies up there: no connection"
    assert [tree(mirror) for mirror in locals_] == [tree(source)] * 2
    assert outcomes(sync()) == ["unchanged", "unchanged"]
    assert not list(locals_[1].rglob(".distrogate-staging"))


def test_superseded_files_stay_then_go(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]
) -> None:
    (locals_[0] / "foreign").write_text("not ours")
    sync(keep=1)
    (source / "apt/pool/a_1_amd64.deb").unlink()
    sync(keep=1)
    assert (locals_[0] / "apt/pool/a_1_amd64.deb").exists()
    publish(source / "apt", "two")
    sync(keep=1, keep_seconds=3600)
    assert (locals_[0] / "apt/pool/a_1_amd64.deb").exists()
    publish(source / "apt", "three")
    assert sync(keep=1)["diff"]["before"]["superseded_files"] == 1
    assert not (locals_[0] / "apt/pool/a_1_amd64.deb").exists()
    assert (locals_[0] / "foreign").exists()
    assert not sync(keep=1)["changed"]


def test_check_mode_tells_what_would_be_removed(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]
) -> None:
    for text in ("one", "two", "three", "four"):
        (source / "apt/pool/b_1_amd64.deb").write_text(text)
        publish(source / "apt", text)
        (source / "apt/pool" / f"{text}_1_amd64.deb").write_text(text)
        sync(keep=9)
        (source / "apt/pool" / f"{text}_1_amd64.deb").unlink()
    options: dict[str, t.Any] = {"keep": 2, "keep_seconds": 0}
    for _again in range(2):  # with a change, and without one
        before = tree(locals_[0])
        predicted = sync(check=True, **options)
        assert predicted["changed"] and tree(locals_[0]) == before
        done = sync(**options)
        assert predicted["diff"] == done["diff"] and done["diff"]["before"]["superseded_files"]
        options["keep"] = 1
    assert not sync(check=True, **options)["changed"]


def test_quorum(source: pathlib.Path, daemons: list[Daemon]) -> None:
    sync = Caller(source, [daemon.address for daemon in daemons])
    sync()
    before = in_release(source / "apt")
    publish(source / "apt", "two", pool="b_1_amd64.deb")
    daemons[1].stop()
    with refused("quorum_not_met") as caught:
        sync()
    assert daemons[1].address in caught.value.message
    assert [in_release(daemon.path / "apt") for daemon in daemons] == [before] * 2
    assert not list(daemons[0].path.rglob(".distrogate-staging"))
    assert outcomes(sync(quorum="1")) == ["switched", "away"]
    assert in_release(daemons[0].path / "apt") == in_release(source / "apt")
    assert in_release(daemons[1].path / "apt") == before
    away = sync(quorum="1/2")
    assert not away["changed"] and outcomes(away) == ["unchanged", "away"]
    daemons[1].start()
    assert outcomes(sync()) == ["unchanged", "switched"]
    assert [tree(daemon.path) for daemon in daemons] == [tree(source)] * 2


def test_quorum_lost_goes_back(source: pathlib.Path, daemons: list[Daemon]) -> None:
    sync = Caller(source, [daemon.address for daemon in daemons])
    sync()
    before = in_release(source / "apt")
    publish(source / "apt", "two", pool="b_1_amd64.deb")
    sync(state="prepared", transaction="t1")
    daemons[1].stop()
    with refused("quorum_lost"):
        sync(state="committed", transaction="t1")
    assert in_release(daemons[0].path / "apt") == before
    daemons[1].start()
    assert outcomes(sync()) == ["switched", "switched"]
    assert [tree(daemon.path) for daemon in daemons] == [tree(source)] * 2


def test_prepared_committed_undone(sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]) -> None:
    sync()
    old = tree(locals_[0])
    publish(source / "apt", "two", pool="b_1_amd64.deb")
    prepared = sync(state="prepared", transaction="t1")
    assert (
        prepared["changed"] and in_release(locals_[0] / "apt").encode() == old[b"apt/dists/stable/InRelease"]
    )
    assert not sync(state="prepared", transaction="t1")["changed"]
    with refused("transaction_open"):
        sync()
    with refused("no_transaction"):
        sync(state="committed", transaction="other")
    new = tree(source)
    publish(source / "apt", "later")  # what was prepared is what is committed
    assert sync(state="committed", transaction="t1", check=True)["changed"]
    assert sync(state="committed", transaction="t1")["changed"]
    assert tree(locals_[1]) == new
    assert not sync(state="committed", transaction="t1")["changed"]
    assert sync(state="undone", transaction="t1")["changed"]
    assert {**old, **tree(locals_[1])} == tree(locals_[1]) | old
    assert not sync(state="undone", transaction="t1")["changed"]
    assert sync()["changed"]
    assert in_release(locals_[0] / "apt") == in_release(source / "apt")


def test_undone_forgets_what_was_prepared(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]
) -> None:
    sync(state="prepared", transaction="t1")
    assert list(locals_[0].rglob(".distrogate-staging"))
    sync(state="undone", transaction="t1")
    assert not list(locals_[0].rglob(".distrogate-staging")) and not list(locals_[0].rglob("InRelease"))
    assert sync()["changed"]
    assert [tree(mirror) for mirror in locals_] == [tree(source)] * 2


HOSTILE = [
    b"-rf",
    b"--delete",
    b"a\nb",
    b"\xff\xfe",
    b"*?[z]",
    b" x ",
    b"#x",
    b";y",
    b"a:b",
    b"$(id)",
    b"\\#012",
    b"%n",
]


def test_hostile_names(source: pathlib.Path, daemons: list[Daemon]) -> None:
    for name in HOSTILE:
        (source / os.fsdecode(name)).write_bytes(name)
        for folder in (b"pool", b"dists"):
            path = os.path.join(os.fsencode(source), folder, name, name)
            os.makedirs(os.path.dirname(path))
            with open(path, "wb") as stream:
                stream.write(name)
    sync = Caller(source, [daemon.address for daemon in daemons])
    sync(keep=1)
    assert [tree(daemon.path) for daemon in daemons] == [tree(source)] * 2
    for name in HOSTILE:
        os.unlink(os.path.join(os.fsencode(source), b"pool", name, name))
    sync(keep=1)
    publish(source / "apt", "two")
    sync(keep=1)
    publish(source / "apt", "three")
    sync(keep=1)
    assert not [name for name in tree(daemons[0].path) if name.startswith(b"pool/")]


def test_refusals(sync: Caller, source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    for reason, options in (
        ("bad_quorum", {"quorum": "3"}),
        ("bad_quorum", {"quorum": "2/1"}),
        ("bad_mirror", {"mirrors": ["-oProxyCommand=x:/srv"]}),
        ("bad_mirror", {"mirrors": [str(source / "apt")]}),
        ("bad_mirror", {"mirrors": []}),
        ("bad_mirror", {"mirrors": ["rsync://publisher:secret@host/m"]}),
        ("bad_name", {"name": "../x"}),
        ("bad_source", {"source": "relative"}),
        ("bad_option", {"keep": 0}),
    ):
        with refused(reason) as caught:
            sync(**options)
        assert "secret" not in f"{caught.value.message} {caught.value.details}"
    with refused("quorum_not_met"):
        sync(mirrors=[str(tmp_path / "absent")])
    assert not (tmp_path / "absent").exists()
    (source / "apt/pool/link").symlink_to("a_1_amd64.deb")
    with refused("symlink_in_source") as caught:
        sync()
    assert "apt/pool/link" in caught.value.message


@pytest.mark.parametrize("times", [2, 99])
def test_a_file_that_grows_while_it_is_sent(
    source: pathlib.Path, locals_: list[pathlib.Path], monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    grown, left, differing = source / "grown", list(range(times)), Peer.differing
    grown.write_text("a")
    sync = Caller(source, locals_[:1])

    def growing(peer: Peer, folder: str, names: t.Collection[bytes]) -> list[bytes]:
        if b"grown" in names and left:
            left.pop()
            with open(grown, "a") as stream:
                stream.write("a")
        return differing(peer, folder, names)

    monkeypatch.setattr(Peer, "differing", growing)
    if times == 2:
        sync()
        assert (locals_[0] / "grown").read_text() == "aaa" and not sync()["changed"]
    else:
        with refused("source_changing"):
            sync()


def test_two_addresses_of_one_mirror(
    source: pathlib.Path, locals_: list[pathlib.Path], daemons: list[Daemon], tmp_path: pathlib.Path
) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    linked = [locals_[1], locals_[0], tmp_path / "link" / locals_[0].name]
    for mirrors in (linked, [daemons[0].address, daemons[0].address.replace("rsync://", "rsync://other@")]):
        for _again in range(2):
            with refused("bad_mirror"):
                Caller(source, mirrors)(quorum="1")
    for folder in (*locals_, daemons[0].path):
        assert not list((folder / ".distrogate/claims").iterdir()) and not (folder / "apt").exists()


def test_incomplete_source_is_refused(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]
) -> None:
    sync()
    old = tree(locals_[0])
    (source / "apt/dists/stable/main/binary-amd64/Packages").write_text("not what InRelease says")
    with refused("source_incomplete"):
        sync()
    assert tree(locals_[0]) == old


def test_a_mirror_with_an_earlier_life_is_not_emptied(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]
) -> None:
    publish(locals_[0] / "apt", "before us")
    sync(state="prepared", transaction="t1")
    sync(state="committed", transaction="t1")
    result = sync(state="undone", transaction="t1")
    assert outcomes(result) == ["away", "switched"]
    assert in_release(locals_[0] / "apt") == in_release(source / "apt")
    assert not list(locals_[1].rglob("InRelease"))
