# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""oci_publish with a real registry: what readers see before, meanwhile and after."""

from __future__ import annotations

import json

import pytest
from oci_world import World

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.tools.registry import Registry
from ansible_collections.distrogate.ci.tests.tools.registry_images import DOCKER, HELM, Pusher, digest_of

RELEASE = {"repository": "release/{basename}"}


def test_the_life_of_a_promotion_within_a_repository(world: World) -> None:
    image = world.pusher.image("build/nova", "b1", b"layer" * 1000)
    digest = f"sha256:{image['sha256']}"
    world.proxy.forget()
    prepared = world.publish("prepared", image)
    assert prepared["changed"] and world.pusher.tags("build/nova") == ["b1"]
    assert world.publish("prepared", image) == {**prepared, "changed": False}
    committed = world.publish("committed")
    assert world.pusher.tags("build/nova") == ["4.0.0", "b1", "stable"]
    assert {world.pusher.tagged("build/nova", tag) for tag in ("4.0.0", "b1", "stable")} == {digest}
    place = world.proxy.url.partition("//")[2] + "/build/nova"
    assert committed["published"] == [
        {
            "name": "build-nova",
            "digest": digest,
            "address": f"{place}@{digest}",
            "tags": [f"{place}:stable", f"{place}:4.0.0"],
        }
    ]
    assert committed == {**prepared, "changed": True}
    assert world.publish("committed") == {**committed, "changed": False}
    assert world.moved() == 0 and not world.proxy.asked("POST")
    undone = world.publish("undone")
    assert undone["changed"] and undone["published"] == []
    assert world.pusher.tags("build/nova") == ["b1"]
    assert not world.publish("undone")["changed"]


def test_one_call_for_all_of_it(world: World) -> None:
    one, two = (world.pusher.image("build/nova", f"b{n}", str(n).encode()) for n in (1, 2))
    whole = {"version": None, "transaction": None, **RELEASE}
    predicted = world.publish("published", one, **whole, check_mode=True)
    wanted = world.difference.as_result()
    assert world.pusher.tags("release/nova") == [] and not (world.folder / "state").exists()
    assert world.publish("published", one, **whole) == predicted
    assert world.difference.as_result() == wanted
    assert not world.publish("published", one, **whole)["changed"]
    for artifact in (two, one, two):
        assert world.publish("published", artifact, **whole)["changed"]
        assert world.pusher.tagged("release/nova", "stable") == f"sha256:{artifact['sha256']}"
    fixed = {**whole, "version": "4.0.0"}
    world.publish("published", one, **fixed)
    with pytest.raises(DistrogateError) as caught:
        world.publish("published", two, **fixed)
    assert caught.value.reason == "tag_taken"
    for phase in ("preparing", "prepared", "committing", "undoing"):
        world.publish("published", two, **{**whole, "channel": phase})
        world.publish("published", one, **{**whole, "channel": phase})
        (path,) = (
            found
            for found in (world.folder / "state").rglob("journal.json")
            for row in json.loads(found.read_text())["items"]
            if (row["tags"][0]["tag"], row["digest"]) == (phase, f"sha256:{two['sha256']}")
        )
        path.write_text(json.dumps({**json.loads(path.read_text()), "phase": phase}))
        world.publish("published", two, **{**whole, "channel": phase})
        assert world.pusher.tagged("release/nova", phase) == f"sha256:{two['sha256']}", phase


def test_another_repository_gets_the_blobs_mounted(world: World) -> None:
    images = [
        world.pusher.image(f"build/{name}", "b1", b"shared", name.encode()) for name in ("nova", "glance")
    ]
    chart = world.pusher.image("build/chart", "1.0.0", b"chart", config=HELM)
    docker = world.pusher.image("build/old", "b1", b"old", media_type=DOCKER)
    world.proxy.forget()
    world.promote(*images, chart, docker, **RELEASE)
    assert world.moved() == 0
    for artifact in (*images, chart, docker):
        release = artifact["repository"].replace("build", "release")
        assert world.pusher.tagged(release, "stable") == f"sha256:{artifact['sha256']}"
        assert world.pusher.tags(artifact["repository"]) != ["4.0.0", "stable"]


