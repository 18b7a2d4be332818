# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publishing: plans, conflicts, layers, transactions by id, check mode."""

from __future__ import annotations

import fcntl
import hashlib
import os
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages import _changes, _pool
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import KEY, Suite

Make = t.Callable[..., t.Any]


def tree(root: t.Any) -> dict[str, bytes]:
    return {
        os.path.relpath(os.path.join(folder, name), root): open(os.path.join(folder, name), "rb").read()
        for folder, _folders, names in os.walk(root)
        for name in names
        if name != "lock"
    }


def refused(reason: str) -> t.Any:
    return pytest.raises(DistrogateError, check=lambda error: error.reason == reason)


def test_publish_again_update_remove(suite: Suite, make: Make) -> None:
    first = make()
    result = suite(first)
    assert suite.changed
    assert [package["name"] for package in result["added"]] == ["nova"]
    assert result["serial"] == 1
    assert suite.names() == ["nova=1.0-1"]
    before = tree(suite.root)
    again = suite(first)
    assert not suite.changed
    assert [package["name"] for package in again["unchanged"]] == ["nova"]
    assert (again["serial"], again["release_sha256"]) == (1, result["release_sha256"])
    assert tree(suite.root) == before
    updated = suite(make(version="1.1-1"))
    assert updated["serial"] == 2
    assert updated["state_digest"] != result["state_digest"]
    assert suite.names() == ["nova=1.0-1", "nova=1.1-1"]
    removed = suite("nova=1.1-1", state="absent")
    assert [package["version"] for package in removed["removed"]] == ["1.1-1"]
    assert removed["state_digest"] == result["state_digest"]
    suite("nova=1.1-1", "missing", state="absent")
    assert not suite.changed


def test_an_empty_repository(suite: Suite) -> None:
    suite("nova", state="absent")
    assert not suite.changed
    assert not suite.root.exists()
    suite()
    assert suite.changed
    assert suite.names() == []
    suite()
    assert not suite.changed


def test_other_contents_are_refused(suite: Suite, make: Make) -> None:
    old = suite(make())["added"][0]["sha256"]
    before = tree(suite.root)
    with refused("content_conflict") as caught:
        suite(make(body=b"other"), make("other"))
    assert old in caught.value.message
    assert caught.value.details["offered_sha256"] in caught.value.message
    assert tree(suite.root) == before


def test_a_removed_name_comes_back_beside_its_old_file(suite: Suite, make: Make) -> None:
    """Slow readers still fetch the removed contents by their old name."""
    suite(make())
    suite("nova", state="absent")
    suite(make(body=b"other"))
    assert suite.names() == ["nova=1.0-1"]
    assert len(list((suite.root / "pool").rglob("*.deb"))) == 2


def test_digests_on_arrival(suite: Suite, make: Make) -> None:
    path = make()
    with refused("digest_mismatch"):
        suite(path, digests={path.name: "0" * 64})
    with refused("digest_mismatch"):
        suite(path, digests={"absent.deb": "0" * 64})
    assert not (suite.root / "dists").exists()


def test_generations_stay_for_slow_readers(suite: Suite, make: Make) -> None:
    suite(make())
    hashes = suite.root / "dists/bookworm/main/binary-amd64/by-hash/SHA256"
    old = set(os.listdir(hashes))
    for number in range(5):
        suite(make(version=f"2.{number}"))
        assert old <= set(os.listdir(hashes))
    suite(make(version="3"))
    assert not old & set(os.listdir(hashes))
    assert suite.text("dists/bookworm/Release.gpg")


def test_every_release_has_a_later_date(suite: Suite, make: Make) -> None:
    times = []
    for version in ("1", "2", "3"):
        suite(make(version=version))
        times.append((suite.root / "dists/bookworm/InRelease").stat().st_mtime)
    assert times[0] < times[1] < times[2]


def test_check_mode(suite: Suite, make: Make) -> None:
    path = make()
    predicted = suite(path, check=True)
    difference = suite.difference
    assert not suite.root.exists()
    done = suite(path)
    assert suite.difference == difference
    assert {**done, "release_sha256": None} == predicted
    before = tree(suite.root)
    suite("nova", state="absent", check=True)
    assert suite.changed
    assert suite.difference["before"]["packages"] == ["nova=1.0-1/all"]
    suite(make("glance"), state="prepared", transaction="a", check=True)
    assert suite.changed
    assert tree(suite.root) == before


