# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images in Glance: names move when the new one is whole, old ones are hidden and go in time."""

from __future__ import annotations

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_images import identity_of
from ansible_collections.distrogate.ci.tests.unit.bundles_glance.glance_place import Place

RELEASE = {"transaction": "release"}


def test_published_as_predicted_and_once(place: Place) -> None:
    image = place.artifact("a", commits={"openstack/nova": "1" * 40})
    predicted = place(image, version="1.0.0", check=True)
    expected = place.difference
    assert place.changed and not place.glance.stored and not place.state.exists()
    result = place(image, version="1.0.0")
    assert place.difference == expected
    (row,) = result["published"]
    assert {**row, "image": "", "address": f"{place.glance.url}/images/"} == predicted["published"][0]
    assert {**result, "published": 0} == {**predicted, "published": 0}
    stored = place.glance.stored[row["image"]]
    assert stored["distrogate_key"] == image["key"] == result["state_digest"]
    assert stored["distrogate_sha256"] == image["sha256"]
    assert stored["distrogate_commits"] == '{"openstack/nova":"' + "1" * 40 + '"}'
    assert stored["tags"] == ["1.0.0"] and stored["visibility"] == "private"
    assert place(image, version="1.0.0") == result and not place.changed


def test_the_channel_moves_old_ones_hide_and_go(place: Place) -> None:
    for word in "abc":
        place(place.artifact(word), keep=2)
    assert place.names() == {"a": "hidden", "b": "previous", "c": "current"}
    result = place(place.artifact("d"), keep=2)
    assert place.names() == {"a": "hidden", "b": "hidden", "c": "previous", "d": "current"}
    assert result["removed"] == [] and result["previous"] == place.artifact("c")["key"]
    result = place(place.artifact("e"), keep=2)
    assert result["removed"] == [place.artifact("a")["key"]]
    assert place.names() == {"b": "hidden", "c": "hidden", "d": "previous", "e": "current"}
    place(place.artifact("e"), keep=2)
    assert not place.changed


def test_a_reader_always_finds_one_and_the_newest_is_known(place: Place) -> None:
    for word in "abc":
        place(place.artifact(word))
    assert all(place.glance.seen), "never none"
    newest = [found[-1] for found in place.glance.seen]
    order = sorted(set(newest), key=newest.index)
    assert [len(found) for found in place.glance.seen if len(found) > 2] == []
    assert len(order) == 3 and newest == sorted(newest, key=order.index), "never back to an older one"


def test_what_a_machine_uses_stays_until_it_does_not(place: Place) -> None:
    first = place(place.artifact("a"))["published"][0]["image"]
    place.glance.used.add(first)
    place(place.artifact("b"))
    assert place(place.artifact("c"))["left"] == [first]
    assert place(place.artifact("c"))["left"] == [first]
    place.glance.used.clear()
    assert place(place.artifact("c"))["left"] == [] and first not in place.glance.stored


def test_going_back_needs_no_file(place: Place) -> None:
    first = place.artifact("a")
    place(first)
    place(place.artifact("b"))
    (place.incoming / "a.raw").unlink()
    place(first, incoming=None)
    assert place.names() == {"a": "current", "b": "previous"}
    place(place.artifact("c"))
    place(place.artifact("d"))
    assert place.refused(first, incoming=None).reason == "artifact_missing"
    assert place.names() == {"c": "previous", "d": "current"}


def test_versions_never_move_and_keep_their_images(place: Place) -> None:
    place(place.artifact("a"), version="1.0.0")
    assert place.refused(place.artifact("b"), version="1.0.0").reason == "tag_taken"
    for number, word in enumerate("bcd"):
        place(place.artifact(word), version=f"{number + 2}.0.0", keep_versions=3)
    assert place.names() == {"b": "hidden", "c": "previous", "d": "current"}