def test_one_repository_for_all(world: World) -> None:
    images = [world.pusher.image(f"build/{name}", "b1", name.encode()) for name in ("nova", "glance")]
    with pytest.raises(DistrogateError, match="build-glance is the second") as caught:
        world.publish("prepared", *images, repository="release")
    assert caught.value.reason == "tag_conflict"


def test_an_index_comes_with_its_children(world: World) -> None:
    children = [world.pusher.image("build/multi", None, name) for name in (b"amd64", b"arm64")]
    index = world.pusher.index("build/multi", "b1", *children)
    world.proxy.forget()
    world.promote(index, **RELEASE)
    assert world.pusher.tagged("release/multi", "stable") == f"sha256:{index['sha256']}"
    for child in children:
        assert world.pusher.tagged("release/multi", f"sha256:{child['sha256']}")
    assert world.moved() == 0
    put = [
        one.path.rpartition("/")[2] for one in world.proxy.asked("PUT", "/release/multi/manifests/sha256:")
    ]
    assert put[-1] == f"sha256:{index['sha256']}", "a reader by digest may never find a part"


def test_a_channel_moves_and_goes_back(world: World) -> None:
    one, two = (world.pusher.image("build/nova", f"b{n}", str(n).encode()) for n in (1, 2))
    world.promote(one)
    world.proxy.forget()
    second = world.promote(two, version="5.0.0", transaction="t2")
    assert [row["digest"] for row in second["previous"]] == [None, f"sha256:{one['sha256']}"]
    assert world.pusher.tagged("build/nova", "stable") == f"sha256:{two['sha256']}"
    put = [one.path.rpartition("/")[2] for one in world.proxy.asked("PUT")]
    assert put[-3:] == [f"sha256:{two['sha256']}", "5.0.0", "stable"], "names that readers resolve come last"
    world.publish("undone", transaction="t2")
    assert world.pusher.tagged("build/nova", "stable") == f"sha256:{one['sha256']}"
    assert world.pusher.tags("build/nova") == ["4.0.0", "b1", "b2", "stable"]
    back = world.promote(two, version=None, transaction="t3")
    assert back["changed"] and world.pusher.tags("build/nova") == ["4.0.0", "b1", "b2", "stable"]


@pytest.mark.parametrize(("immutable", "named"), [(False, 2), (True, 4)])
def test_a_fixed_tag_never_moves(world: World, immutable: bool, named: int) -> None:
    old = [world.pusher.image(f"build/{name}", "b1", name.encode()) for name in ("nova", "glance")]
    new = [world.pusher.image(f"build/{name}", "b2", name.encode() + b"2") for name in ("nova", "glance")]
    world.promote(*old)
    world.proxy.forget()
    with pytest.raises(DistrogateError) as caught:
        world.publish("prepared", *new, transaction="t2", immutable=immutable)
    assert caught.value.reason == "tag_taken" and len(caught.value.details["tags"]) == named
    assert {one.method for one in world.proxy.exchanges} == {"HEAD"}
    with pytest.raises(DistrogateError, match="knows no transaction"):
        world.publish("committed", transaction="t2")


def test_a_tag_that_was_taken_after_the_preparation(world: World) -> None:
    one, two = (world.pusher.image("build/nova", f"b{n}", str(n).encode()) for n in (1, 2))
    world.publish("prepared", one)
    world.promote(two, transaction="t2", channel="other")
    with pytest.raises(DistrogateError) as caught:
        world.publish("committed")
    assert caught.value.reason == "tag_taken"
    assert world.pusher.tags("build/nova") == ["4.0.0", "b1", "b2", "other"]


def test_undoing_leaves_what_somebody_else_moved(world: World) -> None:
    one, two = (world.pusher.image("build/nova", f"b{n}", str(n).encode()) for n in (1, 2))
    world.promote(one)
    world.promote(two, version="5.0.0", transaction="t2")
    undone = world.publish("undone")
    assert undone["left"] == [world.proxy.url.partition("//")[2] + "/build/nova:stable"]
    assert world.pusher.tags("build/nova") == ["5.0.0", "b1", "b2", "stable"]


