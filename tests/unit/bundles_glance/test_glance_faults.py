# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that end anywhere, files that are not what was said, and a cloud with others in it."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.unit.bundles_glance.glance_place import (
    Killed,
    MemoryGlance,
    Place,
)

UNREACHABLE = DistrogateError("cloud_unreachable", "Glance is away.")


def steps(place: Place, work: t.Callable[[], t.Any], ends: BaseException) -> t.Iterator[int]:
    """Let the work end after each number of answers, until it comes to its own end."""
    for number in itertools.count():
        place.glance.left, place.glance.ends = number, ends
        try:
            work()
            place.glance.left = None
            return
        except (Killed, DistrogateError):
            place.glance.left = None
            yield number


@pytest.mark.parametrize("ends", [Killed(), UNREACHABLE], ids=["killed", "away"])
@pytest.mark.parametrize("final", ["b", "c"])
def test_whenever_it_ends_the_next_run_finishes(
    tmp_path_factory: pytest.TempPathFactory, ends: BaseException, final: str
) -> None:
    ended = 0
    for number in range(40):
        place = Place(tmp_path_factory.mktemp("place"))
        place(place.artifact("a"))
        image = place.artifact("b")
        place.glance.left, place.glance.ends = number, ends
        try:
            place(image)
        except (Killed, DistrogateError):
            ended += 1
        place.glance.left = None
        assert place.glance.readers(), number
        moved = place.names().get("b") == "current"
        place(place.artifact(final))
        had = {"a"} if final == "b" else {"b"} if moved else {"a", "b"}  # b may have been decided already
        assert place.names() in [{one: "previous", final: "current"} for one in had], number
        assert all(one["status"] == "active" for one in place.glance.stored.values()), number
        if number + 1 > ended:
            assert ended > 8, "it was not ended often enough"
            return
    raise AssertionError("it never came to its own end")


def test_it_goes_on_with_what_is_brought(place: Place) -> None:
    """The upload was whole, so it is not sent again."""
    place(place.artifact("a"))
    image, sent = place.artifact("b"), 0
    for _number in steps(place, lambda: place(image), Killed()):
        whole = [one for one in place.glance.stored.values() if one["status"] == "active"]
        sent = max(sent, len(whole))
    assert sent == 2 and place.names() == {"a": "previous", "b": "current"}


def test_prepared_and_killed_while_names_move(place: Place) -> None:
    place(place.artifact("a"))
    place(place.artifact("b"), state="prepared", transaction="one")
    ended = list(steps(place, lambda: place(state="committed", transaction="one"), Killed()))
    assert len(ended) > 3 and place.names() == {"a": "previous", "b": "current"}


def test_undone_while_names_move(tmp_path_factory: pytest.TempPathFactory) -> None:
    for number in range(1, 12):
        place = Place(tmp_path_factory.mktemp("place"))
        place(place.artifact("a"))
        place(place.artifact("b"), state="prepared", transaction="one")
        place.glance.left = number
        try:
            place(state="committed", transaction="one")
        except Killed:
            place.glance.left = None
            place(state="undone", transaction="one")
            assert place.names()["a"] == "current" and place.names().get("b", "hidden") == "hidden", number
            place(place.artifact("c"))
            assert place.names()["c"] == "current"


def test_another_file_than_the_bundle_says(place: Place) -> None:
    place(place.artifact("a"))
    image = place.artifact("b")
    (place.incoming / "b.raw").write_bytes(b"something else")
    error = place.refused({**image, "size": None})
    assert error.reason == "digest_mismatch" and image["sha256"] in error.message
    assert place.names() == {"a": "current"}


def test_glance_has_something_else(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place(place.artifact("a"))
    whole = MemoryGlance.upload

    def damaged(self: MemoryGlance, identifier: str, data: t.Iterable[bytes], seconds: float) -> None:
        whole(self, identifier, (block[:-1] for block in data), seconds)

    monkeypatch.setattr(MemoryGlance, "upload", damaged)
    assert place.refused(place.artifact("b")).reason == "upload_damaged"
    assert place.names() == {"a": "current"}


@pytest.mark.parametrize("said", [{"os_hash_value": None}, {"os_hash_algo": "rot13"}])
def test_a_glance_that_tells_no_digest(
    place: Place, monkeypatch: pytest.MonkeyPatch, said: dict[str, t.Any]
) -> None:
    whole = MemoryGlance.upload

    def upload(self: MemoryGlance, identifier: str, data: t.Iterable[bytes], seconds: float) -> None:
        whole(self, identifier, data, seconds)
        self.stored[identifier].update(said)

    monkeypatch.setattr(MemoryGlance, "upload", upload)
    assert place.refused(place.artifact("a")).reason == "unverified"
    assert not place.glance.stored


def test_another_hosts_upload_is_left_alone_unless_it_is_old(place: Place) -> None:
    values = {
        "distrogate_name": "img",
        "distrogate_state": "incoming",
        "distrogate_writer": "another",
        "os_hidden": True,
    }
    stored = place.glance.create({**values, "distrogate_key": place.artifact("b")["key"]})["id"]
    place(place.artifact("a"))
    assert stored in place.glance.stored
    place.glance.stored[stored]["updated_at"] = "2026-01-01T00:00:00Z"
    place(place.artifact("a"))
    assert stored not in place.glance.stored


def test_images_of_others_with_our_properties(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a cloud's filter lets through."""
    place.glance.create({"distrogate_name": "other", "status": "active", "os_hidden": False})
    monkeypatch.setattr(place.glance, "images", lambda **_wanted: list(place.glance.stored.values()))
    place(place.artifact("a"))
    assert len(place.glance.stored) == 2


def test_an_upload_that_takes_too_long(place: Place) -> None:
    error = place.refused(place.artifact("a"), upload_timeout=0)
    assert error.reason == "timeout" and "upload_timeout" in error.message
    assert not place.glance.stored
