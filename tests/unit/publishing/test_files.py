# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets of files: links move in one step, previous is kept, and what nothing names goes in time."""

from __future__ import annotations

import os
import subprocess
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._touched import TouchLog
from ansible_collections.distrogate.ci.tests.unit.publishing.file_helpers import Files

RELEASE = {"transaction": "release"}


def test_published_as_predicted_and_once(files: Files) -> None:
    image = files.artifact("a.img", "one")
    predicted = files(image, version="1.0.0", url="https://files.example.org/", check=True)
    expected = files.difference
    assert files.changed and not files.root.exists()
    result = files(image, version="1.0.0", url="https://files.example.org/")
    assert files.difference == expected
    assert result == predicted
    assert files.read() == files.read("1.0.0") == {"a.img": "one"}
    (published,) = result["published"]
    assert published["digest"] == f"sha256:{image['sha256']}"
    assert published["address"] == "https://files.example.org/image/1.0.0/a.img"
    assert result["state_digest"] == f"sha256:{os.readlink(files.base / 'latest')}"
    assert result["previous"] is None
    again = files(image, version="1.0.0", url="https://files.example.org/")
    assert not files.changed
    assert again == result


def test_sha256sum_agrees(files: Files) -> None:
    files(files.artifact("b.img", "b"), files.artifact("a b.txt", "a"))
    argv = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(argv, cwd=files.base / "latest", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "a b.txt: OK\nb.img: OK\n"), done


def test_the_channel_moves_and_previous_is_kept(files: Files) -> None:
    first, second = files.artifact("a.img", "one"), files.artifact("b.img", "two")
    one = files(first)
    assert files.links() == ["latest"]
    two = files(second)
    assert files.read() == {"b.img": "two"} and files.read("latest.previous") == {"a.img": "one"}
    assert two["previous"] == one["state_digest"]
    assert files.difference["before"]["links"]["latest"] == one["state_digest"].partition(":")[2]
    assert files(second)["previous"] == one["state_digest"]  # still, though nothing moved
    assert not files.changed
    third = files.artifact("c.img", "three")
    files(third, channel="stable")
    assert files.read("stable") == {"c.img": "three"} and files.read() == {"b.img": "two"}


def test_going_back_needs_no_files(files: Files) -> None:
    first = files.artifact("a.img", "one")
    files(first)
    files(files.artifact("b.img", "two"))
    (files.incoming / "a.img").unlink()
    files(first, incoming=None)
    assert files.read() == {"a.img": "one"} and files.read("latest.previous") == {"b.img": "two"}


def test_going_back_to_what_was_damaged(files: Files) -> None:
    first = files.artifact("a.img", "one")
    identity = files(first)["state_digest"].partition(":")[2]
    files(files.artifact("b.img", "two"))
    path = files.base / identity / "a.img"
    path.chmod(0o644)
    path.write_text("bad")  # of the same size
    (files.incoming / "a.img").rename(files.incoming / "away")
    with pytest.raises(DistrogateError) as caught:
        files(first)
    assert caught.value.reason == "artifact_missing"
    assert first["sha256"] in caught.value.message
    assert files.read() == {"b.img": "two"}
    (files.incoming / "away").rename(files.incoming / "a.img")
    files(first)
    assert files.difference["before"]["missing_files"] == ["a.img"]
    assert files.read() == {"a.img": "one"}


def test_a_version_never_moves(files: Files) -> None:
    first, second = files.artifact("a.img", "one"), files.artifact("b.img", "two")
    files(first, version="1.0.0")
    for check in (True, False):
        with pytest.raises(DistrogateError, match=r"version 1\.0\.0") as caught:
            files(second, version="1.0.0", check=check)
        assert caught.value.reason == "tag_taken"
    assert files.read() == files.read("1.0.0") == {"a.img": "one"}


def test_versions_are_remembered_when_their_links_are_gone(files: Files) -> None:
    images = [files.artifact(f"{name}.img", name) for name in "abcd"]
    for number, image in enumerate(images):
        files(image, version=f"{number + 8}.0.0", keep_versions=2, keep=0)
    assert [one for one in files.links() if one[0].isdigit()] == ["10.0.0", "11.0.0"]
    assert files.sets() == ["c.img", "d.img"]
    with pytest.raises(DistrogateError) as caught:
        files(images[3], version="8.0.0")
    assert caught.value.reason == "tag_taken"
    files(images[0], version="8.0.0", channel=None)
    assert files.read("8.0.0") == {"a.img": "a"}


