# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server answered: a whole head, a whole body, and no more of it than was agreed."""

from __future__ import annotations

import http.client
import typing as t

LIMIT = 4 << 20  # bytes of an answer: no manifest may be larger
_BLOCK = 1 << 20


class Answer(t.NamedTuple):
    """What a server said."""

    status: int
    headers: http.client.HTTPMessage
    data: bytes = b""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class TooLargeError(Exception):
    """An answer is larger than it may be."""


class _Lines:
    """A stream in which a line that does not end is an error: http.client takes it for the last header."""

    def __init__(self, stream: t.Any) -> None:
        self._stream = stream

    def readline(self, limit: int) -> bytes:
        line: bytes = self._stream.readline(limit)
        if not line.endswith(b"\n") and len(line) < limit:
            raise ConnectionError("the connection ended within the head of the answer")
        return line


class Response(http.client.HTTPResponse):
    """An answer whose head is whole."""

    def begin(self) -> None:
        stream = self.fp
        self.fp = t.cast(t.Any, _Lines(stream))
        try:
            super().begin()
        finally:
            self.fp = stream


def read_answer(connection: http.client.HTTPConnection, method: str, limit: int) -> Answer:
    """The whole answer, so that the connection can be used again."""
    response = connection.getresponse()
    length = response.length  # None when it is not said
    if method == "HEAD" or length == 0:
        response.read()
        return Answer(response.status, response.headers)
    if (length or 0) > limit:
        raise TooLargeError(f"the answer has {length} bytes, more than {limit}")
    if length is not None:
        data = response.read(length)
        if len(data) != length:
            raise http.client.IncompleteRead(data, length - len(data))
    else:
        data = b"".join(blocks(response, limit))
    response.read()
    return Answer(response.status, response.headers, data)


def blocks(response: http.client.HTTPResponse, limit: int) -> t.Iterator[bytes]:
    """An answer in blocks; ``TooLargeError`` when there are more than ``limit`` bytes."""
    total = 0
    while True:
        block = response.read(_BLOCK)
        if not block:
            return
        total += len(block)
        if total > limit:
            raise TooLargeError(f"the answer has more than {limit} bytes")
        yield block
