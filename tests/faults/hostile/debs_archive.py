# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debs whose ar or tar archive lies about sizes."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.distrogate.ci.tests.faults.hostile.ar import (
    CONTROL,
    ar,
    base256,
    control,
    gz,
    member,
    octal,
    packed_deb,
    record,
    tar,
)
from ansible_collections.distrogate.ci.tests.faults.hostile.case import (
    EITHER,
    REFUSED,
    Case,
    Source,
    written,
)

_SIZES = (
    b"",
    b"-1",
    b"+5",
    b"0x10",
    b"1e3",
    b"5 5",
    b"\xb2",
    b"9999999999",
    b"1_0",
    b"\0",
    b"12\0\0",
    b"0",
    b"4096",
)
MEMBERS = (b"debian-binary", b"control.tar.gz", b"data.tar.gz")


def parts_of(source: Source) -> list[bytes]:
    text = control(source.fresh())
    return [b"2.0\n", gz(tar(record(CONTROL, text))), gz(tar(record(b"./x", b"x")))]


def case_of(source: Source, kind: str, note: object, data: bytes, expect: str = REFUSED) -> Case:
    return written(kind, note, f"{source.fresh()}.deb", data, expect)


def _ar_sizes(source: Source) -> t.Iterator[Case]:
    for place, size in itertools.product(range(3), _SIZES):
        parts = parts_of(source)
        members = [
            member(name, data, size if at == place else None)
            for at, (name, data) in enumerate(zip(MEMBERS, parts))
        ]
        yield case_of(source, "deb: ar size", (MEMBERS[place], size), ar(*members), EITHER)
    for place, delta in itertools.product(range(3), (-3, -2, -1, 1, 2, 3, 59, 60, 61)):
        members = [
            member(name, data, b"%d" % max(0, len(data) + delta) if at == place else None)
            for at, (name, data) in enumerate(zip(MEMBERS, parts_of(source)))
        ]
        yield case_of(source, "deb: ar size", (MEMBERS[place], delta), ar(*members), EITHER)


def _ar_headers(source: Source) -> t.Iterator[Case]:
    for magic in (
        b"!<arch>\r",
        b"!<thin>\n",
        b"<bigaf>\n",
        b"",
        b"!<arch>",
        b"\n!<arch>\n",
        b"!<ARCH>\n",
        b"PK\3\4",
    ):
        parts = zip(MEMBERS, parts_of(source))
        yield case_of(source, "deb: no ar", magic, ar(*(member(*part) for part in parts), magic=magic))
    for place, end in itertools.product(range(3), (b"\n`", b"``", b"\0\0", b"`\r", b"  ")):
        members = [
            member(name, data, end=end if at == place else b"`\n")
            for at, (name, data) in enumerate(zip(MEMBERS, parts_of(source)))
        ]
        yield case_of(source, "deb: ar header", (place, end), ar(*members))
    for meta in (b"-1".ljust(32), b"\xff" * 32, b"9" * 32, b" " * 32, b"\0" * 32):
        parts = zip(MEMBERS, parts_of(source))
        yield case_of(
            source, "deb: ar header", meta, ar(*(member(*part, meta=meta) for part in parts)), EITHER
        )
    for pad in (b"", b"\0", b"x"):
        parts = zip(MEMBERS, (b"2.0\n", parts_of(source)[1] + b"\0", b"x"))
        yield case_of(source, "deb: ar padding", pad, ar(*(member(*part, pad=pad) for part in parts)), EITHER)
    for text in (
        b"",
        b"2",
        b"2.",
        b"2.\n",
        b"2.0",
        b"2.9\n",
        b"2.0\nmore\n",
        b"2.0\0",
        b"3.0\n",
        b"1.0\n",
        b"20.0\n",
    ):
        yield from _format(source, text)
    for text in (b"0.939000\n", b" 2.0\n", b"-2.0\n", b"2,0\n", b"2.0\n" + bytes(1 << 20)):
        yield from _format(source, text)


def _format(source: Source, text: bytes) -> t.Iterator[Case]:
    members = [member(*part) for part in zip(MEMBERS, [text, *parts_of(source)[1:]])]
    yield case_of(source, "deb: format number", text[:20], ar(*members), EITHER)


def _tar_sizes(source: Source) -> t.Iterator[Case]:
    kind = "deb: tar size"
    sizes = [b"", b"-1", b"x", b"99999999999\0", b"77777777777\0", b" " * 12, b"0", b"8" * 12, b"\xff" * 12]
    sizes += [base256(size) for size in (0, 100, 1 << 33, 1 << 62, (1 << 88) - 1)]
    sizes += [
        b"\x80" + b"\xff" * 11,
        octal(1 << 20, 12),
        octal((1 << 33) - 1, 12),
        b"12\0 garbage",
        b" 12 \0",
    ]
    for size, name in itertools.product(sizes, (CONTROL, b"./md5sums", b"./")):
        text = control(source.fresh())
        odd = record(name, text if name == CONTROL else b"", size=size)
        yield case_of(source, kind, (name, size), packed_deb(tar(odd, record(CONTROL, text))), EITHER)
    for kind_byte in (b"L", b"K", b"x", b"g", b"S", b"V", b"M"):
        for size in (
            base256(1 << 40),
            b"77777777777\0",
            base256(-1),
            base256((1 << 88) - 1),
            octal(1 << 26, 12),
        ):
            odd = record(b"././@LongLink", b"x\0", kind_byte, size)
            data = packed_deb(tar(odd, record(CONTROL, control(source.fresh()))))
            yield case_of(source, kind, (kind_byte, size), data, EITHER)


def cases(source: Source) -> t.Iterator[Case]:
    for part in (_ar_sizes, _ar_headers, _tar_sizes):
        yield from part(source)
