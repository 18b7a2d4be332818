# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pins and journal records, on every backend."""

from __future__ import annotations

import time

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._journal import Journal
from ansible_collections.distrogate.ci.plugins.module_utils._core._pins import Pins
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store


def test_a_thing_is_held_until_its_last_holder_lets_go(store: Store) -> None:
    pins = Pins(store, "snapshot")
    pins.add("/srv/a", "run/1")
    pins.add("/srv/a", "run/2")
    pins.add("/srv/a", "run/2")
    pins.add("/srv/a/b", "run/3")
    assert pins.holders("/srv/a") == ["run/1", "run/2"]
    assert pins.things() == {"/srv/a": ["run/1", "run/2"], "/srv/a/b": ["run/3"]}
    assert Pins(store, "snap").things() == {}
    assert pins.remove("/srv/a", "run/1")
    assert not pins.remove("/srv/a", "run/1")
    assert pins.holders("/srv/a") == ["run/2"]


def test_a_pin_with_a_ttl_ends_by_itself(store: Store) -> None:
    pins = Pins(store, "image")
    pins.add("sha256:00", "lease-1", ttl=2)
    assert pins.holders("sha256:00") == ["lease-1"]
    # A backend may let it live longer: etcd's shortest lease is of two seconds.
    deadline = time.monotonic() + 60
    while pins.holders("sha256:00"):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_an_unfinished_record_is_found_and_continued(store: Store) -> None:
    journal = Journal(store, "promotion")
    journal.begin("stable/1", {"to": "x"})
    journal.step("stable/1", "prepared", host="one")
    again = Journal(store, "promotion").begin("stable/1", {"to": "x"})
    assert [step["step"] for step in again["steps"]] == ["prepared"]
    assert [record["id"] for record in journal.open()] == ["stable/1"]
    assert Journal(store, "sync").open() == []
    with pytest.raises(DistrogateError) as error:
        journal.begin("stable/1", {"to": "y"})
    assert error.value.reason == "journal_open"
    journal.end("stable/1")
    journal.end("stable/1")
    assert journal.open() == []
    assert journal.get("stable/1") is None
    with pytest.raises(DistrogateError) as error:
        journal.step("stable/1", "committed")
    assert error.value.reason == "journal_closed"
