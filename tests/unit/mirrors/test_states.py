# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Going back, names, pins, guards, repairs, and what is known when a journal or a mirror was lost."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._peers import Peer
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import Caller, in_release, publish, tree


@contextlib.contextmanager
def refused(reason: str) -> t.Iterator[pytest.ExceptionInfo[DistrogateError]]:
    with pytest.raises(DistrogateError) as caught:
        yield caught
    assert caught.value.reason == reason, caught.value.message


def states(result: dict[str, t.Any]) -> list[str]:
    return [one["id"] for one in result["snapshots"]]


def shows(mirror: pathlib.Path) -> str:
    return (mirror / "apt/dists/stable/main/binary-amd64/Packages").read_text()


def three(sync: Caller, source: pathlib.Path) -> list[dict[str, t.Any]]:
    found = []
    for text in ("one", "two", "three"):
        publish(source / "apt", text, pool=f"{text}_1_all.deb")
        found.append(sync(snapshot=f"release-{text}"))
    return found


def test_back_and_forth(sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]) -> None:
    sync.options["keep"] = 9
    first, second, third = three(sync, source)
    predicted = sync(check=True, state="rolled_back")
    back = sync(state="rolled_back")
    assert back["snapshot"] == second["snapshot"] == predicted["snapshot"]
    assert predicted["diff"] == back["diff"]
    assert [shows(mirror) for mirror in locals_] == ["two", "two"]
    with refused("rolled_back"):
        sync()
    with refused("rolled_back"):
        sync(check=True)
    sync(state="rolled_back", snapshot="release-one")
    assert [shows(mirror) for mirror in locals_] == ["one", "one"]
    assert sync(state="rolled_back", snapshot="release-one")["changed"] is False
    sync(state="rolled_back", snapshot=third["snapshot"][:20])
    assert [shows(mirror) for mirror in locals_] == ["three", "three"]
    sync(state="rolled_back", snapshot=first["snapshots"][-1]["since"])
    assert sync(allow_rolled_back=True)["snapshot"] == third["snapshot"]
    publish(source / "apt", "four")
    assert sync()["changed"] and shows(locals_[0]) == "four"


def test_back_to_what_the_source_has_no_more(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]
) -> None:
    sync.options["keep"] = 9
    three(sync, source)
    (source / "apt/pool/one_1_all.deb").unlink()
    (source / "apt/pool/two_1_all.deb").unlink()
    publish(source / "apt", "four")
    sync()
    sync(state="rolled_back", snapshot="release-two")
    assert shows(locals_[1]) == "two" and (locals_[1] / "apt/pool/two_1_all.deb").exists()
    for folder in (source, locals_[1]):
        (folder / "apt/pool/three_1_all.deb").unlink()
    with refused("quorum_not_met") as caught:
        sync(state="rolled_back", snapshot="release-three")
    assert "lost 1 files" in caught.value.message and shows(locals_[0]) == "two"
    sync(state="rolled_back", snapshot="release-three", quorum="1")
    assert [shows(mirror) for mirror in locals_] == ["three", "two"]


@pytest.mark.parametrize("wanted", ["release-none", "sha256:0123456789", "2001-01-01T00:00:00Z", "../x"])
def test_unknown_states(sync: Caller, source: pathlib.Path, wanted: str) -> None:
    three(sync, source)
    with refused("unknown_snapshot") as caught:
        sync(state="rolled_back", snapshot=wanted)
    assert "release-two" in caught.value.message
    with refused("ambiguous_snapshot"):
        sync(snapshot="release-one")
        publish(source / "apt", "more")
        sync(snapshot="release-one")
        sync(state="rolled_back", snapshot="release-one")


def test_pins_and_retention(sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]) -> None:
    first = three(sync, source)[0]
    for text in ("one", "two"):
        (source / f"apt/pool/{text}_1_all.deb").unlink()
    for number in range(4):
        publish(source / "apt", f"more {number}")
        last = sync(keep=1, pinned=[first["snapshot"]])
    assert states(last)[0] == first["snapshot"] and len(states(last)) == 3
    assert (locals_[0] / "apt/pool/one_1_all.deb").exists()
    assert not (locals_[0] / "apt/pool/two_1_all.deb").exists()
    sync(state="rolled_back", snapshot="release-one")
    assert shows(locals_[0]) == "one"


