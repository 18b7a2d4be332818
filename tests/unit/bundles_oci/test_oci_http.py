# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client: what waits for what, and what is tried again."""

from __future__ import annotations

import http.client
import socket
import threading
import time

import pytest
from oci_world import World

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _oci_http
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_http import Client
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_names import checked_registry
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.tools.faulty_proxy import Server
from ansible_collections.distrogate.ci.tests.tools.registry_proxy import Exchange


@pytest.fixture(name="impatient")
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads are worth it at once."""
    monkeypatch.setattr(_oci_http, "_PATIENCE", 0.0)
    monkeypatch.setattr(_oci_http, "_TASTE", 0.0)


def test_threads_are_for_what_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def work(seconds: float) -> str:
        clock[0] += seconds
        return threading.current_thread().name

    main = threading.current_thread().name
    with Client(1e6, threads=8) as client:
        assert client.each([0.002] * 100, work) == [main] * 100
        far = client.each([0.03] * 100, work)
        assert far[0] == main and main not in far[1:]
        assert main not in client.each([0.002] * 100, work), "it is as far away as it was"
        assert client.each([0.002], work) == [main]
    with Client(1e6, threads=1) as client:
        assert client.each([60.0] * 10, work) == [main] * 10


@pytest.mark.usefixtures("impatient")
def test_one_repository_one_after_the_other() -> None:
    """docker-registry refuses a manifest while another of the same repository is written."""
    busy: set[str] = set()
    seen: list[int] = []
    lock = threading.Lock()

    def work(item: tuple[str, int]) -> int:
        repository, number = item
        with lock:
            assert repository not in busy
            busy.add(repository)
            seen.append(len(busy))
        time.sleep(0.01)
        with lock:
            busy.remove(repository)
        return number

    items = [("abc"[number % 3], number) for number in range(12)]
    with Client(30, threads=8) as client:
        assert client.each_apart(items, work, lambda item: item[0]) == list(range(12))
    assert max(seen) > 1, "different ones do not wait for each other"


@pytest.mark.usefixtures("impatient")
def test_after_an_error_nothing_more_begins() -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        time.sleep(0.01)
        if number == 3:
            raise DistrogateError("test", "no")

    with Client(30, threads=2) as client, pytest.raises(DistrogateError):
        client.each(range(100), work)
    assert len(begun) < 50


def test_connections_are_kept(world: World) -> None:
    """Twenty requests by way of one connection; the proxy sees from where they come."""
    ports: set[object] = set()
    original = world.proxy.serve

    def serve(handler: object) -> None:
        ports.add(handler.client_address)  # type: ignore[attr-defined]
        original(handler)  # type: ignore[arg-type]

    world.proxy.serve = serve  # type: ignore[method-assign,assignment]
    origin = checked_registry(world.proxy.url)
    with Client(30) as client:
        for _number in range(20):
            assert client.send(origin, "GET", "/v2/", {}, None).ok
    assert len(ports) == 1


@pytest.mark.parametrize(("status", "requests"), [(500, 3), (429, 3), (404, 1), (400, 1)])
def test_what_is_tried_again(world: World, status: int, requests: int) -> None:
    def bad(exchange: Exchange) -> None:
        exchange.status, exchange.answer = status, {"Retry-After": "0"}

    world.proxy.before = bad
    with Client(30, retries=2) as client:
        assert client.send(checked_registry(world.proxy.url), "GET", "/v2/", {}, None).status == status
    assert len(world.proxy.exchanges) == requests


def test_a_pause_that_is_asked_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Registries that count requests say a minute; five tries within less are five more of them."""
    pauses: list[float] = []
    monkeypatch.setattr(_oci_http.time, "sleep", pauses.append)

    def bad(exchange: Exchange) -> None:
        if exchange.number < 3:
            exchange.status, exchange.answer = 429, {"Retry-After": "60"}

    world.proxy.before = bad
    with Client(600) as client:
        assert client.send(checked_registry(world.proxy.url), "GET", "/v2/", {}, None).ok
    assert pauses == [60, 60]


def test_a_connection_that_comes_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody watches it any more, so that nothing is begun on it."""
    asked: list[bytes] = []
    connect = http.client.HTTPConnection.connect

    def answer(connection: socket.socket) -> None:
        asked.append(connection.recv(1 << 16))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with Server(answer) as server, Client(30) as client:

        def late(connection: http.client.HTTPConnection) -> None:
            client._expire()
            connect(connection)

        monkeypatch.setattr(http.client.HTTPConnection, "connect", late)
        with pytest.raises(DistrogateError, match="within timeout"):
            client.send(checked_registry(f"http://{server.endpoint}"), "GET", "/v2/", {}, None)
    assert asked in ([], [b""])


def test_a_pause_that_would_outlast_the_timeout(world: World) -> None:
    def bad(exchange: Exchange) -> None:
        exchange.status, exchange.answer = 503, {"Retry-After": "9999"}

    world.proxy.before = bad
    with Client(5) as client, pytest.raises(DistrogateError, match="within timeout"):
        client.send(checked_registry(world.proxy.url), "GET", "/v2/", {}, None)
    assert len(world.proxy.exchanges) == 1