def test_what_nothing_names_goes(files: Files) -> None:
    digests = {}
    for name in "abcdef":
        pinned = [digests["a"]] if "a" in digests else []
        artifact = files.artifact(f"{name}.img", name)
        pinned += [f"sha256:{digests['b file']}"] if "b file" in digests else []
        result = files(artifact, version="1.0.0" if name == "c" else None, keep=0, pinned=pinned)
        digests[name], digests[f"{name} file"] = result["state_digest"], artifact["sha256"]
    # a and b are pinned, c is a version, d was not named any more, e is previous, f is the channel's.
    assert files.sets() == ["a.img", "b.img", "c.img", "e.img", "f.img"]
    assert result["removed"] == [digests["d"]]
    assert files.difference["before"]["sets"] != files.difference["after"]["sets"]
    record = TouchLog(str(files.base)).digests()[f"{digests['d'].partition(':')[2]}/d.img".encode()]
    assert record.startswith(b"- ")  # mirrors learn that it went
    files(files.artifact("g.img", "g"), keep=0)
    assert files.sets() == ["c.img", "f.img", "g.img"]
    assert os.listdir(files.base / ".distrogate/transactions") == []


@pytest.mark.parametrize(
    ("rule", "there"), [({"keep": 2}, "abcd"), ({"keep": 0, "keep_seconds": 99}, "abcd")]
)
def test_they_stay_for_a_while(files: Files, rule: dict[str, t.Any], there: str) -> None:
    for name in "abcd":
        files(files.artifact(f"{name}.img", name), **rule)
    assert files.sets() == [f"{name}.img" for name in there]
    files(files.artifact("d.img", "d"), **rule)
    assert not files.changed
    files(files.artifact("e.img", "e"), **rule)
    assert files.sets() == [f"{name}.img" for name in (there + "e" if "keep_seconds" in rule else "bcde")]


def test_undone(files: Files) -> None:
    for name in "ab":
        files(files.artifact(f"{name}.img", name), keep=0)
    files(files.artifact("c.img", "c"), version="3.0.0", keep=0, **RELEASE)
    assert files.sets() == ["a.img", "b.img", "c.img"]  # undoing has to find a as previous
    result = files(state="undone", **RELEASE)
    assert files.read() == {"b.img": "b"} and files.read("latest.previous") == {"a.img": "a"}
    assert files.links() == ["latest", "latest.previous"]
    assert result["previous"] is not None
    files(state="undone", **RELEASE)
    assert not files.changed
    with pytest.raises(DistrogateError) as caught:
        files(files.artifact("d.img", "d"), version="3.0.0")
    assert caught.value.reason == "tag_taken"


def test_the_first_is_undone(files: Files) -> None:
    files(files.artifact("a.img", "a"), **RELEASE)
    files(state="undone", **RELEASE)
    assert files.links() == []


def test_only_the_latest_is_undone(files: Files) -> None:
    files(files.artifact("a.img", "a"), **RELEASE)
    files(files.artifact("b.img", "b"))
    with pytest.raises(DistrogateError) as caught:
        files(state="undone", **RELEASE)
    assert caught.value.reason == "not_latest"


@pytest.mark.parametrize("end", ["committed", "undone"])
def test_prepared(files: Files, end: str) -> None:
    files(files.artifact("a.img", "a"))
    image = files.artifact("b.img", "b")
    predicted = files(image, state="prepared", check=True, **RELEASE)
    prepared = files(image, state="prepared", **RELEASE)
    assert predicted == prepared and files.changed
    assert files.read() == {"a.img": "a"} and files.sets() == ["a.img"]
    files(image, state="prepared", **RELEASE)
    assert not files.changed
    (files.incoming / "b.img").unlink()  # promotion may clear what came in
    with pytest.raises(DistrogateError, match="release") as caught:
        files(files.artifact("c.img", "c"))
    assert caught.value.reason == "reserved"
    ended = files(state=end, check=True, **RELEASE)
    expected = files.difference
    assert ended == files(state=end, **RELEASE) or end == "undone"
    assert files.difference == expected
    assert files.difference["after"]["transaction"] == end
    assert files.read() == ({"b.img": "b"} if end == "committed" else {"a.img": "a"})
    files(state=end, **RELEASE)
    assert not files.changed


def test_prepared_with_others(files: Files) -> None:
    files(files.artifact("a.img", "a"), state="prepared", **RELEASE)
    with pytest.raises(DistrogateError) as caught:
        files(files.artifact("b.img", "b"), state="prepared", **RELEASE)
    assert caught.value.reason == "transaction_used"


def test_a_reservation_ends(files: Files) -> None:
    files(files.artifact("a.img", "a"), state="prepared", ttl=0, **RELEASE)
    files(files.artifact("b.img", "b"))
    for state in ("committed", "undone"):
        with pytest.raises(DistrogateError) as caught:
            files(state=state, transaction="other")
        assert caught.value.reason == "unknown_transaction"


def test_a_link_that_somebody_removed(files: Files) -> None:
    image = files.artifact("a.img", "a")
    files(image, version="1.0.0")
    (files.base / "latest").unlink()
    files(image, version="1.0.0")
    assert files.changed and files.read() == {"a.img": "a"}


def test_a_lost_state(files: Files) -> None:
    image = files.artifact("a.img", "a")
    files(image, version="1.0.0")
    (files.base / ".distrogate/state.json").unlink()
    files(image, version="1.0.0", incoming=None)
    assert files.read("1.0.0") == {"a.img": "a"}
    files(image, version="1.0.0", incoming=None)
    assert not files.changed
