# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release repository asks for: versions, retention, snapshots, bundles."""

from __future__ import annotations

import json
import os
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sha256_file
from ansible_collections.distrogate.ci.plugins.module_utils._core._seal import bundle_digest
from ansible_collections.distrogate.ci.plugins.module_utils._packages._collect import collect
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import Suite

Make = t.Callable[..., t.Any]


def refused(reason: str) -> t.Any:
    return pytest.raises(DistrogateError, check=lambda error: error.reason == reason)


def pool(suite: Suite) -> list[str]:
    return sorted(path.name for path in (suite.root / "pool").rglob("*.deb"))


def test_a_lower_version_is_refused(suite: Suite, make: Make) -> None:
    suite(make(version="1:1.0-1"))
    with refused("downgrade") as caught:
        suite(make(version="2.0-1"))
    assert "1:1.0-1" in caught.value.message
    suite(make(version="2.0-1"), allow_downgrade=True)
    assert suite.names() == ["nova=1:1.0-1", "nova=2.0-1"]
    suite(make(version="1:1.0~rc1", architecture="arm64"))  # the first of its architecture


def test_the_newest_versions_stay(suite: Suite, make: Make) -> None:
    suite(make(version="1"), make(version="9"), make(version="10"), make("glance", "1"))
    suite(keep_versions=2)
    assert suite.changed
    assert suite.difference["before"]["packages"] == ["nova=1/all"]
    assert suite.names() == ["glance=1", "nova=10", "nova=9"]
    result = suite(make(version="11"))
    assert [one["version"] for one in result["removed"]] == ["9"]
    suite(make(version="12", architecture="arm64"))
    assert suite.names().count("nova=12") == 1
    suite()
    assert not suite.changed


def test_garbage_goes_when_nothing_names_it(suite: Suite, make: Make) -> None:
    first = make()
    digest = sha256_file(str(first))
    suite(first)
    suite("nova", state="absent")
    assert pool(suite) == ["nova_1.0-1_all.deb"]
    suite(make("cinder"), keep=0, pinned=[digest])
    assert pool(suite) == ["cinder_1.0-1_all.deb", "nova_1.0-1_all.deb"]
    suite(make("glance"), keep=0)
    assert pool(suite) == ["cinder_1.0-1_all.deb", "glance_1.0-1_all.deb"]
    hashes = os.listdir(suite.root / "dists/bookworm/main/binary-amd64/by-hash/SHA256")
    assert len(hashes) == 1
    assert len(os.listdir(suite.root / ".distrogate/chunks")) == sum(
        len(refs)
        for scope in json.loads(suite.text(".distrogate/state.json"))["scopes"].values()
        for refs in scope["tables"].values()
    )


def test_garbage_stays_for_its_time(suite: Suite, make: Make) -> None:
    suite(make())
    suite("nova", state="absent", keep_seconds=3600)
    for number in range(7):
        suite(make("cinder", str(number)), keep=0, keep_seconds=3600)
    assert "nova_1.0-1_all.deb" in pool(suite)


def test_the_janitor_collects(suite: Suite, make: Make) -> None:
    package = make()
    suite(package, transaction="one")
    suite("nova", state="absent", transaction="two")
    root, digest = str(suite.root), sha256_file(str(package))
    assert collect(root, 1, [], 1, check_mode=False) == []
    predicted = collect(root, -1, [], 1, check_mode=True)
    assert predicted == collect(root, -1, [], 1, check_mode=False)
    assert predicted[0]["files"] > 1
    assert pool(suite) == ["nova_1.0-1_all.deb"]  # the last transaction can still be undone
    suite(make("glance"))
    collect(root, -1, [digest], 1, check_mode=False)
    assert len(pool(suite)) == 2
    collect(root, -1, [], 1, check_mode=False)
    assert pool(suite) == ["glance_1.0-1_all.deb"]
    assert suite.names() == ["glance=1.0-1"]
    assert collect(root, -1, [], 1, check_mode=False) == []
    assert collect(root + "/missing", -1, [], 1, check_mode=False) == []


def test_two_suites_keep_a_file_that_one_drops(suite: Suite, make: Make) -> None:
    package = make()
    suite(package)
    suite(package, suite="trixie")
    suite("nova", state="absent", keep=0)
    suite("x", state="absent", suite="trixie", keep=0)
    assert pool(suite) == ["nova_1.0-1_all.deb"]
    suite("nova", state="absent", suite="trixie", keep=0)
    assert pool(suite) == []


