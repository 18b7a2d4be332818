# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An etcd store whose endpoint is hostile, or no etcd at all: a clear error, in bounded memory and time."""

from __future__ import annotations

import json
import socket
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Put, Store, open_store
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_http import MAXIMUM_ANSWER
from ansible_collections.distrogate.ci.tests.tools.faulty_proxy import Server

_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_HEADER = {"header": {"revision": "5"}}


def _whole(body: bytes, status: bytes = _OK) -> bytes:
    return status + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _found(**changes: t.Any) -> bytes:
    kv = {"key": "bi9h", "mod_revision": "2", "create_revision": "1", "value": "MQ==", **changes}
    responses = [{"response_range": {"kvs": [kv]}}]
    return _whole(json.dumps({**_HEADER, "succeeded": True, "responses": responses}).encode())


ANSWERS: dict[str, bytes] = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "a head without an end": _OK + b"X: y\r\n" * 20_000,
    "no length": _OK + b"\r\n{}",
    "a length of words": _OK + b"Content-Length: many\r\n\r\n{}",
    "a huge length": _OK + b"Content-Length: 1073741824\r\n\r\n" + b"x" * 1000,
    "a body that breaks off": _OK + b"Content-Length: 1000\r\n\r\n{",
    "chunks without a size": _CHUNKED + b"x\r\n",
    "a chunk of a negative size": _CHUNKED + b"-1\r\n",
    "a huge chunk size": _CHUNKED + b"f" * 100 + b"\r\n",
    "chunks without an end": _CHUNKED + b"1\r\n{xx",
    "only 1xx": b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
    "a page": _whole(b"<html>", b"HTTP/1.1 404 Not Found\r\n"),
    "no UTF-8": _whole(b"\xff\xfe"),
    "deep JSON": _whole(b"[" * 1_000_000),
    "a number without an end": _whole(b'{"x":' + b"9" * 1_000_000 + b"}"),
    "a list": _whole(b"[]"),
    "null": _whole(b"null"),
    "an error of another shape": _whole(b'{"error":{"code":{}}}', b"HTTP/1.1 500 No\r\n"),
    "no revision": _whole(b"{}"),
    "a list as header": _whole(b'{"header":[]}'),
    "no responses": _whole(json.dumps(_HEADER).encode()),
    "responses of another type": _whole(json.dumps({**_HEADER, "responses": [1]}).encode()),
    "a key of another type": _found(key=5),
    "a key that is no base64": _found(key="*"),
    "a key that is not ours": _found(key="YQ=="),
    "a revision below zero": _found(mod_revision="-2"),
    "a revision over all": _found(mod_revision="9" * 19),
    "a fraction of a revision": _found(mod_revision=1.5),
    "a revision before it was made": _found(create_revision="3"),
}


def _answering(answer: bytes) -> t.Callable[[socket.socket], None]:
    def handle(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(answer)

    return handle


def _open(server: Server) -> Store:
    return open_store(f"etcd://{server.endpoint}/n?timeout=0.5")


def _refused(call: t.Callable[[], t.Any]) -> str:
    with pytest.raises(DistrogateError) as error:
        call()
    assert error.value.reason == "store_unavailable"
    assert error.value.message.isprintable()
    return error.value.message


@pytest.mark.parametrize("answer", ANSWERS)
def test_nonsense_is_a_clear_error(answer: str) -> None:
    with Server(_answering(ANSWERS[answer])) as server, _open(server) as store:
        assert server.endpoint in _refused(lambda: store.get("a"))


@pytest.mark.parametrize("answer", ["nothing", "no revision", "a list", "a page", "no UTF-8"])
def test_nonsense_is_a_clear_error_for_every_call(answer: str) -> None:
    with Server(_answering(ANSWERS[answer])) as server, _open(server) as store:
        for call in (
            lambda: store.transact({}, [Put("a", 1)]),
            lambda: store.transact({"a": 1}, []),
            lambda: store.session(5),
            lambda: store.keep("7"),
        ):
            assert server.endpoint in _refused(call)


def test_the_right_answer_is_taken() -> None:
    """What the others differ from by one thing."""
    with Server(_answering(_found())) as server, open_store(f"etcd://{server.endpoint}/n") as store:
        entry = store.get("a")
        assert entry is not None
        assert (entry.key, entry.value, entry.revision, entry.created) == ("a", 1, 2, 1)


def test_a_good_endpoint_is_asked_after_a_bad_one() -> None:
    with Server(_answering(ANSWERS["a page"])) as bad, Server(_answering(_found())) as good:
        for _number in range(10):  # The first is chosen by chance.
            with open_store(f"etcd://{bad.endpoint},{good.endpoint}/n") as store:
                assert store.get("a") is not None


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (_CHUNKED, b"10000\r\n" + b"[" * 0x10000 + b"\r\n"),
        (_CHUNKED, b"1\r\n[\r\n"),
        (_OK + b"Content-Length: 60000000\r\n\r\n", b"["),
        (_OK, b"X"),
    ],
)
@pytest.mark.parametrize("pause", [0, 0.05])
def test_an_answer_without_an_end_is_bounded(head: bytes, piece: bytes, pause: float) -> None:
    sent: list[int] = []

    def handle(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(head)
        sent.append(0)
        number = len(sent) - 1
        while sent[number] < 1 << 30:
            connection.sendall(piece)
            sent[number] += len(piece)
            time.sleep(pause)

    with Server(handle) as server, open_store(f"etcd://{server.endpoint}/n?timeout=1") as store:
        _refused(lambda: store.get("a"))
    assert max(sent) < MAXIMUM_ANSWER + (16 << 20)
