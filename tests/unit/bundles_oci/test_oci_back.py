# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Going back where not all of it can go back: what can does, and nobody is told otherwise."""

from __future__ import annotations

import typing as t

import pytest
from oci_world import World

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.tools.registry import Registry
from ansible_collections.distrogate.ci.tests.tools.registry_images import Pusher
from ansible_collections.distrogate.ci.tests.tools.registry_proxy import Exchange

Json = dict[str, t.Any]
NAMES = ("build/nova", "build/glance", "build/keystone")


def pushed(pusher: Pusher, word: str) -> list[Json]:
    return [pusher.image(name, word, f"{name} {word}".encode()) for name in NAMES]


def channel(pusher: Pusher, tag: str = "stable") -> list[str | None]:
    return [pusher.tagged(name, tag) for name in NAMES]


def digests(artifacts: list[Json]) -> list[str]:
    return [f"sha256:{one['sha256']}" for one in artifacts]


def test_a_channel_goes_back_where_versions_cannot(world: World) -> None:
    """docker-registry as it is installed deletes nothing, so that a new version's tag stays."""
    world.options["threads"] = 1
    with Registry(world.folder / "other", delete=False) as other:
        pusher = Pusher(other.url)
        first, second = pushed(pusher, "b1"), pushed(pusher, "b2")
        world.promote(*first, registry=other.url)
        world.promote(*second, registry=other.url, transaction="t2", version="5.0.0")
        with pytest.raises(DistrogateError, match="answered 405 to removing") as caught:
            world.publish("undone", registry=other.url, transaction="t2")
        assert channel(pusher) == digests(first), "readers of the channel see one bundle"
        assert channel(pusher, "5.0.0") == digests(second)
        for name in NAMES:
            assert f"{name}:5.0.0" in caught.value.message, "all that stays is named"


def test_a_lost_manifest_keeps_no_other_tag_from_going_back(world: World) -> None:
    world.options["threads"] = 1
    first, second = pushed(world.pusher, "b1"), pushed(world.pusher, "b2")
    world.promote(*first)
    world.promote(*second, transaction="t2", version="5.0.0")
    lost = digests(first)[0]

    def lose(exchange: Exchange) -> None:
        if exchange.path.endswith(lost):
            exchange.status = 404

    world.proxy.before = lose
    with pytest.raises(DistrogateError) as caught:
        world.publish("undone", transaction="t2")
    assert caught.value.reason == "manifest_missing" and caught.value.details["digest"] == lost
    assert channel(world.pusher) == [digests(second)[0], *digests(first)[1:]]
    world.proxy.forget()
    world.publish("undone", transaction="t2")
    assert channel(world.pusher) == digests(first)


def test_what_could_not_go_back_is_not_called_what_it_was(world: World) -> None:
    """While a commit fails, somebody else moves one of its tags: that one stays, and is named."""
    world.options["threads"] = 1
    first, second = pushed(world.pusher, "b1"), pushed(world.pusher, "b2")
    stranger: Json = {}
    world.promote(*first)
    world.publish("prepared", *second, transaction="t2", version="5.0.0")

    def bad(exchange: Exchange) -> None:
        if exchange.method == "PUT" and exchange.path.endswith("keystone/manifests/stable"):
            exchange.status = 403
            stranger.update(Pusher(world.registry.url).image("build/glance", "stable", b"of somebody else"))

    world.proxy.before = bad
    with pytest.raises(DistrogateError) as caught:
        world.publish("committed", transaction="t2")
    assert channel(world.pusher) == [digests(first)[0], f"sha256:{stranger['sha256']}", digests(first)[2]]
    assert "glance:stable, which somebody else moved meanwhile" in caught.value.message
