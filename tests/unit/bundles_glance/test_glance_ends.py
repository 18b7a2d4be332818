# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Glance refuses, what somebody removed or withdrew, and hosts that come back late.

Glance is a stand-in here; tests/real has the real one.
"""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_login import connect
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_options import GLANCE_SPEC
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.unit.bundles_glance.glance_place import Killed, Place

ONE = {"transaction": "one"}


def killed(place: Place, changes: int) -> None:
    """Commit, and die after so many changes."""
    place.glance.patches = changes
    with pytest.raises(Killed):
        place(state="committed", **ONE)


def test_a_refused_change_blocks_nobody(place: Place) -> None:
    place(place.artifact("a"))
    image = place.artifact("b")
    place.glance.refuses.add(image["key"])
    error = place.refused(image)
    assert error.reason == "cloud_refused" and "No name has moved" in error.message
    place(place.artifact("c"))
    assert place.names() == {"a": "previous", "c": "current"}


@pytest.mark.parametrize("end", ["undone", "committed"])
def test_a_refused_commit_may_be_tried_again_or_undone(place: Place, end: str) -> None:
    place(place.artifact("a"))
    image = place.artifact("b")
    place(image, state="prepared", **ONE)
    place.glance.refuses.add(image["key"])
    assert place.refused(state="committed", **ONE).reason == "cloud_refused"
    assert place.refused(place.artifact("c")).reason == "reserved", "it waits as before, and not for ever"
    if end == "committed":
        place.glance.refuses.clear()
    place(state=end, **ONE)
    assert place.names() == ({"a": "current"} if end == "undone" else {"a": "previous", "b": "current"})


def test_killed_before_a_change_that_is_refused(place: Place) -> None:
    place(place.artifact("a"))
    image = place.artifact("b")
    place(image, state="prepared", **ONE)
    killed(place, 0)
    place.glance.refuses.add(image["key"])
    place(place.artifact("c"))
    assert place.names() == {"a": "previous", "c": "current"}


CHANGES = [None, 0, 1, 2]  # that were made when the commit was killed; None: it had not begun


def begun(place: Place, changes: int | None) -> None:
    """The channel has a, and had f before; its next image is b, which has got so far."""
    for word in "fa":
        place(place.artifact(word))
    place(place.artifact("b"), state="prepared", **ONE)
    if changes is not None:
        killed(place, changes)


@pytest.mark.parametrize("changes", CHANGES)
def test_the_image_is_lost_before_it_is_committed(place: Place, changes: int | None) -> None:
    begun(place, changes)
    place.lose("b")
    assert place.refused(state="committed", **ONE).reason == "unknown_transaction", "so it is prepared again"
    assert place.names() == {"f": "previous", "a": "current"}
    place(place.artifact("b"), state="prepared", **ONE)
    place(state="committed", **ONE)
    assert place.names() == {"f": "hidden", "a": "previous", "b": "current"}


@pytest.mark.parametrize("changes", CHANGES)
def test_what_is_lost_can_be_undone(place: Place, changes: int | None) -> None:
    begun(place, changes)
    place.lose("b")
    place(state="undone", **ONE)
    assert place.names() == {"f": "previous", "a": "current"}


@pytest.mark.parametrize("changes", CHANGES)
def test_what_was_brought_goes_when_it_is_undone(place: Place, changes: int | None) -> None:
    begun(place, changes)
    place(state="undone", **ONE)
    assert place.names() == {"f": "previous", "a": "current"}


@pytest.mark.parametrize("lost", ["b", "ab"])
@pytest.mark.parametrize("changes", CHANGES[1:])
def test_another_run_finds_that_it_is_lost(place: Place, changes: int, lost: str) -> None:
    begun(place, changes)
    for word in lost:
        place.lose(word)
    place(place.artifact("c"))
    names = place.names()
    assert names.pop("c") == "current" and names.get("a") == (None if "a" in lost else "previous")


@pytest.mark.parametrize("reason", ["image_lost", "image_deactivated"])
def test_no_way_back_to_what_is_gone(place: Place, reason: str) -> None:
    place(place.artifact("a"))
    place(place.artifact("b"), **ONE)
    if reason == "image_lost":
        place.lose("a")
    else:
        place.stored("a")["status"] = "deactivated"
    before = {**place.stored("b")}
    error = place.refused(state="undone", **ONE)
    assert error.reason == reason and "Publish another image" in error.message
    assert place.stored("b") == before and place.names()["b"] == "current"


def test_the_one_before_it_is_gone(place: Place) -> None:
    """What a channel had before need not be there to go back."""
    for word in "abc":
        place(place.artifact(word), keep=9, **({"transaction": "one"} if word == "c" else {}))
    place.lose("a")
    result = place(state="undone", keep=9, **ONE)
    assert place.names() == {"b": "current", "c": "hidden"}
    assert result["links"] == {"latest": place.artifact("b")["key"]}


def test_what_is_deactivated_counts_as_any_other(place: Place) -> None:
    image = place.artifact("a")
    place(image, version="1.0.0", keep=2, keep_versions=1)
    place.stored("a")["status"] = "deactivated"
    result = place(place.artifact("b"), version="2.0.0", keep=2, keep_versions=1)
    assert result["removed"] == [] and place.names() == {"a": "previous", "b": "current"}
    assert place.refused(place.artifact("c"), version="2.0.0").reason == "tag_taken"
    error = place.refused(image, keep=2)
    assert error.reason == "image_deactivated" and "Reactivate it" in error.message
    for word, removed in (("c", []), ("d", []), ("e", [image["key"]])):
        assert place(place.artifact(word), keep=2)["removed"] == removed, word
    assert "a" not in place.names()


def test_a_version_keeps_what_is_deactivated(place: Place) -> None:
    place(place.artifact("a"), version="1.0.0")
    place.stored("a")["status"] = "deactivated"
    for word in "bcd":
        place(place.artifact(word))
    assert place.names() == {"a": "hidden", "c": "previous", "d": "current"}
    assert place.refused(place.artifact("b"), version="1.0.0").reason == "tag_taken"


@pytest.mark.parametrize("changes", [None, 0, 1])
@pytest.mark.parametrize("end", ["committed", "undone", "present"])
def test_a_host_that_comes_back_late(place: Place, changes: int | None, end: str) -> None:
    """Another host published meanwhile; that stays, whatever the late one was about to do."""
    place(place.artifact("a"))
    place(place.artifact("b"), state="prepared", **ONE)
    if changes is not None:
        killed(place, changes)
    home, place.state = place.state, place.state.with_name("elsewhere")
    place(place.artifact("c"))
    place(place.artifact("d"))
    place.state = home
    if end == "present":
        if changes is None:
            place(state="undone", **ONE)
        place(place.artifact("e"))
        assert place.names() == {"d": "previous", "e": "current"}
        return
    if end == "committed":
        error = place.refused(state="committed", **ONE)
        assert error.reason == "unknown_transaction" and "Another host" in error.message
    else:
        place(state="undone", **ONE)
    assert {word: said for word, said in place.names().items() if said != "hidden"} == {
        "c": "previous",
        "d": "current",
    }
    place(place.artifact("d"))
    assert place.names() == {"c": "previous", "d": "current"}, "and nothing is left"


@pytest.mark.parametrize("changes", [None, 0])
def test_two_hosts_bring_the_same(place: Place, changes: int | None) -> None:
    """The one that was published first stays, with its id."""
    image = place.artifact("b")
    place(place.artifact("a"))
    place(image, state="prepared", **ONE)
    if changes is not None:
        killed(place, changes)
    home, place.state = place.state, place.state.with_name("elsewhere")
    found = place(image)["published"][0]["image"]
    place.state = home
    assert place.refused(state="committed", **ONE).reason == "unknown_transaction"
    place(image, state="prepared", **ONE)
    assert place(state="committed", **ONE)["published"][0]["image"] == found
    assert place.names() == {"a": "previous", "b": "current"}


def test_only_secrets_are_hidden() -> None:
    """A region, a project and a domain may have the name that something else in the result has."""
    spec = {name: rule for name, rule in GLANCE_SPEC.items() if name in ("auth", "password", "region_name")}
    secrets = {"password": "s1", "token": "s2", "application_credential_secret": "s3"}
    plain = {"auth_url": "https://identity", "username": "admin", "user_domain_id": "default"}
    said = ArgumentSpecValidator(spec).validate({"auth": {**plain, **secrets}, "password": "s4"})
    assert not said.error_messages
    assert said._no_log_values == {"s1", "s2", "s3", "s4"}


def test_a_host_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openstack", None)
    with pytest.raises(DistrogateError, match="repository_host_packages") as caught:
        connect({"cloud": "production"})
    assert caught.value.reason == "missing_library" and "nothing was published" in caught.value.message
