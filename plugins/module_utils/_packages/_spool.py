# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pieces of data by name: few in memory, many in a file that nobody else sees."""

from __future__ import annotations

import os
import typing as t

_MEMORY = 16 << 20  # bytes that stay in memory


class Spool:
    """Data under names, each added once."""

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}
        self._size = 0
        self._file: t.IO[bytes] | None = None
        self._places: dict[str, tuple[int, int]] = {}  # offset and size in the file
        self._end = 0

    def __contains__(self, name: str) -> bool:
        return name in self._held or name in self._places

    def __iter__(self) -> t.Iterator[str]:
        yield from self._held
        yield from self._places

    def add(self, name: str, data: bytes) -> None:
        """Keep ``data``."""
        if self._size + len(data) <= _MEMORY:
            self._held[name] = data
            self._size += len(data)
            return
        if self._file is None:
            import tempfile  # few publishes are so large

            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 -- it lives as long as this
        self._file.write(data)
        self._places[name] = (self._end, len(data))
        self._end += len(data)

    def get(self, name: str) -> bytes:
        """All of it."""
        if name in self._held:
            return self._held[name]
        data = bytearray(self._places[name][1])
        self.read(name, 0, memoryview(data))
        return bytes(data)

    def read(self, name: str, begin: int, into: memoryview) -> None:
        """Fill ``into`` from the byte ``begin``."""
        if name in self._held:
            into[:] = memoryview(self._held[name])[begin : begin + len(into)]
        elif self._file is not None:
            os.preadv(self._file.fileno(), [into], self._places[name][0] + begin)
