# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots are listed, and go by number, age and pins."""

from __future__ import annotations

import calendar
import json
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.unit.packages.helpers import Suite

Make = t.Callable[..., t.Any]
OLD: dict[str, t.Any] = {"keep_snapshots_seconds": -1}  # older than that they all are


def names(rows: list[dict[str, str]]) -> list[str]:
    return [row["name"] for row in rows]


def there(suite: Suite, scope: str = "bookworm") -> list[str]:
    folder = suite.root / f"dists/{scope}/snapshots"
    return sorted(path.name for path in folder.iterdir() if (path / "InRelease").exists())


def age(suite: Suite, **seconds: int) -> None:
    """Let snapshots of bookworm have been made so many seconds ago."""
    path = suite.root / ".distrogate/state.json"
    state = json.loads(path.read_text())
    for name, ago in seconds.items():
        state["scopes"][f"bookworm/snapshots/{name}"]["moment"] = int(time.time()) - ago
    path.write_text(json.dumps(state))


@pytest.fixture
def four(suite: Suite, make: Make) -> Suite:
    """d is the newest."""
    for name in "abcd":
        suite(make(f"package-{name}"), snapshot=name)
    age(suite, a=400, b=300, c=200, d=100)
    return suite


def test_they_are_listed(four: Suite) -> None:
    result = four()
    assert names(result["snapshots"]) == ["d", "c", "b", "a"]
    assert result["removed_snapshots"] == []
    newest = result["snapshots"][0]
    assert newest["state_digest"] == result["state_digest"]
    moment = json.loads(four.text(".distrogate/state.json"))["scopes"]["bookworm/snapshots/d"]["moment"]
    assert calendar.timegm(time.strptime(newest["date"], "%Y-%m-%dT%H:%M:%SZ")) == moment
    assert not four.changed


def test_a_new_one_is_listed_and_predicted(four: Suite, make: Make) -> None:
    path = make("new")
    predicted = four(path, snapshot="e", check=True)
    result = four(path, snapshot="e")
    assert names(predicted["snapshots"]) == names(result["snapshots"]) == ["e", "d", "c", "b", "a"]
    assert four()["snapshots"] == result["snapshots"]  # its date too


def test_by_default_all_stay(four: Suite) -> None:
    four(**OLD)
    assert not four.changed
    assert there(four) == ["a", "b", "c", "d"]


def test_the_newest_stay(four: Suite, make: Make) -> None:
    path = make("new")
    predicted = four(path, keep_snapshots=2, check=True)
    difference = four.difference
    assert there(four) == ["a", "b", "c", "d"]
    result = four(path, keep_snapshots=2)
    assert four.difference == difference
    assert (difference["before"]["snapshots"], difference["after"]["snapshots"]) == (["a", "b"], [])
    for key in ("snapshots", "removed_snapshots", "added", "serial"):
        assert predicted[key] == result[key]
    assert names(result["snapshots"]) == ["d", "c"]
    assert names(result["removed_snapshots"]) == ["b", "a"]
    assert there(four) == ["c", "d"]
    four.indexes("dists/bookworm/snapshots/c")
    assert names(four()["snapshots"]) == ["d", "c"]


def test_it_is_idempotent_and_needs_no_package(four: Suite) -> None:
    four(keep_snapshots=3)
    assert four.changed
    assert there(four) == ["b", "c", "d"]
    four(keep_snapshots=3)
    assert not four.changed


def test_those_that_are_not_old_stay(four: Suite) -> None:
    result = four(keep_snapshots=1, keep_snapshots_seconds=250)
    assert names(result["removed_snapshots"]) == ["b", "a"]
    assert names(result["snapshots"]) == ["d", "c"]


@pytest.mark.parametrize("prefix", ["sha256:", ""])
def test_pinned_ones_stay(four: Suite, prefix: str) -> None:
    digest = next(row["state_digest"] for row in four()["snapshots"] if row["name"] == "a")
    result = four(keep_snapshots=2, pinned=[prefix + digest.removeprefix("sha256:")])
    assert names(result["removed_snapshots"]) == ["b"]
    assert there(four) == ["a", "c", "d"]


