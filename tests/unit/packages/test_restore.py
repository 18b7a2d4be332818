# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kept state's packages are published again: exactly those, or nothing with the reason."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import Suite

Make = t.Callable[..., t.Any]
RELEASE = {"transaction": "back"}


@pytest.fixture
def kept(suite: Suite, make: Make) -> Suite:
    """The snapshot ``first`` has nova=1.0-1 and glance; live are nova=2, another glance, and keystone."""
    suite(make(), make("glance"), snapshot="first")
    suite("glance", state="absent")
    suite(make(version="2"), make("glance", body=b"y", version="1.0-2"), make("keystone"), keep_versions=1)
    assert suite.names() == ["glance=1.0-2", "keystone=1.0-1", "nova=2"]
    return suite


FIRST = ["glance=1.0-1", "nova=1.0-1"]


def digest_of(suite: Suite) -> str:
    return str(suite()["snapshots"][0]["state_digest"])


@pytest.mark.parametrize("by", ["name", "digest", "hexadecimal"])
def test_exactly_its_packages(kept: Suite, by: str) -> None:
    digest = digest_of(kept)
    wanted = {"name": "first", "digest": digest, "hexadecimal": digest.partition(":")[2]}[by]
    before = kept()
    predicted = kept(restore=wanted, check=True)
    expected = kept.difference
    assert kept.names() != FIRST
    result = kept(restore=wanted)
    assert kept.difference == expected
    assert kept.names() == FIRST
    assert result["state_digest"] == predicted["state_digest"] == digest
    assert result["serial"] == predicted["serial"] == before["serial"] + 1
    assert [one["version"] for one in result["added"]] == ["1.0-1", "1.0-1"]
    assert sorted(one["name"] for one in result["removed"]) == ["glance", "keystone", "nova"]
    assert kept.difference["after"]["packages"] == ["glance=1.0-1/all", "nova=1.0-1/all"]
    again = kept(restore=wanted)
    assert not kept.changed
    assert again["serial"] == result["serial"]


def test_a_date_of_its_own(kept: Suite) -> None:
    kept(restore="first")
    snapshot = kept.text("dists/bookworm/snapshots/first/InRelease")
    assert kept.text("dists/bookworm/InRelease") != snapshot


def test_other_contents_under_one_version(suite: Suite, make: Make) -> None:
    suite(make(body=b"one"), snapshot="one")
    suite("nova", state="absent")
    suite(make(body=b"two"))
    result = suite(restore="one", **RELEASE)
    assert len(result["added"]) == len(result["removed"]) == 1
    assert suite.names() == ["nova=1.0-1"]
    suite(state="undone", **RELEASE)
    assert suite.names() == ["nova=1.0-1"]
    assert suite()["state_digest"] != result["state_digest"]


def test_many_chunks(suite: Suite, make: Make) -> None:
    suite(*(make(f"package-{number}") for number in range(300)), snapshot="all")
    suite(*(f"package-{number}" for number in range(0, 300, 7)), state="absent")
    suite(make("package-8", version="9"))
    result = suite(restore="all")
    assert len(result["added"]) == 43
    assert [one["version"] for one in result["removed"]] == ["9"]
    assert len(suite.names()) == 300
    assert result["state_digest"] == result["snapshots"][0]["state_digest"]


def test_it_is_undone(kept: Suite) -> None:
    live = kept.names()
    kept(restore="first", **RELEASE)
    assert kept.names() == FIRST
    kept(state="undone", **RELEASE)
    assert kept.names() == live


@pytest.mark.parametrize("end", ["committed", "undone"])
def test_prepared(kept: Suite, end: str) -> None:
    live, digest = kept.names(), digest_of(kept)
    prepared = kept(restore="first", state="prepared", **RELEASE)
    assert kept.changed and kept.names() == live
    assert kept(restore=digest, state="prepared", **RELEASE)["added"] == prepared["added"]
    assert not kept.changed
    with pytest.raises(DistrogateError, match="other packages") as caught:
        kept(state="prepared", **RELEASE)
    assert caught.value.reason == "transaction_used"
    ended = kept(restore="first", state=end, **RELEASE)
    assert kept.changed
    assert kept.names() == (FIRST if end == "committed" else live)
    kept(restore="first", state=end, **RELEASE)
    assert not kept.changed
    if end == "committed":
        assert ended["added"] == prepared["added"] and ended["serial"] == prepared["serial"]
        kept(restore="first", state="prepared", **RELEASE)
        assert not kept.changed


