# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Passwords and tokens reach whom they are for, and nobody else."""

from __future__ import annotations

import base64
import json
import pathlib
import typing as t

import pytest
from oci_world import World

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_auth import read_auth_file
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.tools.registry import PASSWORD, USER, Registry, basic
from ansible_collections.distrogate.ci.tests.tools.registry_images import Pusher
from ansible_collections.distrogate.ci.tests.tools.registry_proxy import Exchange, RegistryProxy
from ansible_collections.distrogate.ci.tests.tools.registry_tokens import TokenServer

RELEASE = {"repository": "release/{basename}"}
LOGIN = {"username": USER, "password": PASSWORD}


def auth_file(folder: pathlib.Path, registry: str, password: str = PASSWORD) -> str:
    path = folder / "auth.json"
    coded = base64.b64encode(f"{USER}:{password}".encode()).decode()
    path.write_text(json.dumps({"auths": {registry: {"auth": coded}}}))
    path.chmod(0o600)
    return str(path)


def everything(folder: pathlib.Path) -> str:
    return "".join(path.read_text() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def closed(world: World) -> t.Iterator[World]:
    """The world, with a registry that wants a password."""
    world.registry.stop()
    with Registry(world.folder / "closed", basic(world.folder / "closed")) as registry:
        world.proxy.target = registry.port
        world.pusher = Pusher(world.proxy.url, f"{USER}:{PASSWORD}")
        yield world


def test_basic(closed: World) -> None:
    image = closed.pusher.image("build/nova", "b1", b"layer")
    closed.proxy.forget()
    closed.promote(image, **LOGIN, **RELEASE)
    assert closed.pusher.tagged("release/nova", "stable") == f"sha256:{image['sha256']}"
    assert "authorization" not in closed.proxy.exchanges[0].headers, "nothing is sent unasked"
    assert PASSWORD not in everything(closed.folder / "state")


@pytest.mark.parametrize("name", ["{}", "http://{}", "http://{}/v2/"])
def test_an_auth_file(closed: World, name: str) -> None:
    image = closed.pusher.image("build/nova", "b1", b"layer")
    path = auth_file(closed.folder, name.format(closed.proxy.url.partition("//")[2]))
    assert closed.promote(image, auth_file=path)["changed"]


@pytest.mark.parametrize("options", [{}, {**LOGIN, "password": "wrong"}])
def test_a_password_that_is_wrong_or_not_there(closed: World, options: dict[str, str]) -> None:
    image = closed.pusher.image("build/nova", "b1", b"layer")
    with pytest.raises(DistrogateError, match=r"answered 401 .* Give username and password") as caught:
        closed.publish("prepared", image, **options)
    assert caught.value.details["status"] == 401 and "wrong" not in caught.value.message


def test_a_password_goes_to_the_registry_of_the_task_only(closed: World) -> None:
    """Not to one that a bundle names, whatever that asks for."""
    image = closed.pusher.image("build/nova", "b1", b"layer")
    closed.proxy.forget()
    with Registry(closed.folder / "open") as target, pytest.raises(DistrogateError, match="answered 401"):
        closed.publish("prepared", image, **LOGIN, registry=target.url, copy=True)
    assert closed.proxy.exchanges and not any(
        "authorization" in one.headers for one in closed.proxy.exchanges
    )


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("{}", 0o600, "form"),
        ('{"auths": []}', 0o600, "form"),
        ('{"auths": {"a": {"auth": "!!"}}}', 0o600, "form"),
        ('{"auths": {"a": {"auth": "c2VjcmV0"}}}', 0o600, "form"),
        ('{"auths": {"a": {"identitytoken": "secret"}}}', 0o600, "helpers and identity tokens"),
        ('{"auths": {"a": secret}}', 0o600, "no JSON"),
        ('{"auths": {}}', 0o640, "read by others"),
    ],
)
def test_a_bad_auth_file(tmp_path: pathlib.Path, text: str, mode: int, why: str) -> None:
    path = tmp_path / "auth.json"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(DistrogateError, match=why) as caught:
        read_auth_file(str(path))
    assert caught.value.reason == "bad_auth_file" and "secret" not in caught.value.message


@pytest.fixture
def tokens(world: World) -> t.Iterator[tuple[World, TokenServer, list[t.Any]]]:
    """A registry that takes tokens of a server of its own, with two images in it."""
    world.registry.stop()
    server = TokenServer(world.folder / "tokens", f"{USER}:{PASSWORD}")
    with server, Registry(world.folder / "closed", server.auth) as registry:
        world.proxy.target = registry.port
        images = []
        for name in ("nova", "glance"):
            token = server.token([f"repository:build/{name}:pull,push"])
            world.pusher._headers["Authorization"] = f"Bearer {token}"
            images.append(world.pusher.image(f"build/{name}", "b1", name.encode()))
        server.asked.clear()
        world.proxy.forget()
        yield world, server, images