def test_the_new_one_counts_and_the_one_that_is_asked_for_stays(four: Suite, make: Make) -> None:
    result = four(make("new"), snapshot="e", keep_snapshots=2)
    assert names(result["snapshots"]) == ["e", "d"]
    result = four(make("newer"), snapshot="f", keep_snapshots=1, **OLD)
    assert there(four) == ["f"]
    four(snapshot="f")
    age(four, f=1000)
    four(make("newest"), snapshot="g")
    four("newest", state="absent")
    result = four(snapshot="f", keep_snapshots=1, **OLD)  # the same state again, under the old name
    assert names(result["snapshots"]) == ["g", "f"]
    assert not four.changed


def test_other_suites_are_left_alone(four: Suite, make: Make) -> None:
    four(make("new"), suite="trixie", snapshot="a")
    result = four(keep_snapshots=1, suite="trixie", **OLD)
    assert names(result["snapshots"]) == ["a"]
    assert not four.changed
    four(keep_snapshots=1)
    assert there(four) == ["d"]
    assert there(four, "trixie") == ["a"]


def test_what_only_they_named_goes_too(four: Suite) -> None:
    for name in "abcd":
        four(f"package-{name}", state="absent")
    four(keep_snapshots=1, keep=0)
    four(label="x", keep=0)
    kept = {path.name.partition("_")[0] for path in (four.root / "pool").rglob("*.deb")}
    assert kept == {f"package-{name}" for name in "abcd"}  # d has them all
    four(state="absent", snapshot="d", keep=0)
    four(label="y", keep=0)
    assert not list((four.root / "pool").rglob("*.deb"))


def test_removing_one_removes_overdue_ones_as_well(four: Suite) -> None:
    result = four(state="absent", snapshot="d", keep_snapshots=1)
    assert names(result["removed_snapshots"]) == ["d", "b", "a"]
    assert there(four) == ["c"]


@pytest.mark.parametrize("end", ["committed", "undone"])
def test_a_transaction_says_it_when_it_ends(four: Suite, make: Make, end: str) -> None:
    path = make("new")
    asked: dict[str, t.Any] = {"state": "prepared", "transaction": "one"}
    asked.update(snapshot="e", keep_snapshots=2)
    prepared = four(path, **asked)
    assert names(prepared["snapshots"]) == ["e", "d"]
    assert there(four) == ["a", "b", "c", "d"]
    assert four(path, **asked)["snapshots"] == prepared["snapshots"]
    ended = four(state=end, transaction="one")
    assert names(ended["snapshots"]) == (["e", "d"] if end == "committed" else ["d", "c", "b", "a"])
    assert names(ended["removed_snapshots"]) == (["c", "b", "a"] if end == "committed" else [])
    assert there(four) == sorted(names(ended["snapshots"]))


def test_undoing_brings_none_back_and_removes_none(four: Suite, make: Make) -> None:
    four(make("new"), transaction="one", keep_snapshots=3)
    result = four(state="undone", transaction="one", keep_snapshots=1)
    assert names(result["snapshots"]) == ["d", "c", "b"]
    assert result["removed_snapshots"] == []


def test_a_suite_that_is_not_there_has_none(suite: Suite) -> None:
    result = suite("x", state="absent")
    assert (result["snapshots"], result["removed_snapshots"]) == ([], [])


def test_named_by_the_time(suite: Suite, make: Make) -> None:
    first = suite(make("package-a"), snapshot="now")
    (name,) = names(first["snapshots"])
    assert time.strptime(name, "%Y%m%dT%H%M%SZ") and f"bookworm/snapshots/{name}" in first["snapshot_sources"]
    suite.indexes(f"dists/bookworm/snapshots/{name}")
    again = suite(snapshot="now")
    assert not suite.changed and again["snapshots"] == first["snapshots"]
    assert again["snapshot_sources"] == first["snapshot_sources"]
    more = names(suite(make("package-b"), snapshot="now")["snapshots"])
    assert more[1] == name and more[0] > name and there(suite) == sorted(more)
    assert names(suite(make("package-c"), snapshot="now", keep_snapshots=1, **OLD)["snapshots"])[0] > more[0]
    assert len(there(suite)) == 1
