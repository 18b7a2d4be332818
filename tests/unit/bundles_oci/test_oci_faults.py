# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registries that fail, lie or lose things: refused or undone, with the digest named."""

from __future__ import annotations

import json
import random
import socket
import time
import typing as t

import pytest
from oci_world import World, envelope

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _oci_answer
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.tools.faulty_proxy import Server
from ansible_collections.distrogate.ci.tests.tools.registry_images import IMAGE, digest_of
from ansible_collections.distrogate.ci.tests.tools.registry_proxy import CutError, Exchange, Rule

Json = dict[str, t.Any]
RELEASE: Json = {"repository": "release/{basename}"}
ATTACH: Json = {"attach": [{"name": "verdict.json", "envelope": envelope()}]}


def images(world: World) -> list[Json]:
    """An image and an index."""
    children = [world.pusher.image("build/multi", None, name) for name in (b"amd64", b"arm64")]
    return [
        world.pusher.image("build/nova", "b1", b"layer" * 1000),
        world.pusher.index("build/multi", "b1", *children),
    ]


def shown(world: World) -> list[str]:
    return [*world.pusher.tags("release/nova"), *world.pusher.tags("release/multi")]


def wrong(what: str) -> Rule:
    """What a bad registry does with one request."""

    def rule(exchange: Exchange) -> None:
        if what == "cut":
            raise CutError(random.Random(exchange.number).randrange(200))
        exchange.status = int(what)
        exchange.data = b'{"errors": [{"code": "UNKNOWN", "message": "away\\u001b[31m\\n"}]}'

    return rule


def once(number: int, rule: Rule) -> Rule:
    return lambda exchange: rule(exchange) if exchange.number == number else None


@pytest.mark.parametrize("what", ["500", "503", "cut"])
@pytest.mark.parametrize("state", ["prepared", "committed", "undone"])
def test_one_fault_is_survived(world: World, what: str, state: str) -> None:
    """After any of the requests was answered by the registry, and not by the one before us."""
    artifacts = images(world)
    world.options["threads"] = 1
    number = total = 0
    while number <= total:
        number += 1
        options = {"transaction": f"t{number}", **RELEASE, **ATTACH}
        order = ["prepared", "committed", "undone"]
        for step in order:
            world.proxy.forget()
            if step == state:
                world.proxy.after = once(number, wrong(what))
            world.publish(step, *artifacts, **options)
            total = len(world.proxy.exchanges) if step == state else total
            seen = [] if step != "committed" else ["4.0.0", "stable"]
            assert [tag for tag in shown(world) if not tag.startswith("sha256-")] == seen * 2, (step, number)
        assert shown(world) == []
        number += 6  # each seventh, from 1, 8, …: all of them take a minute


@pytest.mark.parametrize("what", ["500", "401", "403", "cut"])
def test_a_registry_that_stays_bad_while_tags_move(world: World, what: str) -> None:
    artifacts = images(world)
    world.options["threads"] = 1
    world.publish("prepared", *artifacts, **RELEASE)

    def bad(exchange: Exchange) -> None:
        if exchange.method == "PUT" and exchange.path.endswith("multi/manifests/stable"):
            wrong(what)(exchange)

    world.proxy.before = bad
    with pytest.raises(DistrogateError, match="All tags are what they were") as caught:
        world.publish("committed", **RELEASE)
    assert caught.value.reason == "registry_failed" and "\x1b" not in caught.value.message
    if what != "cut":
        assert caught.value.details["digest"] == f"sha256:{artifacts[1]['sha256']}"
    assert shown(world) == []
    world.proxy.forget()
    world.publish("committed", **RELEASE)
    assert shown(world) == ["4.0.0", "stable"] * 2


