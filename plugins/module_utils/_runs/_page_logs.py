# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The logs inside the page: compressed in small pieces, each of whole lines, as data that nothing runs.

The browser unpacks the pieces that are looked at. Here one piece at a time is in memory.
"""

from __future__ import annotations

import base64
import collections
import contextlib
import typing as t
import zlib

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._runs._matters import lines_that_matter
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_model import (
    Json,
    Report,
    Stage,
    number,
    open_plain,
    text,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._plain import plain_line

_PIECE = 256 << 10  # measured: a browser unpacks four such at once, in a millisecond each
_LONGEST = 2 << 20  # bytes of one line
_BLOCK = 1 << 20
_LEVEL = 1  # twice as fast as the next, and a tenth larger
_TAIL = 4000  # lines at the end in which those that matter are looked for


def pieces(stream: t.BinaryIO) -> t.Iterator[tuple[int, bytes]]:
    """How many lines a piece has, and what it holds: its lines, each with its end."""
    held = b""
    while True:
        block = stream.read(_PIECE)
        if not block:
            break
        held += block
        end = held.rfind(b"\n") + 1
        if not end and len(held) > _LONGEST:
            held = _without_rest(held, stream)
            end = held.rfind(b"\n") + 1
        if end:
            yield held.count(b"\n", 0, end), held[:end]
            held = held[end:]
    if held:
        whole = held if held.endswith(b"\n") else held + b"\n"
        yield whole.count(b"\n"), whole


def _without_rest(held: bytes, stream: t.BinaryIO) -> bytes:
    """A line that is too long, up to the limit, and what follows it in the last block."""
    more, rest = len(held) - _LONGEST, b""
    while True:
        block = stream.read(_BLOCK)
        line, end, rest = block.partition(b"\n")
        more += len(line)
        if end or not block:
            break
    said = f" [… {more:,} more bytes of this line are not on this page]\n".encode()
    return held[:_LONGEST] + said + rest


def write_logs(report: Report, write: t.Callable[[str], object]) -> list[Json]:
    """Put every log into the page; returns what its script has to know of them."""
    known = []
    for position, log in enumerate(report.logs):
        path = text(log.get("path"))
        facts: Json = {
            "path": path,
            "stage": text(log.get("stage")),
            "cut": text(log.get("cut")),
            "bytes": number(log.get("bytes")),
            "pieces": [],
        }
        try:
            with open_plain(report.path, path) as stream:
                for lines, data in pieces(stream):
                    packed = base64.b64encode(zlib.compress(data, _LEVEL)).decode()
                    write(
                        f'<script type="application/octet-stream" data-log="{position}">{packed}</script>\n'
                    )
                    facts["pieces"].append(lines)
        except (OSError, DistrogateError) as error:
            facts["cut"] = f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"
        known.append(facts)
    return known


def _end(report: Report, path: str) -> tuple[int, list[str]]:
    """How many lines a log has, and the last of them, as a person reads them."""
    last: collections.deque[bytes] = collections.deque(maxlen=_TAIL)
    total = 0
    with contextlib.suppress(OSError, DistrogateError), open_plain(report.path, path) as stream:
        for lines, data in pieces(stream):
            total += lines
            last.extend(data.split(b"\n")[:-1])
    return total, [plain_line(line[:_BLOCK].decode("utf-8", "replace")) for line in last]


def what_matters(report: Report, path: str) -> list[tuple[int, str]]:
    """The lines of a log that say why it failed, with their numbers; 0 for what stands between them."""
    total, shown = _end(report, path)
    found: list[tuple[int, str]] = []
    place = len(shown)
    for line in reversed(lines_that_matter(f"{report.path}/{path}") if shown else []):
        here = next((index for index in range(place - 1, -1, -1) if shown[index] == line), None)
        if here is not None:
            place = here
        found.append((total - len(shown) + here + 1 if here is not None else 0, line))
    return found[::-1]


def last_lines(report: Report, path: str, many: int = 60) -> str:
    """The end of a log, for browsers that may run no script."""
    return "\n".join(_end(report, path)[1][-many:])


def first_log(report: Report, culprit: Stage | None, path: str) -> int:
    """Which log is open at first: that of the stage that failed, else the largest."""
    if culprit and path:
        return next((place for place, log in enumerate(report.logs) if log.get("path") == path), 0)
    sizes = [number(log.get("kept_bytes")) or number(log.get("bytes")) for log in report.logs]
    return sizes.index(max(sizes)) if sizes else 0