def test_tokens(tokens: tuple[World, TokenServer, list[t.Any]]) -> None:
    world, server, images = tokens
    world.options["threads"] = 1
    world.promote(*images, **LOGIN, **RELEASE)
    assert ["repository:release/nova:pull,push", "repository:build/nova:pull"] in server.asked, (
        "for the mount"
    )
    assert len(server.asked) == len({(*scopes,) for scopes in server.asked[:8]}) + len(server.asked[8:])
    basics = [one for one in world.proxy.exchanges if "Basic" in one.headers.get("authorization", "")]
    assert not basics, "the registry itself never sees the password"
    world.publish("undone", **LOGIN, **RELEASE)
    assert ["repository:release/nova:delete"] in server.asked


def test_a_token_that_is_too_old(tokens: tuple[World, TokenServer, list[t.Any]]) -> None:
    world, server, images = tokens
    server.seconds = -120  # docker-registry grants a minute
    with pytest.raises(DistrogateError, match="answered 401"):
        world.publish("prepared", images[0], **LOGIN)
    used = len(server.asked)
    assert used < 10

    server.seconds = 60
    world.proxy.forget()

    def spoil(exchange: Exchange) -> None:
        if exchange.number in (6, 7):
            exchange.headers["authorization"] = "Bearer " + server.token([])

    world.proxy.before = spoil
    assert world.publish("prepared", images[0], **LOGIN, **RELEASE)["changed"]


def test_a_token_that_is_too_old_for_a_layer(tokens: tuple[World, TokenServer, list[t.Any]]) -> None:
    """Layers are copied for minutes, with a token from when their manifests were read."""
    world, server, images = tokens
    path = auth_file(world.folder, world.proxy.url.partition("//")[2])
    spoiled: list[str] = []

    def spoil(exchange: Exchange) -> None:
        if exchange.method == "GET" and "/blobs/" in exchange.path and not spoiled:
            spoiled.append(exchange.path)
            exchange.headers["authorization"] = "Bearer " + server.token([])

    world.proxy.before = spoil
    with Registry(world.folder / "other") as other:
        options = {"registry": other.url, "copy": True, "auth_file": path, "threads": 1, "retries": 0}
        assert world.publish("prepared", images[0], **options)["changed"] and spoiled
        world.proxy.forget()
        server.seconds = -120
        with pytest.raises(DistrogateError, match="answered 401"):
            world.publish("prepared", images[1], transaction="t2", **options)
        assert len(server.asked) < 20


def test_a_repository_that_one_may_not_read(tokens: tuple[World, TokenServer, list[t.Any]]) -> None:
    world, server, images = tokens
    server.denied = {"build/glance"}
    with pytest.raises(DistrogateError, match=r"answered 401 to HEAD .*/build/glance:"):
        world.publish("prepared", *images, **LOGIN)
    assert world.publish("prepared", images[0], **LOGIN)["changed"]


@pytest.mark.parametrize(
    ("realm", "options", "why"),
    [
        ("http://192.0.2.1/token", LOGIN, "no https address"),
        ("file:///etc/passwd", LOGIN, "no https address"),
        ("https://user@auth.example.org/", {}, "no https address"),
        ("https://auth.example.org/token", LOGIN, "wants the password sent to auth.example.org"),
        ("", LOGIN, "no https address"),
    ],
)
def test_a_realm_that_is_not_trusted(world: World, realm: str, options: dict[str, str], why: str) -> None:
    image = world.pusher.image("build/nova", "b1", b"layer")

    def challenge(exchange: Exchange) -> None:
        exchange.status = 401
        exchange.answer = {"WWW-Authenticate": f'Bearer realm="{realm}",service="x"'}

    world.proxy.before = challenge
    with pytest.raises(DistrogateError, match=why):
        world.publish("prepared", image, **options)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirection_does_not_take_the_password_along(closed: World, status: int) -> None:
    image = closed.pusher.image("build/nova", "b1", b"layer")
    with RegistryProxy(closed.proxy.target) as storage:

        def serve(exchange: Exchange) -> None:
            seen.append(dict(exchange.headers))
            exchange.headers["authorization"] = closed.pusher._headers["Authorization"]

        def send_away(exchange: Exchange) -> None:
            if exchange.method in ("GET", "HEAD") and exchange.status == 200:
                exchange.status, exchange.answer["Location"] = status, storage.url + exchange.path

        seen: list[dict[str, str]] = []
        storage.before, closed.proxy.after = serve, send_away
        closed.publish("prepared", image, **LOGIN)
        assert seen and not any("authorization" in headers for headers in seen)


@pytest.mark.parametrize(
    "where", ["http://192.0.2.1/", "file:///etc/passwd", "//user@192.0.2.1/", "", "/v2/x"]
)
def test_a_redirection_that_is_not_followed(world: World, where: str) -> None:
    image = world.pusher.image("build/nova", "b1", b"layer")

    def send_away(exchange: Exchange) -> None:
        exchange.status, exchange.answer = 302, {"Location": where}

    world.proxy.forget()
    world.proxy.before = send_away
    with pytest.raises(DistrogateError, match="is redirected"):
        world.publish("prepared", image)
    assert len(world.proxy.exchanges) <= 8
