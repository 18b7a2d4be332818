# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one command writes to the log of a build is bounded: its beginning and its end stay."""

from __future__ import annotations

import os

MOST = 32 << 20  # bytes of one command's output, before it is cut
HEAD = 8 << 20
TAIL = 1 << 20
_CHASES = 64  # whoever writes faster than that writes more, of which the end is kept


class Cut:
    """Cuts what was written to ``path`` after its byte ``begin``, as often as that becomes too much."""

    def __init__(self, path: str, begin: int) -> None:
        self.path = path
        self.begin = begin
        self.gone = 0

    def look(self) -> None:
        """Cut if it must be; the command goes on writing at the end (its descriptor appends)."""
        size = os.path.getsize(self.path)
        if size - self.begin <= MOST:
            return
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            tail, size = _last(descriptor, size)
            tail = tail[tail.find(b"\n") + 1 :]
            self.gone += size - self.begin - HEAD - len(tail)
            os.ftruncate(descriptor, self.begin + HEAD)
            said = f"\n# This command writes too much: {self.gone} bytes of its output were cut here.\n"
            os.write(descriptor, said.encode() + tail)
        finally:
            os.close(descriptor)


def _last(descriptor: int, size: int) -> tuple[bytes, int]:
    """What stands at the end, with what is written while it is read, and the size that this makes."""
    tail = os.pread(descriptor, TAIL, size - TAIL)
    for _time in range(_CHASES):
        more = os.pread(descriptor, TAIL, size)
        if not more:
            break
        tail, size = (tail + more)[-TAIL:], size + len(more)
    return tail, size