def test_snapshots(suite: Suite, make: Make) -> None:
    first = suite(make(), snapshot="monday")
    base = "dists/bookworm/snapshots/monday"
    assert first["snapshot_sources"].splitlines()[2] == "Suites: bookworm/snapshots/monday"
    assert suite.names(base) == ["nova=1.0-1"]
    suite(make(), snapshot="monday")
    assert not suite.changed
    before = {path: path.read_bytes() for path in (suite.root / base).rglob("*") if path.is_file()}
    with refused("snapshot_exists"):
        suite(make("glance"), snapshot="monday")
    suite(make("glance"))
    suite("nova", state="absent", keep=0)
    assert suite.names() == ["glance=1.0-1"]
    assert suite.names(base) == ["nova=1.0-1"]
    assert before == {path: path.read_bytes() for path in (suite.root / base).rglob("*") if path.is_file()}
    with refused("immutable"):
        suite(make("cinder"), suite="bookworm/snapshots/monday")
    suite(snapshot="monday", state="absent", keep=0)
    assert suite.changed
    assert pool(suite) == ["glance_1.0-1_all.deb"]
    assert not [path for path in (suite.root / base).rglob("*") if path.is_file()]
    suite(snapshot="monday", state="absent")
    assert not suite.changed


def test_a_snapshot_of_layers_is_refused(tmp_path: t.Any, make: Make) -> None:
    below, above = Suite(tmp_path / "below"), Suite(tmp_path / "above")
    below(make())
    with refused("snapshot_of_layers"):
        above(layers=[{"name": "below", "root": str(below.root)}], snapshot="x")


def test_says_what_comes_from_which_layer(tmp_path: t.Any, make: Make) -> None:
    below, above = Suite(tmp_path / "below"), Suite(tmp_path / "above")
    below(make(), make("glance"))
    layers = [{"name": "4710", "root": str(below.root)}]
    result = above(make(), layers=layers)
    assert result["layers"] == [{**layers[0], "packages": ["glance=1.0-1/all"]}]


def test_valid_until(suite: Suite, make: Make, monkeypatch: t.Any) -> None:
    suite(make(), valid_for=1000)
    assert "\nValid-Until: " in suite.text("dists/bookworm/InRelease")
    suite()
    assert not suite.changed
    state = suite.root / ".distrogate/state.json"
    raw = json.loads(state.read_text())
    raw["scopes"]["bookworm"]["moment"] -= 600
    raw["scopes"]["bookworm"]["valid_until"] -= 600
    state.write_text(json.dumps(raw))
    suite()
    assert suite.difference["before"]["valid_until"] == "near"
    suite()
    assert not suite.changed
    suite(valid_for=0)
    assert "Valid-Until" not in suite.text("dists/bookworm/InRelease")


def test_bundles_only(suite: Suite, make: Make) -> None:
    nova, glance = make(), make("glance")
    bundle: dict[str, t.Any] = {
        "version": 1,
        "artifacts": [{"type": "deb", "name": nova.name, "path": "x", "sha256": sha256_file(str(nova))}],
        "inputs": {},
    }
    bundle["digest"] = bundle_digest(bundle)
    suite(require_bundle=True)
    with refused("bundle_required"):
        suite(nova)
    with refused("not_in_bundle"):
        suite(nova, glance, bundle=json.dumps(bundle))
    with refused("bad_bundle"):
        suite(nova, bundle=json.dumps({**bundle, "inputs": {"more": 1}}))
    suite(nova, bundle=json.dumps(bundle))
    assert suite.names() == ["nova=1.0-1"]
    suite("nova", state="absent")
    suite(glance, require_bundle=False)
    assert suite.names() == ["glance=1.0-1"]


def test_index_sizes_in_the_difference(suite: Suite, make: Make) -> None:
    suite(make(), check=True)
    predicted = suite.difference["after"]["index_bytes"]
    suite(make())
    path = suite.root / "dists/bookworm/main/binary-amd64/Packages.gz"
    assert predicted == {"main/binary-amd64/Packages": path.stat().st_size}