def test_settings_and_architectures(suite: Suite, make: Make) -> None:
    suite(make(architecture="arm64"), origin="Distro", architectures=["amd64"])
    release = suite.text("dists/bookworm/Release")
    assert "Origin: Distro\n" in release
    assert "Architectures: amd64 arm64\n" in release
    suite()
    assert not suite.changed
    suite(label="New")
    assert suite.changed
    with refused("bad_name"):
        suite(origin="Distro\nSuite: forged")
    with refused("bad_name"):
        suite(suite="../x")


def test_damage_is_repaired(suite: Suite, make: Make) -> None:
    suite(make())
    (suite.root / "dists/bookworm/InRelease").write_text("broken")
    suite()
    assert suite.changed
    assert suite.names() == ["nova=1.0-1"]


def test_two_suites_share_a_root(suite: Suite, make: Make) -> None:
    suite(make())
    suite(make(body=b"for trixie"), suite="trixie")
    assert suite.names() == ["nova=1.0-1"]
    assert "SIGNED" in suite.text("dists/trixie/InRelease")


def test_layers(tmp_path: t.Any, make: Make) -> None:
    below, between, above = (Suite(tmp_path / name) for name in ("below", "between", "above"))
    below(make("glance"), make("nova", "0.9"))
    between(make("glance", body=b"newer"))
    layers = [{"name": name, "root": str(tmp_path / name)} for name in ("below", "between")]
    with refused("bad_layer"):
        above(layers=[{"name": "x", "root": str(tmp_path / "missing")}])
    with refused("bad_layer"):
        above(layers=[{"name": "../x", "root": str(tmp_path / "below")}])
    with refused("bad_layer"):
        above(layers=[{"name": "x", "root": str(tmp_path / "above")}])
    result = above(make(), layers=layers)
    assert above.names() == ["glance=1.0-1", "nova=0.9", "nova=1.0-1"]
    listed = above(make(), layers=layers, list_packages=True)["packages"]
    words = [f"{one['name']}={one['package_version']}/{one['architecture']}" for one in listed]
    assert words == ["glance=1.0-1/all", "nova=0.9/all", "nova=1.0-1/all"]
    assert listed[0]["sha256"] == hashlib.sha256(make("glance", body=b"newer").read_bytes()).hexdigest()
    assert "packages" not in result
    assert len(list((above.root / "pool").rglob("*.deb"))) == 1
    assert "Filename: layers/between/pool/main/g/glance_" in above.packages()
    above(make())
    assert not above.changed
    below(make("cinder"))
    assert above()["state_digest"] != result["state_digest"]
    assert above.changed
    above(layers=[])
    assert above.names() == ["nova=1.0-1"]


def test_prepare_and_commit(suite: Suite, make: Make) -> None:
    suite(make())
    old = suite.text("dists/bookworm/InRelease")
    prepared = suite(make("glance"), state="prepared", transaction="one")
    assert suite.changed
    assert suite.text("dists/bookworm/InRelease") == old
    suite(make("glance"), state="prepared", transaction="one")
    assert not suite.changed
    with refused("transaction_used"):
        suite(make("cinder"), state="prepared", transaction="one")
    with refused("reserved") as caught:
        suite(make("cinder"))
    assert "transaction one" in caught.value.message
    committed = suite(state="committed", transaction="one")
    assert suite.changed
    assert committed["added"] == prepared["added"]
    assert committed["serial"] == prepared["serial"] == 2
    assert committed["state_digest"] == prepared["state_digest"]
    assert suite.names() == ["glance=1.0-1", "nova=1.0-1"]
    suite(state="committed", transaction="one")
    assert not suite.changed
    suite(make("glance"), state="prepared", transaction="one")
    assert not suite.changed
    with refused("transaction_used"):
        suite(make("cinder"), transaction="one")


def test_prepare_and_undo(suite: Suite, make: Make) -> None:
    suite(make())
    before = {name: data for name, data in tree(suite.root).items() if not name.startswith(".distrogate")}
    suite(make("glance"), state="prepared", transaction="one")
    suite(state="undone", transaction="one")
    assert suite.changed
    suite(state="undone", transaction="one")
    assert not suite.changed
    assert {
        name: data for name, data in tree(suite.root).items() if not name.startswith(".distrogate")
    } == before
    with refused("transaction_used"):
        suite(state="committed", transaction="one")
    with refused("unknown_transaction"):
        suite(state="undone", transaction="two")
    suite(make("cinder"))
    assert suite.changed


