# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What publishers told becomes one list of packages, for a result, a program and a person."""

from __future__ import annotations

import copy
import json
import os
import pathlib
import random
import typing as t

import jsonschema
import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._package_changes import (
    PackageChanges,
    package_changes,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._package_report import (
    as_text,
    write_reports,
)

SCHEMA = pathlib.Path(__file__).parents[3] / "docs" / "schemas" / "packages.schema.json"
Note = dict[str, t.Any]
NEW, GONE = object(), None


def identities(*words: str) -> list[list[str]]:
    """nova=1/all, …"""
    return [[name, *rest.split("/")] for name, _equals, rest in (word.partition("=") for word in words)]


def told(added: str = "", removed: str = "", scope: str = "bookworm", **more: t.Any) -> Note:
    where = {"scope": scope, "added": identities(*added.split()), "removed": identities(*removed.split())}
    return {"packages": {**where, **more}}


def rows(changes: PackageChanges) -> list[str]:
    return [
        f"{one['repository']} {one['name']}/{one['architecture']} {one['change']} {one['from']} {one['to']}"
        for one in changes.packages
    ]


def folded(*notes: Note, prefix: bytes = b"apt/") -> list[str]:
    return rows(package_changes({prefix: notes}, ()))


def files(prefix: bytes, *changes: tuple[bytes, t.Any, t.Any]) -> list[str]:
    return rows(package_changes({prefix: None, b"other/": []}, changes))


def test_one_publish() -> None:
    assert folded(told("nova=2/all glance=1/amd64", "nova=1/all cinder=1/all")) == [
        "apt/bookworm cinder/all removed 1 None",
        "apt/bookworm glance/amd64 added None 1",
        "apt/bookworm nova/all upgraded 1 2",
    ]


def test_versions_are_compared_as_their_tools_do() -> None:
    assert folded(told("nova=10/all", "nova=9/all")) == ["apt/bookworm nova/all upgraded 9 10"]
    assert folded(told("nova=1.0~rc1/all", "nova=1.0/all")) == [
        "apt/bookworm nova/all downgraded 1.0 1.0~rc1"
    ]
    assert folded(told("nova=1:1/all", "nova=9/all")) == ["apt/bookworm nova/all upgraded 9 1:1"]
    # dpkg sorts letters before other characters, rpm takes ^ for what comes after.
    after = told("nova=1.0^git-1/noarch", "nova=1.0-1/noarch", scope="")
    assert folded(after, prefix=b"rpm/") == ["rpm nova/noarch upgraded 1.0-1 1.0^git-1"]
    assert folded(told("nova=1.00/all", "nova=1.0/all")) == ["apt/bookworm nova/all upgraded 1.0 1.00"]


def test_the_kind_that_is_told_decides() -> None:
    # deb: a letter is less than a dot. rpm: a number is more than a letter.
    odd = {"added": "nova=1a/x", "removed": "nova=1.1/x"}
    assert folded(told(**odd, scope="flat/", kind="deb")) == ["apt/flat nova/x downgraded 1.1 1a"]
    assert folded(told(**odd, scope="", kind="deb")) == ["apt nova/x downgraded 1.1 1a"]
    # deb: "^" is a character after ".". rpm: it comes before whatever follows.
    caret = {"added": "nova=1.0.1/x", "removed": "nova=1.0^git/x"}
    assert folded(told(**caret, scope="x", kind="rpm")) == ["apt/x nova/x upgraded 1.0^git 1.0.1"]
    assert folded(told(**caret, scope="")) == ["apt nova/x upgraded 1.0^git 1.0.1"]
    assert folded(told(**caret, scope="x")) == ["apt/x nova/x downgraded 1.0^git 1.0.1"]


def test_several_publishes_are_one_change() -> None:
    first, second = told("nova=2/all", "nova=1/all"), told("nova=3/all", "nova=2/all")
    assert folded(first, second) == ["apt/bookworm nova/all upgraded 1 3"]
    assert folded(first, told("nova=1/all", "nova=2/all")) == []
    assert folded(told("x=1/all"), told("", "x=1/all")) == []
    assert folded(told("", "x=1/all"), told("x=1/all")) == []
    assert folded(first, told("nova=0/all", "nova=2/all")) == ["apt/bookworm nova/all downgraded 1 0"]


def test_what_stays_beside_it_was_not_replaced() -> None:
    assert folded(told("nova=2/all")) == ["apt/bookworm nova/all added None 2"]
    assert folded(told("nova=3/all nova=4/all", "nova=1/all")) == [
        "apt/bookworm nova/all upgraded 1 4",
        "apt/bookworm nova/all added None 3",
    ]
    assert folded(told("nova=4/all", "nova=3/all nova=2/all")) == [
        "apt/bookworm nova/all upgraded 3 4",
        "apt/bookworm nova/all removed 2 None",
    ]
    assert folded(told("nova=2/amd64", "nova=1/arm64")) == [
        "apt/bookworm nova/amd64 added None 2",
        "apt/bookworm nova/arm64 removed 1 None",
    ]


def test_a_note_that_is_told_again_counts_once() -> None:
    once = told("nova=2/all", "nova=1/all", serial=7)
    back = told("nova=1/all", "nova=2/all", serial=8)
    assert folded(once, copy.deepcopy(once)) == ["apt/bookworm nova/all upgraded 1 2"]
    assert folded(once, copy.deepcopy(once), back) == []
    snapshot = {"snapshots": {"scope": "bookworm", "added": ["x"], "removed": [], "serial": 7}}
    gone = {"snapshots": {"scope": "bookworm", "added": [], "removed": ["x"], "serial": 8}}
    twice = [once, snapshot]
    changes = package_changes({b"apt/": [*twice, *copy.deepcopy(twice), back, gone]}, ())
    assert changes == PackageChanges([], [])


def test_a_package_that_moves_to_another_component_stays() -> None:
    assert folded(told("nova=1/all", serial=1), told("", "nova=1/all", serial=2)) == []


def test_parts_and_suites_are_repositories() -> None:
    notes = {
        b"apt/": [told("a=1/all"), told("a=1/all", scope="trixie")],
        b"rpm/": [told("a=1-1/noarch", scope="")],
        b"apt-flat/": [told("a=1/all", scope="./")],
        b"": [],
    }
    assert [one["repository"] for one in package_changes(notes, ()).packages] == [
        "apt-flat",
        "apt/bookworm",
        "apt/trixie",
        "rpm",
    ]
    for scope, name in (("", "."), ("./", "."), ("bookworm", "bookworm")):
        assert package_changes({b"": [told("a=1/all", scope=scope)]}, ()).packages[0]["repository"] == name


def test_snapshots_are_told_and_add_no_package() -> None:
    def snapshots(added: list[str], removed: list[str], serial: int) -> Note:
        return {"snapshots": {"scope": "bookworm", "added": added, "removed": removed, "serial": serial}}

    notes = [
        told(serial=1),
        snapshots(["monday"], [], 1),
        told("nova=1/all", serial=2),
        snapshots(["tuesday"], ["sunday"], 2),
        snapshots([], ["tuesday"], 3),
    ]
    changes = package_changes({b"apt/": notes}, ())
    assert rows(changes) == ["apt/bookworm nova/all added None 1"]
    assert changes.snapshots == [
        {"repository": "apt/bookworm", "name": "monday", "change": "added"},
        {"repository": "apt/bookworm", "name": "sunday", "change": "removed"},
    ]


def test_notes_of_others_are_left_alone() -> None:
    assert folded({"weather": "fine"}) == []


def test_any_order_of_publishes_gives_the_difference_of_their_ends() -> None:
    chance = random.Random(5)
    for _round in range(200):
        before = {(name, str(chance.randrange(4))) for name in "abc" for _number in range(2)}
        current, notes = set(before), []
        for serial in range(chance.randrange(1, 6)):
            after = {(name, str(chance.randrange(4))) for name in "abc"}
            came, went = (
                " ".join(f"{name}={version}/all" for name, version in sorted(one))
                for one in (after - current, current - after)
            )
            notes.append(told(came, went, serial=serial))
            current = after
        found = package_changes({b"": notes}, ()).packages
        assert {(one["name"], one["to"]) for one in found if one["to"]} == current - before
        assert {(one["name"], one["from"]) for one in found if one["from"]} == before - current
        for one in found:
            if one["from"] and one["to"]:
                assert one["change"] == ("upgraded" if one["to"] > one["from"] else "downgraded")


def test_names_of_files_where_nothing_was_told() -> None:
    assert files(
        b"apt/",
        (b"apt/pool/main/n/nova_2-1_all.deb", GONE, NEW),
        (b"apt/pool/main/n/nova_1-1_all.deb", NEW, GONE),
        (b"apt/pool/main/n/nova_1%3a2-1.dsc", GONE, NEW),
        (b"apt/pool/main/i/installer_1_amd64.udeb", GONE, NEW),
        (b"apt/dists/bookworm/main/binary-amd64/by-hash/SHA256/" + b"a" * 64, GONE, NEW),
        (b"apt/pool/main/n/nova_2-1.tar.gz", GONE, NEW),
        (b"other/pool/main/x/x_1_all.deb", GONE, NEW),
        (b"elsewhere/x_1_all.deb", GONE, NEW),
    ) == [
        "apt installer/amd64 added None 1",
        "apt nova/all upgraded 1-1 2-1",
        "apt nova/source added None 1:2-1",
    ]


def test_names_of_rpm_files() -> None:
    assert files(
        b"rpm/",
        (b"rpm/Packages/n/python3-nova-compute-2.0~rc1-1.el9.noarch.rpm", NEW, GONE),
        (b"rpm/Packages/n/python3-nova-compute-2.0-1.el9.noarch.rpm", GONE, NEW),
        (b"rpm/Packages/n/nova-2.0-1.src.rpm", GONE, NEW),
    ) == ["rpm nova/src added None 2.0-1", "rpm python3-nova-compute/noarch upgraded 2.0~rc1-1.el9 2.0-1.el9"]


def test_a_file_that_moved_or_was_touched_is_no_change() -> None:
    moved = [(b"pool/a/x_1_all.deb", NEW, GONE), (b"pool/b/x_1_all.deb", GONE, NEW)]
    assert files(b"", *moved, (b"pool/a/y_1_all.deb", NEW, object())) == []


@pytest.mark.parametrize(
    "name",
    [
        b"nova.deb",
        b"nova_1.deb",
        b"_1_all.deb",
        b"nova__all.deb",
        b"no va_1_all.deb",
        b"nova_1_all.deb\n",
        b"nova\n_1_all.deb",
        b"nova_\x1b[31m_all.deb",
        b"nova_1_\xff.deb",
        b"nova_1%3c_all.deb",
        b"-nova_1_all.deb",
        b"nova-1.noarch.rpm",
        b"nova-1-1.rpm",
        b"a" * 300 + b"_1_all.deb",
        b"a" * 100_000 + b"-1-1.noarch.rp",
    ],
)
def test_other_names_are_no_packages(name: bytes) -> None:
    assert files(b"", (b"pool/" + name, GONE, NEW)) == []


def test_a_prefix_that_no_screen_should_see() -> None:
    (row,) = package_changes({b"a\x1b\xff/": [told("x=1/all")]}, ()).packages
    assert row["repository"] == r"a\x1b\xff/bookworm"


@pytest.fixture
def changes() -> PackageChanges:
    notes = {
        b"apt/": [
            told("nova=2/all glance=1/amd64", "nova=1/all cinder=1/all"),
            {"snapshots": {"scope": "bookworm", "added": ["2026-11-21"], "removed": []}},
        ],
        b"rpm/": [told("nova=1-1/noarch", "nova=2-1/noarch", scope="")],
        b"old/": [{"snapshots": {"scope": "trixie", "added": [], "removed": ["x"]}}],
    }
    return package_changes(notes, ())


TEXT = """\
release: 1 added, 1 downgraded, 1 removed, 1 upgraded
from sha256:aa to sha256:bb

apt/bookworm: 1 added, 1 removed, 1 upgraded
  added       glance 1 (amd64)
  removed     cinder 1 (all)
  upgraded    nova 1 -> 2 (all)
  snapshot 2026-11-21 added

old/trixie: no package changed
  snapshot x removed

rpm: 1 downgraded
  downgraded  nova 2-1 -> 1-1 (noarch)
"""


def test_for_a_person(changes: PackageChanges) -> None:
    assert as_text(changes, "release", "sha256:aa", "sha256:bb") == TEXT
    nothing = as_text(PackageChanges([], []), "release", None, "sha256:bb")
    assert nothing == "release: no package changed\nfrom nothing to sha256:bb\n"


def validator() -> t.Any:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def written(folder: pathlib.Path) -> t.Any:
    return json.loads((folder / "packages.json").read_text(encoding="utf-8"))


def test_both_files_are_written(changes: PackageChanges, tmp_path: pathlib.Path) -> None:
    write_reports(str(tmp_path), changes, "release", None, "sha256:aa")
    write_reports(str(tmp_path), changes, "release", "sha256:aa", "sha256:bb")
    assert sorted(os.listdir(tmp_path)) == ["packages.json", "packages.txt"]
    assert (tmp_path / "packages.txt").read_text(encoding="utf-8") == TEXT
    report = written(tmp_path)
    validator().validate(report)
    assert report["packages"] == changes.packages
    assert report["counts"] == {"added": 1, "removed": 1, "upgraded": 1, "downgraded": 1}
    write_reports(str(tmp_path), PackageChanges([], []), "release", None, None)
    validator().validate(written(tmp_path))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("version",), 2),
        (("name",), ""),
        (("from",), 1),
        (("counts", "added"), -1),
        (("packages", 0, "change"), "moved"),
        (("packages", 0, "repository"), ""),
        (("packages", 0, "from"), None),  # the first one was removed
        (("packages", 0, "to"), "1"),
        (("packages", 0, "sha256"), "x"),
        (("snapshots", 0, "change"), "upgraded"),
        (("more",), 1),
    ],
)
def test_the_schema_refuses_what_is_not(
    changes: PackageChanges, tmp_path: pathlib.Path, place: tuple[t.Any, ...], value: t.Any
) -> None:
    write_reports(str(tmp_path), changes, "release", None, "sha256:aa")
    report = written(tmp_path)
    target = report
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        validator().validate(report)


def test_a_folder_that_is_not_there(changes: PackageChanges, tmp_path: pathlib.Path) -> None:
    with pytest.raises(DistrogateError, match="Make it first") as caught:
        write_reports(str(tmp_path / "missing"), changes, "release", None, None)
    assert caught.value.reason == "no_report_folder"
