"""A proxy on loopback that loses answers, or delivers requests late; and servers that answer nonsense."""

from __future__ import annotations

import contextlib
import socket
import threading
import typing as t

Handler = t.Callable[[socket.socket], None]


class Server:
    """Calls ``handler`` with each connection, in a thread of its own."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *exc: object) -> None:
        # shutdown wakes the thread that accepts; close alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection = self._listener.accept()[0]
                threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            self._handler(connection)


S = t.TypeVar("S", bound=Server)


class FaultyProxy(Server):
    """Stands before one endpoint. Requests that contain ``marker`` meet a fault, ``times`` times."""

    def __init__(self, target: str, marker: bytes = b"request_put") -> None:
        host, port = target.split(":")
        self._target = (host, int(port))
        self._marker = marker
        self._fault = ""
        self._times = 0
        self._held: list[bytes] = []
        super().__init__(self._relay)

    def lose_answers(self, times: int = 1) -> None:
        """The request arrives; the connection breaks before its answer."""
        self._fault, self._times = "lose", times

    def hold_requests(self, times: int = 1) -> None:
        """The connection breaks, and the request arrives when ``release`` is called."""
        self._fault, self._times = "hold", times

    def stop_faults(self) -> None:
        self._times = 0

    def release(self) -> list[bytes]:
        """Deliver what was held; returns the answers."""
        held, self._held = self._held, []
        return [self._ask(request) for request in held]

    def _relay(self, client: socket.socket) -> None:
        with socket.create_connection(self._target) as server:
            while True:
                request = client.recv(1 << 20)
                if not request:
                    return
                if self._times and self._marker in request:
                    self._times -= 1
                    if self._fault == "hold":
                        self._held.append(request)
                    else:
                        self._ask(request)
                    return
                server.sendall(request)
                client.sendall(server.recv(1 << 20))

    def _ask(self, request: bytes) -> bytes:
        with socket.create_connection(self._target) as server:
            server.sendall(request)
            return server.recv(1 << 20)