def test_too_many_deletions(sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]) -> None:
    for number in range(10):
        (source / f"apt/pool/many_{number}_all.deb").write_text(str(number))
    sync()
    for path in (source / "apt/pool").iterdir():
        path.unlink()
    for check in (True, False):
        with refused("too_many_deletions"):
            sync(check=check)
    assert list((locals_[0] / "apt/pool").iterdir())
    sync(max_delete_ratio=1)


def dated(source: pathlib.Path, text: str, date: str) -> None:
    publish(source / "apt", text)
    for name in ("InRelease", "Release"):
        path = source / "apt/dists/stable" / name
        new = path.with_name(".tmp-dated")
        new.write_text(f"Date: {date}\n{path.read_text()}")
        new.rename(path)


def test_an_older_source(sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]) -> None:
    dated(source, "new", "Sat, 21 Nov 2026 12:00:00 UTC")
    sync()
    dated(source, "old", "Fri, 20 Nov 2026 12:00:00 UTC")
    for check in (True, False):
        with refused("older_than_mirror") as caught:
            sync(check=check)
    assert "apt/dists/stable/InRelease" in caught.value.message
    # Another host's source, which knows nothing of the mirror, sees it just so.
    shutil.rmtree(source / ".distrogate")
    with refused("older_than_mirror"):
        sync()
    assert shows(locals_[0]) == "new"
    sync(allow_older=True)
    assert shows(locals_[0]) == "old"


def test_a_lost_journal(sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]) -> None:
    three(sync, source)
    shutil.rmtree(source / ".distrogate")
    predicted = sync(check=True)
    found = sync()
    assert predicted["diff"] == found["diff"] and not found["transferred_bytes"] > 100_000
    assert [row["outcome"] for row in found["mirrors"]] == ["unchanged"] * 2
    assert found["snapshot"] and states(found) == [found["snapshot"]] and not sync()["changed"]
    publish(source / "apt", "four", pool="four_1_all.deb")
    result = sync()
    assert {row["outcome"] for row in result["mirrors"]} == {"switched"}
    assert result["mirrors"][0]["added"] < 5, "the mirror's own list says what it has"
    assert tree(locals_[0]).items() >= tree(source).items()
    assert sync(state="rolled_back")["snapshot"] == found["snapshot"] and shows(locals_[0]) == "three"


def test_a_mirror_from_a_backup(sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]) -> None:
    publish(source / "apt", "one", pool="one_1_all.deb")
    sync()
    shutil.copytree(locals_[0], locals_[0].with_name("backup"))
    publish(source / "apt", "two", pool="two_1_all.deb")
    sync()
    shutil.rmtree(locals_[0])
    locals_[0].with_name("backup").rename(locals_[0])
    result = sync()
    assert [row["outcome"] for row in result["mirrors"]] == ["switched", "unchanged"]
    assert tree(locals_[0]).items() >= tree(source).items()
    shutil.rmtree(locals_[1])
    locals_[1].mkdir()
    assert [row["outcome"] for row in sync()["mirrors"]] == ["unchanged", "switched"]
    assert tree(locals_[1]).items() >= tree(source).items()


def test_deep(sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]) -> None:
    publish(source / "apt", "one", pool="one_1_all.deb")
    sync()
    rotten, edited, lost = (
        locals_[0] / "apt" / name
        for name in ("pool/one_1_all.deb", "dists/stable/main/binary-amd64/Packages", "pool/a_1_amd64.deb")
    )
    times = os.stat(rotten).st_mtime_ns
    rotten.write_text("X" * len(rotten.read_text()))
    os.utime(rotten, ns=(times, times))
    edited.write_text("by hand")
    lost.unlink()
    (locals_[0] / "apt/pool/unknown.deb").write_text("by hand")
    assert not sync()["changed"]
    predicted = sync(check=True, deep=True)
    assert rotten.read_text().startswith("X")
    result = sync(deep=True)
    assert predicted["found"] == result["found"] and result["changed"]
    found = result["found"]["mirrors"][str(locals_[0])]
    assert found["differing"] == [
        "apt/dists/stable/main/binary-amd64/Packages",
        "apt/pool/a_1_amd64.deb",
        "apt/pool/one_1_all.deb",
    ]
    assert found["unknown"] == ["apt/pool/unknown.deb"]
    assert tree(locals_[0]).items() >= tree(source).items()
    again = sync(deep=True)
    assert not again["changed"] and not again["found"]["mirrors"][str(locals_[0])]["differing"]


