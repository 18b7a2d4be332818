# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading files by their address: folders of this host, and web servers; bounded in bytes and in time."""

from __future__ import annotations

import http.client
import os
import stat
import time
import typing as t
import urllib.error
import urllib.parse
import urllib.request

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_BLOCK = 1 << 20
_SILENCE = 30.0  # seconds in which a server must say something
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class MissingError(Exception):
    """There is no such file."""


def _opener() -> urllib.request.OpenerDirector:
    """Web servers only, also where one sends us elsewhere: neither files nor ftp."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.UnknownHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


class Fetcher:
    """Reads http, https and file addresses, and absolute paths; all of it ends in ``timeout`` seconds."""

    def __init__(self, timeout: float) -> None:
        self._deadline = time.monotonic() + timeout
        self._opener = _opener()

    def read(self, address: str, limit: int) -> bytes:
        """The whole file. Errors: ``MissingError``; ``unreachable``, ``bad_address``."""
        data = bytearray()
        self.copy(address, data.extend, limit)
        return bytes(data)

    def copy(self, address: str, take: t.Callable[[bytes], t.Any], limit: int) -> int:
        """Give the file to ``take``, block by block; returns its size. Errors: as for ``read``."""
        size = 0
        try:
            with self._opened(address) as stream:
                while block := stream.read(_BLOCK):
                    size += len(block)
                    if size > limit:
                        raise _failed(address, f"it has more than {limit} bytes")
                    if time.monotonic() > self._deadline:
                        raise _failed(address, "the time limit is over")
                    take(block)
                left = getattr(stream, "length", None)
                if left:
                    raise _failed(address, f"it ended {left} bytes early")
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (404, 410):
                raise MissingError(address) from error
            raise _failed(address, f"HTTP status {error.code}") from error
        except (http.client.HTTPException, urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise _failed(address, str(getattr(error, "reason", error)) or repr(error)) from error
        return size

    def _opened(self, address: str) -> t.Any:
        if not address.isprintable() or " " in address:
            raise DistrogateError("bad_address", f"{address[:200]!r} has spaces or control characters.")
        try:
            parts = urllib.parse.urlsplit(address)
        except ValueError as error:
            raise DistrogateError("bad_address", f"{address[:200]!r} is no address.") from error
        if parts.scheme in ("http", "https"):
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise _failed(address, "the time limit is over")
            return self._opener.open(address, timeout=min(_SILENCE, left))
        if parts.scheme in ("file", "copy"):
            return _plain(urllib.parse.unquote(parts.path))
        if address.startswith("/"):
            return _plain(address)
        raise DistrogateError(
            "bad_address",
            f"{address[:200]!r} is neither an http, https or file address nor an absolute path.",
        )


def _plain(path: str) -> t.BinaryIO:
    try:
        descriptor = os.open(path, _FILE)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingError(path) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise DistrogateError("bad_address", f"{path} is no plain file.")
    return os.fdopen(descriptor, "rb", buffering=0)


def shown(address: str) -> str:
    """The address as a message has it: without a password."""
    try:
        parts = urllib.parse.urlsplit(address)
    except ValueError as error:
        raise DistrogateError("bad_address", f"{address[:200]!r} is no address.") from error
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _failed(address: str, why: str) -> DistrogateError:
    line = "".join(letter if letter.isprintable() else " " for letter in why)[:300]
    said = f"{shown(address)} could not be read: {line}. Try again when it can."
    return DistrogateError("unreachable", said)
