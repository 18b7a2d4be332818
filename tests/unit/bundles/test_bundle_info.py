# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What bundle_info answers, and the difference of two bundles."""

from __future__ import annotations

import itertools
import pathlib
import random
import typing as t

import pytest
from archive_samples import World, commit, deb, git, image, make, sha, state

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle_info import (
    LISTED,
    channel_history,
    resolve,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._difference import difference
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._index_contents import contents
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Put

Json = dict[str, t.Any]
ALL = [
    deb("nova", "1:2.0-1"),
    deb("</script>", "1"),
    image("keystone", "k1"),
    state(("bash", "5.2"), ("zlib", "1.3")),
    git("neutron", "Fix the <b>agent</b>"),
    {"type": "qcow2", "name": "cloud.qcow2", "path": "cloud.qcow2", "sha256": sha("q"), "size": 7},
]


@pytest.mark.parametrize(
    "wanted",
    [
        "nova",
        "nova=1:2.0-1",
        "</script>",
        "bash",
        "bash=5.2",
        "keystone",
        "cloud/keystone",
        "registry.example.org/cloud/keystone",
        f"registry.example.org/cloud/keystone@sha256:{sha('k1')}",
        sha("k1"),
        f"sha256:{sha('k1')}",
        sha("k1")[:7],
        f"sha256:{sha('k1')[:20]}",
        "cloud.qcow2",
        sha("q"),
        sha("bash 5.2"),
        commit("Fix the <b>agent</b>"),
        commit("Fix the <b>agent</b>")[:8],
        commit("change 1"),
        commit("base"),
    ],
)
def test_a_bundle_is_found_by_what_is_in_it(world: World, wanted: str) -> None:
    bundle = world.seal(ALL)
    world.seal([deb("other", "1")], 2, project="x", projects={}, queue=[])
    assert world.digests(contains=wanted) == [bundle["digest"]]


@pytest.mark.parametrize(
    "wanted",
    ["nov", "nova=1", "nova=", "=", "", "%", "_ova", "sha256:", "0123456", "'; DROP TABLE bundle", "nova\0"],
)
def test_a_bundle_is_not_found_by_less(world: World, wanted: str) -> None:
    world.seal(ALL)
    assert bool(world.digests(contains=wanted)) == (wanted == "")  # nothing is no condition


def test_conditions_together_are_what_a_walk_over_the_files_finds(world: World) -> None:
    choose = random.Random(6)
    made: list[tuple[Json, set[str], str]] = []
    for number in range(1, 25):
        names = choose.sample("abcdef", 3)
        pipeline = choose.choice(("gate", "check"))
        bundle = world.seal(
            [deb(name, str(choose.randrange(3))) for name in names], number, pipeline=pipeline
        )
        held = {f"{one['package']}={one['package_version']}" for one in bundle["artifacts"]} | set(names)
        made.insert(0, (bundle, held, pipeline))
    for name, version, pipeline, limit in itertools.product("abf", ("", "=1"), (None, "gate"), (0, 2)):
        walked = [
            one["digest"] for one, held, of in made if name + version in held and pipeline in (None, of)
        ]
        found = world.finder().find({"contains": name + version, "pipeline": pipeline, "limit": limit})
        assert [bundle["digest"] for bundle in found.bundles] == (walked[:limit] if limit else walked)
        assert found.total == len(walked)
    trees = made[5][0]["inputs"]["trees"]
    assert world.digests(trees=trees) == [made[5][0]["digest"]]
    assert world.digests(trees={"nova": "0" * 40}) == []
    assert world.digests(trees=trees, pipeline="periodic") == []


def test_where_a_bundle_lies_and_who_points_to_it(world: World) -> None:
    one, two = world.seal([deb("a", "1")], 1), world.seal([deb("a", "2")], 2)
    world.promote(one, "stable", 1)
    world.promote(two, "latest", 2)
    (found,) = world.finder().find({"channel": "stable"}).bundles
    assert (found["digest"], found["run_dir"], found["host"]) == (one["digest"], "/runs/1", "builder")
    assert sorted(found["channels"]) == ["1.0.0", "stable"]
    assert found["sealed"] == "2026-01-01T00:00:00Z"
    assert found["packages"] == ["a=1"]
    assert world.digests(channel="2.0.0") == [two["digest"]]
    assert world.digests(channel="nowhere") == []
    assert world.digests(channel="stable", bundle=two["digest"]) == []
    assert world.digests(channel="stable", bundle=one["digest"]) == [one["digest"]]
    assert resolve(world.store, "stable") == resolve(world.store, one["digest"][7:]) == one["digest"]
    with pytest.raises(DistrogateError) as raised:
        resolve(world.store, "nowhere")
    assert raised.value.reason == "unknown_bundle"


def test_a_bundle_that_only_the_store_knows(world: World) -> None:
    archived = world.seal([deb("a", "1")], 1)
    facts = {
        "run_dir": "/old",
        "host": "b",
        "pipeline": "gate",
        "sealed": "2025-01-01T00:00:00Z",
        "packages": ["a=0"],
    }
    world.store.transact({}, [Put("bundle/" + "0" * 64, facts)])
    old = "sha256:" + "0" * 64
    assert world.digests() == [archived["digest"], old]
    assert world.digests(contains="a") == [archived["digest"], old]
    assert world.digests(contains="a=0") == [old]
    assert world.finder().find({"limit": 1}).total == 2
    assert [one["digest"] for one in world.finder(archive=False).find({"pipeline": "gate"}).bundles].count(
        old
    ) == 1


def test_packages_of_many_bundles_are_left_out_unless_wanted(world: World) -> None:
    for number in range(LISTED + 1):
        world.seal([deb("a", str(number))], 1 + number % 28)
    assert not any("packages" in bundle for bundle in world.finder().find({}).bundles)
    assert all(bundle["packages"] for bundle in world.finder().find({"packages": True}).bundles)
    assert all(bundle["packages"] for bundle in world.finder().find({"limit": LISTED}).bundles)
    assert "packages" not in world.finder().find({"limit": 1, "packages": False}).bundles[0]


def test_what_was_said(world: World) -> None:
    bundle = world.seal(ALL)
    world.verdict(bundle, "install_test", "FAILED", 1)
    world.verdict(bundle, "install_test", "PASSED", 2, url="https://tests.example.org/2")
    world.verdict(bundle, "endurance", "FAILED", 3)
    about = {"author": "ann", "reason": "known", "at_ns": 5}
    world.say(
        bundle,
        _statements.WAIVER,
        rule="verdicts",
        stage="endurance",
        expires="2027-01-01T00:00:00Z",
        **about,
    )
    world.say(bundle, _statements.HOLD, name="security", **about)
    world.say(bundle, _statements.HOLD, name="legal", **about)
    world.say(bundle, _statements.HOLD_RELEASE, name="legal", **{**about, "at_ns": 6})
    world.say(
        bundle, _statements.PROMOTION, channel="latest", version="1.0.0", at="2026-02-01T00:00:00Z", by="ann"
    )
    (found,) = world.finder().find({}).bundles
    whole = world.finder().whole(bundle["digest"])
    for told in (found, whole):
        assert [(one["stage"], one["result"]) for one in told["verdicts"]] == [
            ("install_test", "PASSED"),
            ("endurance", "FAILED"),
        ]
        assert told["verdicts"][0]["at"] == "2026-01-03T00:00:00Z"
        assert [one["expires"] for one in told["waivers"]] == ["2027-01-01T00:00:00Z"]
        assert [(one["name"], one["author"]) for one in told["holds"]] == [("security", "ann")]
        assert [one["channel"] for one in told["promotions"]] == ["latest"]
        assert {one["signer"] for one in told["verdicts"]} == {world.key.public.keyid}
    assert whole["artifacts"] == bundle["artifacts"]
    assert whole["inputs"] == bundle["inputs"]
    assert whole["provenance"][0]["builder"]["id"].endswith(":builder")
    assert whole["unknown_signers"] == whole["refused"] == []


def test_a_statement_about_another_bundle_is_not_believed(world: World) -> None:
    one, two = world.seal([deb("a", "1")], 1), world.seal([deb("a", "2")], 2)
    name = world.verdict(one, "test", "PASSED")
    text = world.archive.statements(one["digest"])[name]
    world.archive.add(two["digest"], None, {name: text})
    assert world.finder().find({}).bundles[0]["verdicts"] == []
    assert world.finder().whole(two["digest"])["refused"][0]["statement"] == name


@pytest.mark.parametrize("edit", [('"size": 1', '"size": 2'), ("artifacts/", "artefacts/"), ("{", "{ ")])
def test_an_edited_bundle_is_refused(world: World, edit: tuple[str, str]) -> None:
    bundle = world.seal([deb("a", "1")])
    world.promote(bundle, "latest", 1)
    assert world.digests() == [bundle["digest"]]
    path = pathlib.Path(world.archive.folder(bundle["digest"])) / "bundle.json"
    path.write_text(path.read_text().replace(*edit))
    for ask in (
        lambda: world.finder().whole(bundle["digest"]),
        lambda: world.finder().difference("latest", "1.0.0"),
    ):
        with pytest.raises(DistrogateError) as raised:
            ask()
        assert raised.value.reason == "bad_bundle"
    found = world.finder().find({})
    assert (found.bundles, [problem["digest"] for problem in found.problems]) == ([], [bundle["digest"]])


def test_the_history_of_a_channel(world: World) -> None:
    one, two = make([deb("a", "1")]), make([deb("a", "2")])
    world.promote(one, "stable", 1)
    world.promote(two, "stable", 2, before=one)
    world.promote(one, "stable", 3, before=two, state="rolled_back")
    rows = channel_history(world.store, "stable")
    assert [(row["serial"], row["digest"], row["from"]) for row in rows] == [
        (3, one["digest"], two["digest"]),
        (2, two["digest"], one["digest"]),
        (1, one["digest"], None),
    ]
    assert rows[0]["state"] == "rolled_back"
    assert rows[0]["states"] == [{"host": "r", "plugin": "apt_publish", "state_digest": "x"}]
    assert channel_history(world.store, "stab") == []


def test_a_channel_of_before_there_was_a_history(world: World) -> None:
    pointer = {
        "digest": "sha256:" + "1" * 64,
        "version": "7.0.0",
        "serial": 7,
        "previous": None,
        "at": "x",
        "by": "y",
    }
    world.store.transact({}, [Put("channel/old", pointer)])
    (row,) = channel_history(world.store, "old")
    assert (row["digest"], row["serial"], row["from"]) == (pointer["digest"], 7, None)


def differ(old: list[Json], new: list[Json]) -> Json:
    """The difference of two bundles of the same change."""
    return difference(contents(make(old)), contents(make(new)))


def test_nothing_differs(world: World) -> None:
    found = differ(ALL, list(reversed(ALL)))
    assert found and not any(rows for part in found.values() for rows in part.values())


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("1.0-1", "1.0-2", "upgraded"),
        ("1.10", "1.9", "downgraded"),
        ("1.0~rc1", "1.0", "upgraded"),
        ("9", "1:1", "upgraded"),
    ],
)
def test_a_package_of_another_version(old: str, new: str, change: str) -> None:
    found = differ([deb("a", old), deb("b", "1")], [deb("a", new), deb("b", "1")])["packages"]
    about = {"kind": "deb", "name": "a", "architecture": "amd64"}
    assert found == {
        "added": [],
        "removed": [],
        "changed": [{**about, "from": old, "to": new, "change": change}],
    }