def test_undo_what_was_committed(suite: Suite, make: Make) -> None:
    first = suite(make())
    suite(make("glance"), state="prepared", transaction="one")
    suite(state="committed", transaction="one")
    undone = suite(state="undone", transaction="one")
    assert undone["state_digest"] == first["state_digest"]
    assert undone["serial"] == 3
    assert suite.names() == ["nova=1.0-1"]
    suite(state="undone", transaction="one")
    assert not suite.changed
    suite("nova", state="absent", transaction="two")
    assert suite.names() == []
    suite(state="undone", transaction="two")
    assert suite.names() == ["nova=1.0-1"]


def test_only_the_latest_can_be_undone(suite: Suite, make: Make) -> None:
    suite(make(), transaction="one")
    suite(make("glance"))
    with refused("not_latest"):
        suite(state="undone", transaction="one")


def test_a_reservation_ends(suite: Suite, make: Make) -> None:
    suite(make(), state="prepared", transaction="one", ttl=0)
    suite(make("glance"))
    assert suite.names() == ["glance=1.0-1"]
    with refused("unknown_transaction"):
        suite(state="committed", transaction="one")


def test_nothing_to_do_can_be_prepared_too(suite: Suite, make: Make) -> None:
    suite(make())
    suite(make(), state="prepared", transaction="one")
    committed = suite(state="committed", transaction="one")
    assert committed["serial"] == 1
    suite(state="undone", transaction="one")
    assert suite.names() == ["nova=1.0-1"]


def test_a_waiter_says_who_holds_the_lock(suite: Suite, make: Make) -> None:
    suite(make())
    with open(suite.root / ".distrogate/lock", "r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with refused("lock_timeout") as caught:
            suite(make("glance"))
    assert str(os.getpid()) in caught.value.message


def test_a_file_that_changes_while_it_is_read(suite: Suite, make: Make, monkeypatch: t.Any) -> None:
    suite(make())
    before = tree(suite.root)
    monkeypatch.setattr(_pool, "sha256_file", lambda path: "0" * 64)
    with refused("package_changed"):
        suite(make("glance"))
    assert tree(suite.root) == before


def test_readers_are_other_users(suite: Suite, make: Make) -> None:
    mask = os.umask(0o077)
    try:
        suite(make())
    finally:
        os.umask(mask)
    for folder, _folders, names in os.walk(suite.root):
        if "transactions" not in folder:
            assert os.stat(folder).st_mode & 0o777 == 0o755
            assert all(
                os.stat(os.path.join(folder, name)).st_mode & 0o044 for name in names if name != "lock"
            )


def test_a_key_is_needed(suite: Suite, make: Make) -> None:
    with refused("no_signing_key"):
        suite(make(), signing_key=None)
    assert not suite.root.exists()
    suite(make(), signing_key=KEY)
    suite(make("glance"), signing_key=None)
    assert suite.names() == ["glance=1.0-1", "nova=1.0-1"]


def test_sources(suite: Suite, make: Make) -> None:
    text = suite(make(), url="https://example.org/r/")["sources"]
    head, _signed, armor = text.partition("Signed-By:\n")
    assert head == "Types: deb\nURIs: https://example.org/r\nSuites: bookworm\nComponents: main\n"
    assert armor == f" -----BEGIN-----\n .\n {KEY}\n -----END-----\n"
    with refused("bad_name"):
        suite(url="https://example.org/\nTypes: deb-src")


def test_many_packages_are_taken_in_parts(tmp_path: t.Any, make: Make, monkeypatch: t.Any) -> None:
    packages = [make(f"p{number}", version) for number in range(7) for version in ("10", "9")]
    whole, parts = Suite(tmp_path / "whole"), Suite(tmp_path / "parts")
    whole(*packages)
    monkeypatch.setattr(_changes, "_AT_ONCE", 3)
    result = parts(*reversed(packages))
    assert len(result["added"]) == 14
    assert parts.indexes() == whole.indexes()
    with refused("downgrade"):
        parts(make("p1", "8"))
