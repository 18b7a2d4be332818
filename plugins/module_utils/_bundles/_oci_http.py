# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP for registries, with the standard library: kept connections, retries, bounds on size and time."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_answer import (
    LIMIT,
    Answer,
    Response,
    TooLargeError,
    read_answer,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_names import Origin
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_AGAIN = frozenset((429, 500, 502, 503, 504))
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
_PATIENCE = 0.5  # seconds that are not worth threads
_TASTE = 0.02  # seconds after which we know how fast a registry is

Headers = t.Mapping[str, str]
Body = t.Union[bytes, t.Iterator[bytes], None]
_Item = t.TypeVar("_Item")
_Result = t.TypeVar("_Result")

if t.TYPE_CHECKING:
    import concurrent.futures  # else only where it is needed: most calls are too short for threads


class Client:
    """Connections to any number of servers, one of each for each thread. All of it ends by ``timeout``."""

    def __init__(
        self, timeout: float, retries: int = 5, threads: int = 8, ca_path: str | None = None
    ) -> None:
        self.retries, self.threads = retries, threads
        self._timeout, self._deadline = timeout, time.monotonic() + timeout
        self._ca_path = ca_path
        self._context: ssl.SSLContext | None = None
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: set[http.client.HTTPConnection] = set()
        self._expired = False
        self._pool: concurrent.futures.ThreadPoolExecutor | None = None
        # A server that sends a byte now and then never runs into a socket's own limit.
        self._watch = threading.Timer(timeout, self._expire)
        self._watch.daemon = True

    def __enter__(self) -> Client:
        self._watch.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._watch.cancel()
        if self._pool:
            self._pool.shutdown()
        for connection in list(self._open):
            connection.close()

    def _expire(self) -> None:
        self._expired = True
        for connection in list(self._open):
            with contextlib.suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads; close would not

    def each(self, items: t.Sequence[_Item], work: t.Callable[[_Item], _Result]) -> list[_Result]:
        """``work`` on all items; after an error nothing more is begun.

        One after the other costs least. Where that would take long, some at a time.
        """
        done: list[_Result] = []
        began = time.monotonic()
        while len(done) < len(items):
            if self.threads > 1 and self._is_long(began, len(done), len(items) - len(done)):
                return done + self._at_once(items[len(done) :], work)
            done.append(work(items[len(done)]))
        return done

    def _is_long(self, began: float, done: int, left: int) -> bool:
        """Whether what is left is worth threads; once it was, the registry is far away or busy."""
        if left < 2:
            return False
        if self._pool is None and done:
            taken = time.monotonic() - began
            return taken > _TASTE and taken / done * left > _PATIENCE
        return self._pool is not None

    def _at_once(self, items: t.Sequence[_Item], work: t.Callable[[_Item], _Result]) -> list[_Result]:
        import concurrent.futures

        if self._pool is None:
            self._pool = concurrent.futures.ThreadPoolExecutor(self.threads)
        futures = [self._pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            for future in futures:
                future.cancel()
            concurrent.futures.wait(futures)
            raise

    def each_apart(
        self,
        items: t.Sequence[_Item],
        work: t.Callable[[_Item], _Result],
        repository: t.Callable[[_Item], str],
    ) -> list[_Result]:
        """As ``each``, but those of one repository one after the other.

        docker-registry does not replace its files at once: who verifies a manifest while
        another writes the same link finds it empty, and is refused.
        """
        groups: dict[str, list[int]] = {}
        for number, item in enumerate(items):
            groups.setdefault(repository(item), []).append(number)
        done = self.each(
            list(groups.values()), lambda group: [(number, work(items[number])) for number in group]
        )
        return [result for _number, result in sorted((row for rows in done for row in rows), key=_first)]

    def send(
        self,
        origin: Origin,
        method: str,
        path: str,
        headers: Headers,
        body: bytes | None,
        *,
        limit: int = LIMIT,
    ) -> Answer:
        """Ask, again where it is worth it; the last answer, or ``registry_failed``.

        All that we send may arrive twice.
        """

        def once() -> Answer:
            connection = self._connection(origin)
            try:
                self._begin(connection, method, path, headers, body)
                return read_answer(connection, method, limit)
            except BaseException:
                self._drop(origin)
                raise

        return self.persist(f"{method} {origin.url}{path}", once)

    def persist(self, what: str, once: t.Callable[[], Answer]) -> Answer:
        """Call ``once``, and after failures that may pass again, with pauses that grow."""
        for attempt in range(self.retries + 1):
            pause = min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE)
            try:
                answer = once()
            except (OSError, http.client.HTTPException) as error:
                if (
                    self._expired
                    or attempt == self.retries
                    or isinstance(error, ssl.SSLCertVerificationError)
                ):
                    raise self._failed(what, error) from error
            except TooLargeError as error:
                raise DistrogateError("registry_failed", f"{what}: {error}.") from error
            else:
                if answer.status not in _AGAIN or attempt == self.retries:
                    return answer
                pause = max(pause, _asked_pause(answer))
            self._sleep(pause, what)
        raise AssertionError("unreachable")

    def _sleep(self, pause: float, what: str) -> None:
        if time.monotonic() + pause >= self._deadline:
            raise self._failed(what, TimeoutError("it fails again and again"))
        time.sleep(pause)

    def _failed(self, what: str, error: Exception) -> DistrogateError:
        if self._expired or isinstance(error, TimeoutError):
            why = f"no end within timeout ({self._timeout:g} s)"
        else:
            why = f"{type(error).__name__}: {error}"[:300]
        return DistrogateError(
            "registry_failed", f"{what}: {why}. See whether the registry is well, and run it again."
        )

    def _connection(self, origin: Origin) -> http.client.HTTPConnection:
        connections: dict[Origin, http.client.HTTPConnection] = self._local.__dict__.setdefault("open", {})
        if origin not in connections:
            connections[origin] = self.connect(origin)
        return connections[origin]

    def connect(self, origin: Origin) -> http.client.HTTPConnection:
        """A connection of its own, which the caller closes; it opens with its first request."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            self._expired = True
            raise TimeoutError("timeout")
        host, wait = origin.host.strip("[]"), max(0.1, min(left, 60.0))
        connection: http.client.HTTPConnection
        if origin.scheme == "https":
            connection = http.client.HTTPSConnection(host, origin.port, timeout=wait, context=self._secured())
        else:
            connection = http.client.HTTPConnection(host, origin.port, timeout=wait)
        connection.response_class = Response
        with self._lock:
            self._open.add(connection)
        return connection

    def _secured(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                self._context = ssl.create_default_context(cafile=self._ca_path)
            return self._context

    def close(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            self._open.discard(connection)
        connection.close()

    def _drop(self, origin: Origin) -> None:
        connection = self._local.__dict__.get("open", {}).pop(origin, None)
        if connection is not None:
            self.close(connection)

    def _begin(
        self, connection: http.client.HTTPConnection, method: str, path: str, headers: Headers, body: Body
    ) -> None:
        if connection.sock is None:
            connection.connect()
        if self._expired:  # after it is open: what came too late for the watch would never end
            raise TimeoutError("timeout")
        connection.request(method, path, body=body, headers=dict(headers))

    def open_stream(
        self, origin: Origin, path: str, headers: Headers
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """GET whose answer the caller reads; the caller closes the connection."""
        connection = self.connect(origin)
        try:
            self._begin(connection, "GET", path, headers, None)
            return connection, connection.getresponse()
        except BaseException:
            self.close(connection)
            raise

    def put_stream(self, origin: Origin, path: str, headers: Headers, body: t.Iterator[bytes]) -> Answer:
        """PUT what an iterator gives, on a connection of its own."""
        connection = self.connect(origin)
        try:
            self._begin(connection, "PUT", path, headers, body)
            return read_answer(connection, "PUT", LIMIT)
        finally:
            self.close(connection)


def _first(row: tuple[int, t.Any]) -> int:
    return row[0]


def _asked_pause(answer: Answer) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0.0