def test_check_mode_predicts_and_only_reads(world: World) -> None:
    image = world.pusher.image("build/nova", "b1", b"layer")
    world.proxy.forget()
    predicted = world.publish("prepared", image, check_mode=True, **RELEASE)
    wanted = world.difference.as_result()
    assert {one.method for one in world.proxy.exchanges} <= {"GET", "HEAD"}
    assert not (world.folder / "state").exists()
    assert world.publish("prepared", image, **RELEASE) == predicted
    assert world.difference.as_result() == wanted
    for state in ("committed", "undone"):
        world.proxy.forget()
        predicted = world.publish(state, check_mode=True, **RELEASE)
        wanted = world.difference.as_result()
        assert {one.method for one in world.proxy.exchanges} <= {"GET", "HEAD"}
        assert world.publish(state, **RELEASE) == predicted
        assert world.difference.as_result() == wanted


def test_a_transaction_is_for_one_thing(world: World) -> None:
    image = world.pusher.image("build/nova", "b1", b"layer")
    world.publish("prepared", image)
    for options in ({"version": "5.0.0"}, {"attach": [{"name": "a", "envelope": "{}"}]}):
        with pytest.raises(DistrogateError):
            world.publish("prepared", image, **options)
    world.publish("undone")
    for state in ("prepared", "committed"):
        with pytest.raises(DistrogateError) as caught:
            world.publish(state, image)
        assert caught.value.reason == "transaction_used"
    with pytest.raises(DistrogateError) as caught:
        world.publish("undone", transaction="other")
    assert caught.value.reason == "unknown_transaction"


def test_old_transactions_are_forgotten(world: World) -> None:
    image = world.pusher.image("build/nova", "b1", b"layer")
    world.publish("prepared", image, transaction="waits")
    for number in range(25):
        world.publish("prepared", image, transaction=f"t{number}")
        world.publish("undone", transaction=f"t{number}")
    (folder,) = (world.folder / "state").iterdir()
    assert len(list(folder.glob("t-*"))) == 21
    assert world.publish("committed", transaction="waits")["changed"]


def test_another_registry_only_when_it_is_asked_for(world: World) -> None:
    with Registry(world.folder / "other") as other:
        image = Pusher(other.url).image("build/nova", "b1", b"layer" * 100_000, b"")
        with pytest.raises(DistrogateError) as caught:
            world.publish("prepared", image)
        assert caught.value.reason == "other_registry" and not world.proxy.exchanges
        world.promote(image, copy=True)
        assert world.pusher.tagged("build/nova", "stable") == f"sha256:{image['sha256']}"
        for layer in (b"layer" * 100_000, b""):
            path = f"/v2/build/nova/blobs/{digest_of(layer)}"
            assert world.pusher.ask("GET", path)[::2] == (200, layer)


def test_a_registry_that_deletes_nothing_keeps_its_tags(world: World) -> None:
    with Registry(world.folder / "other", delete=False) as other:
        pusher = Pusher(other.url)
        image = pusher.image("build/nova", "b1", b"layer")
        world.promote(image, registry=other.url)
        with pytest.raises(DistrogateError, match="answered 405 to removing") as caught:
            world.publish("undone", registry=other.url)
        assert caught.value.reason == "registry_failed"
        assert pusher.tagged("build/nova", "4.0.0") == f"sha256:{image['sha256']}", "no stand-in is shown"


def test_an_earlier_image_whose_origin_was_cleaned_up(world: World) -> None:
    """It is where it was promoted to."""
    one, two = (world.pusher.image("build/nova", f"b{n}", str(n).encode()) for n in (1, 2))
    world.promote(one, **RELEASE)
    world.promote(two, transaction="t2", version="5.0.0", **RELEASE)
    digest = f"sha256:{one['sha256']}"
    assert world.pusher.ask("DELETE", f"/v2/build/nova/manifests/{digest}")[0] == 202
    world.promote(one, transaction="t3", **RELEASE)
    assert world.pusher.tagged("release/nova", "stable") == digest
    assert world.pusher.ask("DELETE", f"/v2/release/nova/manifests/{digest}")[0] == 202
    with pytest.raises(DistrogateError, match="build/nova") as caught:
        world.publish("prepared", one, transaction="t4", **RELEASE)
    assert caught.value.reason == "manifest_missing"
