# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The unpacked bytes of a .deb's data.tar.*, as a stream: a window of them is in memory, never all."""

from __future__ import annotations

import bz2
import contextlib
import lzma
import os
import subprocess
import time
import typing as t
import zlib

from ansible_collections.distrogate.ci.plugins.module_utils._core._command import base_environment, end_group
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages._package_file import (
    bad_package,
    open_package,
)

_WINDOW = 1 << 20  # unpacked bytes
_PACKED = 1 << 16  # packed bytes; small, as many tiny streams in them cost its square
_LIMIT = 64 << 30  # unpacked bytes
_DICTIONARY = 128 << 20  # bytes that a decompressor may need
_MEMBERS = 64  # members of the ar archive that are looked at


class _Gzip:
    """zlib with the interface of the other decompressors."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


_MAKERS: dict[str, t.Callable[[], t.Any]] = {
    "data.tar.gz": _Gzip,
    "data.tar.bz2": bz2.BZ2Decompressor,
    "data.tar.xz": lambda: lzma.LZMADecompressor(memlimit=_DICTIONARY),
    "data.tar.lzma": lambda: lzma.LZMADecompressor(memlimit=_DICTIONARY),
}


def _packed(stream: t.BinaryIO, size: int) -> t.Iterator[bytes]:
    while size > 0 and (block := stream.read(min(size, _PACKED))):
        size -= len(block)
        yield block


def _inflated(blocks: t.Iterator[bytes], make: t.Callable[[], t.Any]) -> t.Iterator[bytes]:
    """What the blocks unpack to, at most a window at a time; several streams may follow each other."""
    inner = make()
    for block in blocks:
        data = block
        while True:
            if inner.eof:
                data = inner.unused_data or data
                if not data:
                    break
                inner = make()
            yield inner.decompress(data, max_length=_WINDOW)
            data = b""
            if inner.needs_input and not inner.eof:
                break
    if not inner.eof:
        raise EOFError("it is cut off")


def _from_zstd(process: subprocess.Popen[bytes]) -> t.Iterator[bytes]:
    output = t.cast(t.IO[bytes], process.stdout)
    while block := output.read(_WINDOW):
        yield block
    if process.wait():
        raise EOFError("zstd cannot unpack it")


def _zstd(stream: t.BinaryIO, stack: contextlib.ExitStack, path: str) -> subprocess.Popen[bytes]:
    """The program zstd, which reads on from where the file stands; it ends with the stack."""
    os.lseek(stream.fileno(), stream.tell(), os.SEEK_SET)
    try:
        process = subprocess.Popen(
            ["zstd", "-dcq", f"--memory={_DICTIONARY}"],
            stdin=stream,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=base_environment(),
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise DistrogateError(
            "missing_tool", f"Reading {path} needs the program zstd. Install the package zstd.", tool="zstd"
        ) from error
    stack.callback(t.cast(t.IO[bytes], process.stdout).close)
    stack.callback(end_group, process)
    return process


def _find(stream: t.BinaryIO, path: str) -> tuple[str, int]:
    """Name and size of the member data.tar*; the file stands at its contents then."""
    total = os.fstat(stream.fileno()).st_size
    if stream.read(8) != b"!<arch>\n":
        raise bad_package(path, "it is not an ar archive")
    for _number in range(_MEMBERS):
        header = stream.read(60)
        digits = header[48:58].rstrip(b" ")
        if len(header) != 60 or header[58:] != b"`\n" or not digits.isdigit():
            break
        name, size = header[:16].decode("latin-1").rstrip(" ").rstrip("/"), int(digits)
        if size > total - stream.tell():
            break
        if name.startswith("data.tar"):
            return name, size
        stream.seek(size + size % 2, os.SEEK_CUR)
    raise bad_package(path, "it is cut off or broken, or has no data archive")


class DataTar:
    """A context manager: the tar of a .deb, to be read from its beginning to its end.

    ``timeout`` is in seconds. What is broken, too large or too slow is ``bad_package``.
    """

    def __init__(self, path: str, timeout: float) -> None:
        self._path = path
        self._deadline = time.monotonic() + timeout
        self._stack = contextlib.ExitStack()
        self._blocks: t.Iterator[bytes] = iter(())
        self._buffer = b""
        self._place = 0
        self._total = 0

    def __enter__(self) -> DataTar:
        with contextlib.ExitStack() as stack:
            stream = stack.enter_context(open_package(self._path))
            name, size = _find(stream, self._path)
            if name == "data.tar":
                self._blocks = _packed(stream, size)
            elif name == "data.tar.zst":
                self._blocks = _from_zstd(_zstd(stream, stack, self._path))
            elif name in _MAKERS:
                self._blocks = _inflated(_packed(stream, size), _MAKERS[name])
            else:
                raise bad_package(self._path, f"the compression of {name!r} is not known")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _more(self) -> bool:
        """Take the next block into the window; false at the end."""
        if time.monotonic() > self._deadline:
            raise bad_package(self._path, "its data archive takes too long to unpack")
        try:
            block = next(self._blocks, None)
        except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
            raise bad_package(self._path, f"its data archive is broken ({error})") from error
        if block is None:
            return False
        self._buffer, self._place = self._buffer[self._place :] + block, 0
        self._total += len(block)
        if self._total > _LIMIT:
            raise bad_package(self._path, f"its data archive unpacks to more than {_LIMIT} bytes")
        return True

    def read(self, size: int) -> bytes:
        """``size`` bytes (which should be few), or fewer at the end."""
        while len(self._buffer) - self._place < size and self._more():
            pass
        start, self._place = self._place, min(len(self._buffer), self._place + size)
        return self._buffer[start : self._place]

    def skip(self, size: int) -> None:
        """Go on by ``size`` bytes; the end before that is an error."""
        while len(self._buffer) - self._place < size:
            size -= len(self._buffer) - self._place
            self._buffer, self._place = b"", 0
            if not self._more():
                raise bad_package(self._path, "its data archive is cut off")
        self._place += size
