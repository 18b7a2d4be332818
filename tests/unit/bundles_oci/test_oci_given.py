# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bundles that have the manifests of their images: promotion does not ask for them, and proves the same."""

from __future__ import annotations

import base64
import typing as t

import pytest
from oci_world import World

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.tools.registry_images import IMAGE, INDEX, digest_of
from ansible_collections.distrogate.ci.tests.tools.registry_proxy import Exchange

Json = dict[str, t.Any]
RELEASE: Json = {"repository": "release/{basename}"}


def with_manifest(world: World, image: Json) -> Json:
    """As a stage may record it."""
    path = f"/v2/{image['repository']}/manifests/sha256:{image['sha256']}"
    status, _headers, data = world.pusher.ask("GET", path, Accept=f"{IMAGE}, {INDEX}")
    assert status == 200, data
    return {**image, "manifest": base64.encodebytes(data).decode().split()}


def image_of(world: World) -> Json:
    return with_manifest(world, world.pusher.image("build/nova", "b1", b"layer" * 1000))


def lose_manifest(world: World, image: Json) -> None:
    path = f"/v2/{image['repository']}/manifests/sha256:{image['sha256']}"
    assert world.pusher.ask("DELETE", path)[0] == 202


@pytest.mark.parametrize("options", [{}, RELEASE])
def test_it_is_not_asked_for(world: World, options: Json) -> None:
    image = image_of(world)
    world.proxy.forget()
    prepared = world.publish("prepared", image, **options)
    assert not world.proxy.asked("GET") and len(world.proxy.asked("PUT", image["sha256"])) == 1
    world.publish("committed", **options)
    release = "release/nova" if options else "build/nova"
    assert world.pusher.tagged(release, "stable") == f"sha256:{image['sha256']}"
    bare = {key: value for key, value in image.items() if key != "manifest"}
    again = world.publish("prepared", bare, **options)
    assert again == {**prepared, "changed": False}, "it asks for the same"


@pytest.mark.parametrize("options", [{}, RELEASE])
def test_a_lost_blob_is_missed_all_the_same(world: World, options: Json) -> None:
    image = image_of(world)
    world.registry.lose_blob(digest_of(b"layer" * 1000))
    with pytest.raises(DistrogateError) as caught:
        world.publish("prepared", image, **options)
    assert caught.value.reason == "blob_missing"
    assert caught.value.details["digest"] == digest_of(b"layer" * 1000)
    world.publish("undone", **options)


def test_a_lost_manifest_is_put_back_and_check_mode_misses_it(world: World) -> None:
    image = image_of(world)
    lose_manifest(world, image)
    with pytest.raises(DistrogateError) as caught:
        world.publish("prepared", image, check_mode=True)
    assert caught.value.reason == "manifest_missing"
    world.promote(image)
    assert world.pusher.tagged("build/nova", "stable") == f"sha256:{image['sha256']}"


def test_a_registry_that_does_not_look_at_blobs_is_asked(world: World) -> None:
    image = image_of(world)
    world.proxy.forget()
    world.proxy.before = take
    world.publish("prepared", image)
    assert len(world.proxy.asked("GET", image["sha256"])) == 1
    assert len(world.proxy.asked("HEAD", "/blobs/")) == 2
    lose_manifest(world, image)
    with pytest.raises(DistrogateError) as caught:
        world.publish("prepared", image, transaction="t2")
    assert caught.value.reason == "manifest_missing"


def take(exchange: Exchange) -> None:
    """Take any manifest, and keep none."""
    if exchange.method == "PUT":
        exchange.status = 201


def test_children_of_an_index_are_still_read(world: World) -> None:
    children = [world.pusher.image("build/multi", None, name) for name in (b"amd64", b"arm64")]
    index = with_manifest(world, world.pusher.index("build/multi", "b1", *children))
    world.proxy.forget()
    world.promote(index, **RELEASE)
    assert sorted(one.path.rpartition(":")[2] for one in world.proxy.asked("GET")) == sorted(
        child["sha256"] for child in children
    )
    assert world.pusher.tagged("release/multi", "stable") == f"sha256:{index['sha256']}"


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (["e30="], "digest_mismatch"),
        (["?"], "bad_artifact"),
        ([7], "bad_artifact"),
        ("\u00e4", "bad_artifact"),
        (7, "bad_artifact"),
    ],
)
def test_another_manifest_is_refused_before_anything_is_asked(
    world: World, manifest: t.Any, reason: str
) -> None:
    image = {**image_of(world), "manifest": manifest}
    world.proxy.forget()
    with pytest.raises(DistrogateError) as caught:
        world.publish("prepared", image)
    assert caught.value.reason == reason and "build-nova" in caught.value.message
    assert not world.proxy.exchanges