def test_prepared_again_after_another_publish(kept: Suite, make: Make) -> None:
    kept(restore="first", **RELEASE)
    kept(make("neutron"))
    with pytest.raises(DistrogateError) as caught:
        kept(restore="first", state="prepared", **RELEASE)
    assert caught.value.reason == "transaction_used"


def test_what_is_published_is_no_change_without_a_snapshot(kept: Suite) -> None:
    digest = digest_of(kept)
    kept(restore="first")
    kept(state="absent", snapshot="first")
    kept(restore=digest)
    assert not kept.changed


@pytest.mark.parametrize("wanted", ["other", "../first", "sha256:" + "0" * 64, "now"])
def test_a_snapshot_that_is_gone(kept: Suite, wanted: str) -> None:
    live = kept.names()
    with pytest.raises(DistrogateError, match="keeps no snapshot") as caught:
        kept(restore=wanted)
    assert caught.value.reason == "unknown_snapshot"
    assert caught.value.details["snapshots"] == ["first"]
    assert kept.names() == live


def _away(path: pathlib.Path) -> None:
    path.unlink()


def _short(path: pathlib.Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"x")


def _link(path: pathlib.Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize("spoil", [_away, _short, _link])
@pytest.mark.parametrize("check", [True, False])
def test_a_package_that_is_gone(kept: Suite, spoil: t.Callable[[pathlib.Path], None], check: bool) -> None:
    live = kept.names()
    (path,) = (kept.root / "pool").rglob("glance_1.0-1_all.deb")
    spoil(path)
    with pytest.raises(DistrogateError, match=r"glance=1\.0-1/all") as caught:
        kept(restore="first", check=check)
    assert caught.value.reason == "package_gone"
    assert kept.names() == live


@pytest.mark.parametrize(
    "more", [{"state": "absent"}, {"digests": {"x": "0"}}, {"layers": [{"name": "x", "root": "/x"}]}]
)
def test_it_stands_alone(kept: Suite, make: Make, more: dict[str, t.Any]) -> None:
    for given in ([], [make("neutron")]) if "state" not in more else ([],):
        options = more if not given else {}
        with pytest.raises(DistrogateError) as caught:
            kept(*given, restore="first", **options)
        assert caught.value.reason == "bad_restore"


def test_contents_fit_the_settings(suite: Suite, make: Make) -> None:
    suite(make(), snapshot="first")
    suite("nova", state="absent")
    suite(make(version="2"), contents=True)
    suite(restore="first")
    (contents,) = (text for name, text in suite.indexes().items() if "Contents" in name)
    assert contents.split() == [b"usr/share/x", b"nova"]
    suite(restore="first", contents=False)
    assert suite.changed and not [name for name in suite.indexes() if "Contents" in name]
    assert suite.names() == ["nova=1.0-1"]


def test_architectures_and_components_of_what_comes_back(suite: Suite, make: Make) -> None:
    suite(make(architecture="arm64"), component="extra", architectures=["amd64", "arm64"], snapshot="first")
    suite("nova", component="extra", state="absent")
    suite(make("glance"), architectures=["amd64"])
    suite(restore="first")
    assert suite.names() == ["nova=1.0-1"]


def test_layers_go(suite: Suite, make: Make, tmp_path: pathlib.Path) -> None:
    suite(make(), snapshot="first")
    below = Suite(tmp_path / "below")
    below(make("glance"))
    suite(layers=[{"name": "below", "root": str(tmp_path / "below")}])
    assert suite.names() == ["glance=1.0-1", "nova=1.0-1"]
    suite(restore="first")
    assert suite.names() == ["nova=1.0-1"]


def test_the_snapshot_stays_and_another_may_come(kept: Suite) -> None:
    digest = digest_of(kept)
    kept(snapshot="second")
    result = kept(restore=digest, snapshot="third", keep_snapshots=1, keep_snapshots_seconds=-1)
    assert [row["name"] for row in result["snapshots"]] == ["third", "first"]