def test_a_registry_that_goes_away_while_tags_move(world: World) -> None:
    artifacts = images(world)
    world.options.update(threads=1, retries=0)
    world.publish("prepared", *artifacts, **RELEASE)
    away = False

    def bad(exchange: Exchange) -> None:
        nonlocal away
        away = away or (exchange.method == "PUT" and exchange.path.endswith("multi/manifests/4.0.0"))
        if away:
            wrong("500")(exchange)

    world.proxy.before = bad
    with pytest.raises(DistrogateError, match="could not go back"):
        world.publish("committed", **RELEASE)
    world.proxy.forget()
    assert shown(world) == ["4.0.0"]
    world.publish("committed", **RELEASE)
    assert shown(world) == ["4.0.0", "stable"] * 2
    world.publish("undone", **RELEASE)
    assert shown(world) == []


@pytest.mark.parametrize("options", [{}, RELEASE])
@pytest.mark.parametrize("layer", [b"layer" * 1000, b"arm64"])
def test_a_lost_blob(world: World, options: Json, layer: bytes) -> None:
    artifacts = images(world)
    world.registry.lose_blob(digest_of(layer))
    with pytest.raises(DistrogateError) as caught:
        world.publish("prepared", *artifacts, **options)
    assert caught.value.reason == "blob_missing"
    assert caught.value.details["digest"] == digest_of(layer) and digest_of(layer) in caught.value.message
    with pytest.raises(DistrogateError, match="half prepared"):
        world.publish("committed", **options)
    world.publish("undone", **options)
    assert shown(world) == [] and world.pusher.tags("build/nova") == ["b1"]


def test_a_lost_child_and_a_blob_of_another_size(world: World) -> None:
    artifacts = images(world)
    path = f"sha256:{artifacts[0]['sha256']}"
    missing = {**artifacts[0], "sha256": "0" * 64}
    with pytest.raises(DistrogateError) as caught:
        world.publish("prepared", missing)
    assert (
        caught.value.reason == "manifest_missing" and caught.value.details["digest"] == "sha256:" + "0" * 64
    )

    def larger(exchange: Exchange) -> None:
        if exchange.method == "HEAD" and exchange.path.endswith(digest_of(b"layer" * 1000)):
            exchange.answer["Content-Length"] = "5001"

    world.proxy.after = larger
    with pytest.raises(DistrogateError, match="has 5001 bytes, not 5000") as caught:
        world.publish("prepared", *artifacts, check_mode=True)
    assert caught.value.reason == "digest_mismatch" and caught.value.details["digest"] != path


@pytest.mark.parametrize("status", [201, 403])
def test_a_registry_that_does_not_look_at_blobs(world: World, status: int) -> None:
    """It takes any manifest, so each blob is asked for."""
    artifacts = images(world)

    def take(exchange: Exchange) -> None:
        if exchange.method == "PUT":
            exchange.status = status

    def probes() -> list[str]:
        return [one.path for one in world.proxy.asked("PUT")]

    world.proxy.forget()
    world.proxy.before = take
    world.publish("prepared", *artifacts)
    assert len(probes()) == 1 and len(world.proxy.asked("HEAD", "/blobs/")) == 5
    deleted = [one.path for one in world.proxy.asked("DELETE")]
    assert deleted == (probes() if status == 201 else []), "what was only tried is removed again"
    world.registry.lose_blob(digest_of(b"arm64"))
    with pytest.raises(DistrogateError) as caught:
        world.publish("prepared", *artifacts, transaction="t2")
    assert caught.value.details["digest"] == digest_of(b"arm64")


def deep(_data: bytes) -> bytes:
    return b'{"schemaVersion": 2, "layers": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def huge(_data: bytes) -> bytes:
    return b"{" + b" " * (_oci_answer.LIMIT + 1) + b"}"


def doubled(data: bytes) -> bytes:
    return data.replace(b'"schemaVersion"', b'"schemaVersion": 2, "schemaVersion"', 1)


def newline(data: bytes) -> bytes:
    return data.replace(b"sha256:", b"sha256:\\n", 1)


def number(data: bytes) -> bytes:
    return data.replace(b'"size": ', b'"size": 1' + b"0" * 3000, 1)