def test_reports(sync: Caller, source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    three(sync, source)
    publish(source / "apt", "four", pool="three_2_all.deb")
    (source / "apt/pool/three_1_all.deb").unlink()
    sync(report_folder=str(tmp_path))
    rows = json.loads((tmp_path / "packages.json").read_text())["packages"]
    assert [(row["name"], row["change"], row["from"], row["to"]) for row in rows] == [
        ("three", "upgraded", "1", "2")
    ]
    assert "three" in (tmp_path / "packages.txt").read_text()


def test_a_mirror_that_was_away_is_told_at_rest(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]
) -> None:
    sync()
    locals_[1].rename(locals_[1].with_name("elsewhere"))
    result = sync(quorum="1")
    assert [row["outcome"] for row in result["mirrors"]] == ["unchanged", "away"]
    publish(source / "apt", "two")
    assert [row["outcome"] for row in sync(quorum="1")["mirrors"]] == ["switched", "away"]
    locals_[1].with_name("elsewhere").rename(locals_[1])
    assert [row["outcome"] for row in sync(quorum="1")["mirrors"]] == ["unchanged", "switched"]
    assert in_release(locals_[1] / "apt") == in_release(source / "apt")


def test_many_files_and_what_lies_there_half_written(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]
) -> None:
    sync()
    for number in range(300):
        (source / f"apt/pool/many_{number}_all.deb").write_text(f"contents of {number}")
    publish(source / "apt", "many")
    times = os.stat(source / "apt/pool/many_7_all.deb").st_mtime_ns
    half, twin = (locals_[0] / f"apt/pool/many_{number}_all.deb" for number in (5, 7))
    half.write_text("conte")
    twin.write_text("CONTENTS OF 7")
    os.utime(twin, ns=(times, times))
    sync()
    assert [tree(mirror).items() >= tree(source).items() for mirror in locals_] == [True, True]


def test_a_claim_that_could_not_be_taken_back(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Peer, "release", lambda *_arguments: None)
    publish(source / "apt", "one")
    sync()
    locals_[1].rename(locals_[1].with_name("elsewhere"))
    publish(source / "apt", "two")
    sync(quorum="1")
    locals_[1].with_name("elsewhere").rename(locals_[1])
    publish(source / "apt", "three")
    sync(timeout=5)
    assert [shows(mirror) for mirror in locals_] == ["three", "three"]


@pytest.mark.parametrize(
    "text", ['{"version": 2}', '{"version": 2, "shown": 1, "mirrors": {}, "more": 0}', "{"]
)
def test_a_broken_journal(sync: Caller, source: pathlib.Path, text: str) -> None:
    sync()
    path = source / ".distrogate/mirrors/public/journal.json"
    path.write_text(text)
    with pytest.raises(DistrogateError) as caught:
        sync()
    assert str(path) in caught.value.message
    shutil.rmtree(path.parent)
    assert not sync()["diff"]["after"].get("files", {}).get("changed")


def test_a_damaged_list(sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]) -> None:
    publish(source / "apt", "one", pool="one_1_all.deb")
    sync()
    for path in (source / ".distrogate/lists").iterdir():
        if path.is_file() and path.stat().st_size:
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[:-2] + b"X\0")
    publish(source / "apt", "two", pool="two_1_all.deb")
    result = sync()
    assert [row["outcome"] for row in result["mirrors"]] == ["switched", "switched"]
    assert [tree(mirror).items() >= tree(source).items() for mirror in locals_] == [True, True]
    assert not sync()["changed"]


def test_prepared_and_then_written_to_by_somebody_else(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path], tmp_path: pathlib.Path
) -> None:
    publish(source / "apt", "one")
    sync()
    publish(source / "apt", "two")
    sync(state="prepared", transaction="t1")
    other = tmp_path / "other"
    shutil.copytree(source, other, ignore=shutil.ignore_patterns(".distrogate"))
    publish(other / "apt", "three")
    sync(source=str(other), mirrors=[str(locals_[0])])
    with refused("quorum_lost"):
        sync(state="committed", transaction="t1")
    assert [shows(mirror) for mirror in locals_] == ["three", "one"]
    sync(quorum="1")
    assert [shows(mirror) for mirror in locals_] == ["two", "two"]