def test_tags_of_others_stay(place: Place) -> None:
    image = place.artifact("a")
    stored = place.glance.stored[place(image, version="1.0.0")["published"][0]["image"]]
    stored["tags"] = ["1.0.0", "golden"]
    place(image, version="2.0.0")
    assert stored["tags"] == ["1.0.0", "2.0.0", "golden"]


def test_properties_that_somebody_changed_are_mended(place: Place) -> None:
    image = place.artifact("a")
    options = {"properties": {"hw_disk_bus": "scsi"}, "min_disk": 2}
    stored = place.glance.stored[place(image, **options)["published"][0]["image"]]
    stored.update(hw_disk_bus="ide", os_hidden=True)
    place(image, **options)
    assert (stored["hw_disk_bus"], stored["os_hidden"], stored["min_disk"]) == ("scsi", False, 2)
    assert place.difference["after"]["properties"][identity_of(stored)] == ["hw_disk_bus", "os_hidden"]


def test_one_key_never_becomes_something_else(place: Place) -> None:
    image = place.artifact("a")
    place(image)
    other = {**place.artifact("b"), "key": image["key"]}
    assert place.refused(other).reason == "key_taken"
    assert place.names() == {"a": "current"}


def test_another_channel(place: Place) -> None:
    place(place.artifact("a"), channel="stable")
    place(place.artifact("b"))
    place(place.artifact("c"))
    assert place.glance.readers("stable")[0].startswith("img-")
    assert place.names() == {"a": "listed", "b": "previous", "c": "current"}


def test_two_hosts_know_the_same(place: Place, tmp_path: object) -> None:
    """What is published is known from Glance alone."""
    place(place.artifact("a"))
    place.state = place.state.with_name("elsewhere")
    place(place.artifact("b"))
    place.state = place.state.with_name("state")
    place(place.artifact("c"))
    assert place.names() == {"b": "previous", "c": "current"}


def test_prepared_is_unseen_until_it_is_committed(place: Place) -> None:
    place(place.artifact("a"))
    result = place(place.artifact("b"), state="prepared", **RELEASE)
    assert place.names() == {"a": "current", "b": "hidden"}
    again = place(place.artifact("b"), state="prepared", **RELEASE)
    assert again == result and not place.changed
    assert place.refused(place.artifact("c")).reason == "reserved"
    committed = place(state="committed", **RELEASE)
    assert committed == result and place.names() == {"a": "previous", "b": "current"}
    place(state="committed", **RELEASE)
    assert not place.changed


def test_undone_before_and_after_it_was_committed(place: Place) -> None:
    place(place.artifact("a"))
    place(place.artifact("b"), state="prepared", **RELEASE)
    place(state="undone", **RELEASE)
    assert place.names() == {"a": "current"}
    place(place.artifact("b"), state="prepared", transaction="second")
    place(state="committed", transaction="second")
    place(state="undone", transaction="second")
    assert place.names() == {"a": "current"}, "and nothing names it any more"
    assert place.refused(state="committed", transaction="third").reason == "unknown_transaction"


@pytest.mark.parametrize(
    ("artifact", "options", "reason"),
    [
        ({"name": "a.qcow2", "format": "qcow2"}, {}, "artifact_missing"),
        ({"key": "../../etc"}, {}, "bad_name"),
        ({"sha256": "x"}, {}, "bad_artifact"),
        ({"path": "../state"}, {}, "bad_name"),
        ({}, {"name": "a/b"}, "bad_name"),
        ({}, {"channel": "Latest"}, "bad_name"),
        ({}, {"channel": None}, "bad_name"),
        ({}, {"properties": {"distrogate_key": "x"}}, "bad_option"),
        ({}, {"properties": {"owner": "x"}}, "bad_option"),
        ({}, {"incoming": None}, "artifact_missing"),
    ],
)
def test_what_is_refused(
    place: Place, artifact: dict[str, str], options: dict[str, str], reason: str
) -> None:
    error = place.refused({**place.artifact("a"), **artifact}, **options)
    assert error.reason == reason, error.message
    assert not place.glance.stored