def test_packages_that_come_and_go_and_are_rebuilt() -> None:
    again = {**deb("c", "1"), "sha256": sha("again")}
    old = [deb("a", "1"), deb("c", "1"), state(("s", "1"), ("s", "2"))]
    new = [deb("b", "1"), again, state(("s", "2"), ("s", "3"))]
    found = differ(old, new)["packages"]
    assert [(one["name"], one["version"]) for one in found["added"]] == [("b", "1"), ("s", "3")]
    assert [(one["name"], one["version"]) for one in found["removed"]] == [("a", "1"), ("s", "1")]
    assert [(one["name"], one["change"]) for one in found["changed"]] == [("c", "rebuilt")]


def test_what_was_built_hides_what_lay_below_it() -> None:
    """The tested repository has the packages of the changes ahead, too: a build is still an upgrade."""
    old = [deb("a", "1", architecture="all"), state(("a", "1"), ("base", "1"))]
    new = [deb("a", "2", architecture="all"), state(("a", "1"), ("a", "2"), ("base", "1"))]
    found = differ(old, new)["packages"]
    assert [(one["name"], one["change"]) for one in found["changed"]] == [("a", "upgraded")]
    assert found["added"] == found["removed"] == []


def test_commits_with_their_subjects_and_images() -> None:
    old = make([git("nova", "Old one"), image("x", "1"), image("gone", "1")], 1)
    new = make([git("nova", "New one"), image("x", "2"), image("new", "1")], 2)
    found = difference(contents(old), contents(new))
    subjects = {one["commit"]: one["subject"] for one in found["commits"]["added"]}
    assert subjects == {commit("change 2"): "", commit("New one"): "New one"}
    assert [one["subject"] for one in found["commits"]["removed"]] == ["", "Old one"]
    assert found["commits"]["moved"] == []
    assert found["images"]["changed"] == [
        {"type": "oci_image", "name": "x", "from": sha("1"), "to": sha("2")}
    ]
    assert [one["name"] for one in found["images"]["added"]] == ["new"]
    assert [one["name"] for one in found["images"]["removed"]] == ["gone"]


