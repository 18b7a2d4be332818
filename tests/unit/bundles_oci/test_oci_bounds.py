# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a registry or an index could make us do without end, or break with."""

from __future__ import annotations

import typing as t

import pytest
from oci_world import World, envelope

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_contents import Contents
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.tools.registry_proxy import Exchange

Json = dict[str, t.Any]


@pytest.mark.parametrize("header", ["Location", "WWW-Authenticate"])
@pytest.mark.parametrize("where", ["//[", "http://[x", "https://registry.example.org:x/", "//\u2100/"])
def test_an_address_that_is_none(world: World, header: str, where: str) -> None:
    """Python's own reading of addresses raises an error of its own for some of these."""
    image = world.pusher.image("build/nova", "b1", b"layer")
    world.promote(image)

    def elsewhere(exchange: Exchange) -> None:
        if header == "Location":
            exchange.status = 202 if exchange.method == "POST" else 307
            exchange.answer["Location"] = where
        else:
            exchange.status = 401
            exchange.answer["WWW-Authenticate"] = f'Bearer realm="{where}"'

    for method in ("POST", "GET"):
        world.proxy.before = lambda one, method=method: elsewhere(one) if one.method == method else None
        attach = [{"name": "verdict.json", "envelope": envelope(method)}]
        with pytest.raises(DistrogateError) as caught:
            world.publish("attached", image, attach=attach)
        assert caught.value.reason == "registry_failed"


def test_an_index_that_names_one_child_a_thousand_times(world: World) -> None:
    """Three levels of these are a billion children, in a few hundred kilobytes."""
    artifact = world.pusher.image("build/nova", None, b"layer")
    for _level in range(3):
        artifact = world.pusher.index("build/nova", None, *[artifact] * 12)
    assert _visits(world, artifact, {"repository": "release/nova"}) == 4, "three indexes and an image"
    world.publish("committed", repository="release/nova")
    assert world.pusher.tagged("release/nova", "stable") == f"sha256:{artifact['sha256']}"


def test_an_index_that_is_deeper_by_another_way(world: World) -> None:
    """All of them are found one level below the first, so that none is read below the third."""
    image = world.pusher.image("build/nova", None, b"layer")
    found = [image]
    for _level in range(3):
        found.append(world.pusher.index("build/nova", None, found[-1]))
    artifact = world.pusher.index("build/nova", None, *found)
    with pytest.raises(DistrogateError, match="deeper than 3"):
        world.publish("prepared", artifact, repository="release/nova")


def _visits(world: World, artifact: Json, options: Json) -> int:
    visited = 0
    walk = Contents._tree

    def counted(self: Contents, *place: t.Any) -> t.Iterator[t.Any]:
        nonlocal visited
        for row in walk(self, *place):
            visited += 1
            yield row

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Contents, "_tree", counted)
        world.publish("prepared", artifact, **options)
    return visited