def path(data: bytes) -> bytes:
    value = json.loads(data)
    value["layers"][0]["digest"] = "sha256:../../../../v2/other/blobs/x"
    return json.dumps(value).encode()


@pytest.mark.parametrize("change", [deep, huge, doubled, newline, number, path])
@pytest.mark.parametrize("honest", [True, False])
def test_a_manifest_that_is_an_attack(world: World, change: t.Any, honest: bool) -> None:
    """With the digest of what was sealed it is a lie; with its own the bundle has an attacker's digest."""
    artifact = images(world)[0]
    _status, _headers, data = world.pusher.ask(
        "GET", f"/v2/build/nova/manifests/sha256:{artifact['sha256']}", Accept=IMAGE
    )
    bad = change(data)
    if honest:
        artifact["sha256"] = digest_of(bad).partition(":")[2]

    def lie(exchange: Exchange) -> None:
        if exchange.method == "GET" and exchange.manifest:
            exchange.status, exchange.data, exchange.answer = 200, bad, {"Content-Type": IMAGE}

    world.proxy.forget()
    world.proxy.before = lie
    with pytest.raises(DistrogateError) as caught:
        world.publish("prepared", artifact, **RELEASE)
    reason = "bad_manifest" if honest else "digest_mismatch"
    assert caught.value.reason == ("registry_failed" if change is huge else reason)
    if change is not huge:
        assert caught.value.details["digest"] == f"sha256:{artifact['sha256']}"
    assert len(caught.value.message) < 1000
    assert {one.method for one in world.proxy.exchanges} <= {"GET", "HEAD"} and shown(world) == []


def test_a_registry_that_says_it_stored_something_else(world: World) -> None:
    artifacts = images(world)
    world.publish("prepared", *artifacts, **RELEASE)

    def lie(exchange: Exchange) -> None:
        if exchange.path.endswith("nova/manifests/stable") and exchange.body.startswith(b"{\n"):
            exchange.answer["Docker-Content-Digest"] = "sha256:" + "0" * 64

    world.proxy.after = lie
    with pytest.raises(DistrogateError) as caught:
        world.publish("committed", **RELEASE)
    assert caught.value.reason == "digest_mismatch" and shown(world) == []


def test_a_registry_that_does_not_mount(world: World) -> None:
    artifacts = images(world)

    def upload(exchange: Exchange) -> None:
        exchange.path = exchange.path.partition("?")[0] if "mount=" in exchange.path else exchange.path

    world.proxy.before = upload
    world.proxy.exchanges = []
    with pytest.raises(DistrogateError, match="does not mount it") as caught:
        world.publish("prepared", *artifacts, **RELEASE)
    assert caught.value.reason == "mount_refused" and caught.value.details["digest"]
    assert world.moved() == 0, "not even then is a layer moved"
    called_off = [one.status for one in world.proxy.asked("DELETE", "/blobs/uploads/")]
    assert called_off == [204] * len(world.proxy.asked("POST")), "the uploads that it offered are called off"


def test_an_upload_that_leads_elsewhere(world: World) -> None:
    artifacts = images(world)
    world.promote(*artifacts)

    def elsewhere(exchange: Exchange) -> None:
        if exchange.method == "POST":
            exchange.answer["Location"] = "https://attacker.example.org/upload"

    world.proxy.after = elsewhere
    with pytest.raises(DistrogateError) as caught:
        world.publish("attached", *artifacts, **ATTACH)
    assert caught.value.reason == "registry_failed"


def test_a_registry_that_sends_a_byte_now_and_then(world: World) -> None:
    """No read of it runs into a limit of its own; the whole call does."""
    artifacts = images(world)

    def slowly(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n")
        while True:
            connection.sendall(b"X")
            time.sleep(0.05)

    with Server(slowly) as server:
        world.options["timeout"] = 1
        with pytest.raises(DistrogateError, match="within timeout") as caught:
            world.publish("prepared", *artifacts, registry=f"http://{server.endpoint}", copy=True)
    assert caught.value.reason == "registry_failed"