def test_a_branch_that_moved() -> None:
    old, new = contents(make([deb("a", "1")])), contents(make([deb("a", "1")]))
    new["bases"] = {"nova": commit("later"), "glance": commit("base")}
    assert difference(old, new)["commits"]["moved"] == [
        {"project": "glance", "from": None, "to": commit("base")},
        {"project": "nova", "from": commit("base"), "to": commit("later")},
    ]


def test_there_and_back_is_the_same_difference() -> None:
    choose = random.Random(4)
    for _number in range(50):
        sides = [
            [deb(name, str(choose.randrange(3))) for name in choose.sample("abcde", 3)]
            + [image("i", str(choose.randrange(2)))]
            for _side in range(2)
        ]
        there, back = differ(*sides), differ(*reversed(sides))
        for part in ("packages", "images"):
            assert there[part]["added"] == back[part]["removed"]
            assert len(there[part]["changed"]) == len(back[part]["changed"])
            assert [one["from"] for one in there[part]["changed"]] == [
                one["to"] for one in back[part]["changed"]
            ]


def test_difference_by_names(world: World) -> None:
    one, two = world.seal([deb("a", "1")], 1), world.seal([deb("a", "2")], 2)
    world.promote(one, "stable", 1)
    found = world.finder().difference("stable", two["digest"])
    assert (found["from"], found["to"]) == (one["digest"], two["digest"])
    assert found["packages"]["changed"][0]["to"] == "2"
    with pytest.raises(DistrogateError) as raised:
        world.finder(archive=False).difference("stable", two["digest"])
    assert raised.value.reason == "no_archive"
    with pytest.raises(DistrogateError) as raised:
        world.finder().difference("stable", "sha256:" + "0" * 64)
    assert raised.value.reason == "unknown_bundle"
