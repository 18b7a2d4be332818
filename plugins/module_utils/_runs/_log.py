# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One log for a report: read once, as text without secrets, its head and tail when it is too long."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._runs._clean import Cleaner, Folder
from ansible_collections.distrogate.ci.plugins.module_utils._runs._masks import Masks, MaskStream

_BLOCK = 1 << 18
_FAR = 1 << 24
_BEFORE = 1 << 17  # bytes that are read before a tail, for what goes on into it: a private key, a sequence


@dataclasses.dataclass(frozen=True)
class Limits:
    """Bytes kept of one log and of all; letters in a line, and pieces that a longer one is folded into."""

    log: int = 64 << 20
    total: int = 256 << 20
    width: int = 4000
    pieces: int = 64


@dataclasses.dataclass
class Kept:
    """What a report has of a log; ``cut`` is a sentence, or empty."""

    size: int
    kept: int = 0
    lines: int = 0
    cut: str = ""


class _Text:
    """Bytes of a log as they are shown."""

    def __init__(self, masks: Masks, limits: Limits) -> None:
        self.cleaner = Cleaner()
        self._masks = MaskStream(masks)
        self.folder = Folder(limits.width, limits.pieces)

    def feed(self, data: bytes, final: bool = False) -> bytes:
        masked = self._masks.feed(self.cleaner.feed(data, final), final)
        return self.folder.feed(masked, final).encode("utf-8", "replace")


class _Lost:
    """Counts what is not shown."""

    def __init__(self) -> None:
        self.size = 0
        self.lines = 0

    def add(self, data: bytes) -> None:
        self.size += len(data)
        self.lines += data.count(b"\n")

    def sentence(self) -> str:
        return f"{self.size} bytes ({self.lines} lines) were cut here"


def copy_log(source: int, target: str, masks: Masks, limits: Limits, room: int) -> Kept:
    """Write the open regular file ``source`` as text to ``target``, in at most ``room`` bytes."""
    kept = Kept(os.fstat(source).st_size)
    texts, lost = [_Text(masks, limits)], _Lost()
    room = max(0, room - 200)  # for the sentence
    head = room if kept.size <= room else room // 2
    with open(target, "xb+") as out:
        at, whole = _head(source, texts[0], out, head, lost)
        if not whole:
            begin = max(at, kept.size - (room - head))
            tail = os.path.join(os.path.dirname(target), ".tail")
            with open(tail, "xb+") as ending:
                os.unlink(tail)
                texts.append(_Text(masks, limits))
                _tail(source, (at, begin, kept.size), texts[1], ending, lost)
                shown = _shown(ending, room - out.tell(), lost)
                out.write(f"{'' if _at_line(out) else ' …' + chr(10)}… {lost.sentence()} …\n".encode())
                _copy(ending, shown, out)
            kept.cut = f"{lost.sentence()[:-5]}: the log has {kept.size} bytes."
        for number, what in (
            (sum(one.folder.cut for one in texts), "characters of long lines were cut."),
            (sum(one.cleaner.nul for one in texts), "NUL bytes were left out."),
        ):
            kept.cut = f"{kept.cut} {number} {what}".strip() if number else kept.cut
        kept.kept, kept.lines = _measure(out)
    return kept


def _head(source: int, text: _Text, out: t.BinaryIO, room: int, lost: _Lost) -> tuple[int, bool]:
    """Write the beginning; returns up to where the file was read, and whether that was all."""
    size = os.fstat(source).st_size
    left, far = room, max(_FAR, 4 * room)
    block_size = min(_BLOCK, max(4096, room // 4))
    at = 0
    while True:
        block = os.pread(source, min(block_size, size - at), at)
        at += len(block)
        ended = not block or at >= size
        shown = text.feed(block, ended)
        full = len(shown) > left
        out.write(_up_to_line(shown, left, lost) if full else shown)
        left -= len(shown)
        if full or (at >= far and not ended):  # or most of it is nothing that is shown
            if not ended:
                lost.add(text.feed(b"", True))  # it may end with a part of a secret
            return at, False
        if ended:
            return at, True


def _up_to_line(shown: bytes, room: int, lost: _Lost) -> bytes:
    """As many whole lines as there is room for."""
    cut = shown.rfind(b"\n", 0, room) + 1
    lost.add(shown[cut:])
    return shown[:cut] or b"\n"


def _tail(source: int, places: tuple[int, int, int], text: _Text, ending: t.BinaryIO, lost: _Lost) -> None:
    """Write the end; what was read before it is only to know what goes on into it."""
    head, begin, size = places
    early = max(head, begin - _BEFORE)
    for block in _blocks(source, head, early):
        lost.add(block)
    for block in _blocks(source, early, begin):
        lost.add(text.feed(block))
    for block in _blocks(source, begin, size):
        ending.write(text.feed(block))
    ending.write(text.feed(b"", True))


def _shown(ending: t.BinaryIO, room: int, lost: _Lost) -> int:
    """From where the end is shown: the first whole line that there is room for."""
    size = ending.tell()
    begin = max(0, size - max(0, room))
    ending.seek(0)
    left = begin
    while left > 0:
        block = ending.read(min(_BLOCK, left))
        lost.add(block)
        left -= len(block)
    part = ending.read(_BLOCK)
    line = part.find(b"\n") + 1
    if line == len(part):
        line = 0  # nothing but half a line
    while line == 0 and part[line : line + 1] and part[line] & 0xC0 == 0x80:
        part = part[1:]  # half a letter
        begin += 1
    lost.add(part[:line])
    return begin + line


def _copy(ending: t.BinaryIO, begin: int, out: t.BinaryIO) -> None:
    ending.seek(begin)
    for block in iter(lambda: ending.read(_BLOCK), b""):
        out.write(block)


def _blocks(source: int, begin: int, end: int) -> t.Iterator[bytes]:
    while begin < end:
        block = os.pread(source, min(_BLOCK, end - begin), begin)
        if not block:
            return  # it became shorter
        yield block
        begin += len(block)


def _at_line(out: t.BinaryIO) -> bool:
    """Whether a new line begins where the file ends."""
    size = out.seek(0, os.SEEK_END)
    if size == 0:
        return True
    out.seek(size - 1)
    return out.read(1) == b"\n"


def _measure(out: t.BinaryIO) -> tuple[int, int]:
    """End the last line; returns bytes and lines."""
    if not _at_line(out):
        out.write(b"\n")
    size = out.seek(0, os.SEEK_END)
    out.seek(0)
    return size, sum(block.count(b"\n") for block in iter(lambda: out.read(_BLOCK), b""))
