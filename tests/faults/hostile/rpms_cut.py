# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rpms that end early, with strange leads and signatures, or damaged at random."""

from __future__ import annotations

import itertools
import struct
import typing as t

from ansible_collections.distrogate.ci.tests.faults.hostile import rpm_writer as w
from ansible_collections.distrogate.ci.tests.faults.hostile.case import EITHER, REFUSED, Case, Source, written
from ansible_collections.distrogate.ci.tests.faults.hostile.rpms_text import case, changed


def _raw(
    source: Source, kind: str, note: object, data: t.Any, expect: str = EITHER, heavy: bool = False
) -> Case:
    return written(kind, note, f"{source.fresh()}.rpm", data, expect, heavy)


def _cuts(source: Source) -> t.Iterator[Case]:
    tags = w.good_tags(source.fresh())
    whole, main = w.rpm(tags), w.header(tags, 63)
    start = whole.index(main)
    edges = {
        0,
        1,
        95,
        96,
        97,
        104,
        111,
        112,
        113,
        start - 1,
        start,
        start + 1,
        start + 15,
        start + 16,
        start + 17,
    }
    edges |= {start + len(main) - 1, start + 16 + 16 * 40}
    edges |= {source.chance.randrange(start + len(main)) for _number in range(60)}
    for place in sorted(edges):
        yield _raw(source, "rpm: cut", place, whole[:place], REFUSED)
    for place in (start + len(main), len(whole) - 1, len(whole) - 10):
        own = w.rpm(w.good_tags(source.fresh()))
        yield _raw(source, "rpm: payload cut", place, own[: place - len(whole)], EITHER)
    for garbage in (b"\0", b"x" * 100, w.rpm(w.good_tags(source.fresh()))):
        yield _raw(source, "rpm: garbage behind", garbage[:4], w.rpm(w.good_tags(source.fresh())) + garbage)


def _leads(source: Source) -> t.Iterator[Case]:
    for magic in (b"", b"\0\0\0\0", b"\xed\xab\xee\xda", b"!<ar", b"\xdb\xee\xab\xed"):
        tags = w.good_tags(source.fresh())
        yield case(source, "rpm: lead", magic, tags, REFUSED, front=w.lead(magic=magic))
    for kind, rest in itertools.product((0, 1, 2, 0xFFFF), (0, 4, 5, 0xFFFF)):
        tags = w.good_tags(source.fresh())
        yield case(source, "rpm: lead", (kind, rest), tags, front=w.lead(kind=kind, rest=rest))
    for place in range(4, 96, 7):
        front = bytearray(w.lead())
        front[place] = 255
        yield case(source, "rpm: lead", place, w.good_tags(source.fresh()), front=bytes(front))
    for arch in (b"src", b"noarch"):
        tags = changed(source, w.ARCH, w.texts(w.STRING, arch))
        del tags[w.SOURCERPM]
        yield case(source, "rpm: source package", arch, tags, front=w.lead(kind=1))
    for entry in (w.texts(w.STRING, b""), w.texts(w.STRING, b"../x.src.rpm"), w.texts(w.STRINGS, b"a", b"b")):
        yield case(source, "rpm: source package", entry.data, changed(source, w.SOURCERPM, entry))
    tags = w.good_tags(source.fresh())
    tags[1106] = w.numbers(w.INT32, 1)
    yield case(source, "rpm: source package", "SOURCEPACKAGE", tags)
    tags = w.good_tags(source.fresh())
    del tags[w.SOURCERPM]
    yield case(source, "rpm: source package", "no SOURCERPM", tags)


def _signatures(source: Source) -> t.Iterator[Case]:
    kind = "rpm: signature"
    for tag, size in itertools.product((267, 268, 1002, 1005, 1008), (0, 1, 100, 65_536, 1 << 20)):
        more = {tag: w.Entry(w.BINARY, size, b"\x88" * size)}
        yield case(source, kind, (tag, size), w.good_tags(source.fresh()), more=more)
    for tag, entry in (
        (269, w.texts(w.STRING, b"0" * 40)),
        (269, w.texts(w.STRING, b"not hex")),
        (269, w.numbers(w.INT32, 1)),
        (273, w.texts(w.STRING, b"0" * 64)),
        (273, w.texts(w.STRING, b"")),
        (273, w.Entry(w.STRING, 1, b"unterminated")),
        (1004, w.Entry(w.BINARY, 16, bytes(16))),
        (1004, w.Entry(w.BINARY, 0, b"")),
        (1000, w.numbers(w.INT32, 0xFFFFFFFF)),
        (1000, w.numbers(w.INT64, 1 << 62)),
        (1007, w.numbers(w.INT32, 0xFFFFFFFF)),
        (270, w.numbers(w.INT64, 1 << 63)),
        (271, w.numbers(w.INT64, 1 << 63)),
    ):
        yield case(source, kind, (tag, entry.kind), w.good_tags(source.fresh()), more={tag: entry})
    for _number in range(20):
        yield case(
            source,
            "rpm: wrong digests",
            "",
            w.good_tags(source.fresh()),
            change=_noise(source),
            digests=False,
        )
    for entries, size in ((1 << 20, 0), (0, 1 << 26), (1 << 22, 1 << 26), (4, 60 << 20), (3_000_000, 8)):

        def bomb(entries: int = entries, size: int = size, name: str = source.fresh()) -> bytes:
            body = struct.pack(">IIII", 1008, w.BINARY, 0, size) * entries + bytes(size)
            start = b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">II", entries, size) + body
            return w.lead() + start + bytes(-len(start) % 8) + w.header(w.good_tags(name), 63) + w.PAYLOAD

        yield _raw(source, "rpm: signature bomb", (entries, size), bomb, EITHER, heavy=True)


def _noise(source: Source) -> t.Callable[[bytes], bytes]:
    """Change a few bytes, mostly in the index, where each means something."""
    changes = [
        (
            source.chance.random() ** 2,
            source.chance.choice((0, 1, 4, 6, 8, 16, 127, 128, 255, source.chance.randrange(256))),
        )
        for _change in range(source.chance.choice((1, 1, 1, 2, 4)))
    ]

    def change(main: bytes) -> bytes:
        data = bytearray(main)
        for place, value in changes:
            data[int(place * len(data))] = value
        return bytes(data)

    return change


def _damage(source: Source) -> t.Iterator[Case]:
    for number in range(300):
        tags = w.good_tags(source.fresh())
        yield case(source, "rpm: damaged", number, tags, change=_noise(source))
    for number in range(60):
        data = bytearray(w.rpm(w.good_tags(source.fresh())))
        for _change in range(source.chance.randrange(1, 6)):
            data[source.chance.randrange(len(data))] = source.chance.randrange(256)
        yield _raw(source, "rpm: damaged anywhere", number, bytes(data))


def cases(source: Source) -> t.Iterator[Case]:
    for part in (_cuts, _leads, _signatures, _damage):
        yield from part(source)
