# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One key follows another, and snapshots follow the key."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import KEY, Suite

Make = t.Callable[..., t.Any]
OTHER = "F" * 40


def refused(reason: str) -> t.Any:
    return pytest.raises(DistrogateError, check=lambda error: error.reason == reason)


def test_keys_follow_each_other(suite: Suite, make: Make) -> None:
    suite(make())
    with refused("key_change"):
        suite(signing_key=OTHER)
    suite(overlap_key=OTHER, overlap_until="2999-01-01")
    assert f"{KEY} {OTHER}" in suite.text("key.asc")
    suite(make("glance"), signing_key=None)
    assert f"{KEY} {OTHER}" in suite.text("key.asc")
    suite(signing_key=OTHER, overlap_key="")
    assert KEY not in suite.text("key.asc")
    suite(signing_key=KEY, allow_key_change=True)
    assert OTHER not in suite.text("key.asc")


def test_an_overlap_ends(suite: Suite, make: Make) -> None:
    suite(make(), overlap_key=OTHER, overlap_until="2001-01-01T00:00:00Z")
    assert OTHER not in suite.text("key.asc")
    with refused("bad_name"):
        suite(overlap_until="soon")


def test_another_overlap_has_its_own_end(suite: Suite, make: Make) -> None:
    suite(make(), overlap_key=OTHER, overlap_until="2999-01-01")
    path = suite.root / ".distrogate/state.json"
    state = json.loads(path.read_text())
    state["scopes"]["bookworm"]["settings"]["overlap_until"] = 1
    path.write_text(json.dumps(state))
    suite(overlap_key="E" * 40)
    assert suite.text("key.asc").splitlines()[2] == f"{KEY} {'E' * 40}"
    suite(overlap_key="E" * 40, overlap_until="2001-01-01")
    assert suite.text("key.asc").splitlines()[2] == KEY


def test_a_snapshot_follows_the_key(suite: Suite, make: Make) -> None:
    suite(make(), snapshot="monday")
    suite(make("glance"), suite="trixie", snapshot="monday")
    ours, other = (f"dists/{name}/snapshots/monday" for name in ("bookworm", "trixie"))
    release = suite.text(f"{ours}/InRelease")
    suite(signing_key=OTHER, overlap_key=KEY)
    assert suite.text(f"{ours}/Release.gpg").split()[1:] == [OTHER, KEY]
    suite(make("cinder"), signing_key=OTHER, overlap_key="")
    assert suite.text(f"{ours}/Release.gpg").split()[1:] == [OTHER]
    assert suite.text(f"{other}/Release.gpg").split()[1:] == [KEY]
    assert suite.text(f"{ours}/InRelease") == release
    assert suite.names(ours) == ["nova=1.0-1"]
    suite(snapshot="monday", state="absent", keep=0, signing_key=OTHER)
    assert not (suite.root / ours / "Release").exists()
