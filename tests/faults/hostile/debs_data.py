# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debs whose data archive lies to what lists its files."""

from __future__ import annotations

import bz2
import itertools
import typing as t

from ansible_collections.distrogate.ci.tests.faults.hostile import values
from ansible_collections.distrogate.ci.tests.faults.hostile.ar import (
    CONTROL,
    ar,
    base256,
    control,
    gz,
    long_name,
    member,
    octal,
    pax,
    record,
    tar,
)
from ansible_collections.distrogate.ci.tests.faults.hostile.case import (
    EITHER,
    PUBLISHED,
    REFUSED,
    Case,
    Source,
    written,
)
from ansible_collections.distrogate.ci.tests.faults.hostile.debs_packed import (
    PACKERS,
    alone,
    packed_zeros,
)


def _case(
    source: Source,
    kind: str,
    note: object,
    archive: bytes | t.Callable[[], bytes],
    expect: str = EITHER,
    suffix: bytes = b".gz",
    pack: t.Callable[[bytes], bytes] = gz,
    heavy: bool = False,
    **fields: bytes,
) -> Case:
    packed_control = gz(tar(record(CONTROL, control(source.fresh(), **fields))))

    def data() -> bytes:
        body = pack(archive() if callable(archive) else archive)
        return ar(
            member(b"debian-binary", b"2.0\n"),
            member(b"control.tar.gz", packed_control),
            member(b"data.tar" + suffix, body),
        )

    return written(kind, note, f"{source.fresh()}.deb", data, expect, heavy)


def _names(source: Source) -> t.Iterator[Case]:
    kind = "data: name"
    for name in (*source.names(), *values.SEPARATORS, *values.BROKEN_TEXT):
        yield _case(source, kind, name, tar(record(b"./usr/" + name, b"x")))
        forged = b"./usr/x" + name + b"etc/shadow   admin/forged"
        yield _case(source, kind, (name, "forged"), tar(record(forged, b"x")))
    for name in (b"./" + b"x" * 5000, b"./a\nb", b"", b"./", b"/", b"../x"):
        yield _case(source, kind, name, tar(long_name(name), record(b"./short", b"x")))
        yield _case(source, kind, (name, "pax"), tar(pax((b"path", name)), record(b"./short", b"x")))
    for section in (*values.SEPARATORS[:12], b"x y", b"x,y", b"../x", b"-", b"a" * 100, b"\xc3\xa9"):
        yield _case(source, "data: section", section, tar(record(b"./x", b"x")), Section=section)


def _headers(source: Source) -> t.Iterator[Case]:
    sizes = (
        b"",
        b"-1",
        b"x",
        b"77777777777\0",
        b"8" * 12,
        base256(1 << 40),
        base256((1 << 88) - 1),
        base256(-1),
    )
    for size, type_byte in itertools.product(sizes, (b"0", b"5", b"2", b"L", b"x")):
        lie = record(b"./x", b"", type_byte, size)
        yield _case(source, "data: tar size", (type_byte, size), tar(lie, record(b"./y", b"y")))
    for type_byte in (bytes([kind]) for kind in b"1234567SxgLKVMNDZ\xff\0"):
        yield _case(source, "data: kind", type_byte, tar(record(b"./x", b"", type_byte, link=b"/etc/passwd")))
    for checksum in (b"000000\0 ", b"x" * 8, b"\xff" * 8, b"\x80" + b"\0" * 7):
        yield _case(source, "data: tar checksum", checksum, tar(record(b"./x", b"", checksum=checksum)))
    for end in (b"", bytes(512), b"x" * 512, b"x", bytes(100_000), record(b"./y", b"y" * 512)[:-100]):
        yield _case(source, "data: tar end", end[:9], tar(record(b"./x", b"x"), end=end))


def _packed(source: Source) -> t.Iterator[Case]:
    good = tar(record(b"./x", b"x"))
    packers = {**PACKERS, b".bz2": bz2.compress, b".lzma": alone}
    for suffix, (inside, pack) in itertools.product(packers, packers.items()):
        expect = PUBLISHED if suffix == inside and suffix != b".lzma" else EITHER
        yield _case(source, "data: compression", (suffix, inside), good, expect, suffix, pack)
    for suffix, pack in packers.items():
        length = len(pack(good))
        for size in sorted({0, 1, 5, 12, length // 2, *range(length - 9, length)}):

            def cut(data: bytes, pack: t.Any = pack, size: int = size) -> bytes:
                return pack(data)[:size]

            yield _case(source, "data: cut", (suffix, size), good, EITHER, suffix, cut)
        if suffix:
            for streams in (2, 1000, 100_000):

                def split(data: bytes, pack: t.Any = pack, streams: int = streams) -> bytes:
                    return pack(data[:100]) + pack(b"") * streams + pack(data[100:])

                heavy = streams > 1000
                yield _case(
                    source, "data: many streams", (suffix, streams), good, EITHER, suffix, split, heavy
                )


def _bombs(source: Source) -> t.Iterator[Case]:
    kind = "data: bomb"
    for suffix in (b".gz", b".xz", b".zst"):
        for size in (base256((1 << 30) - 512), octal(0, 12)):
            start = record(b"./x", b"", size=size)

            def bomb(_data: bytes, suffix: bytes = suffix, start: bytes = start) -> bytes:
                return packed_zeros(suffix, 1, start)

            yield _case(source, kind, (suffix, size), b"", EITHER, suffix, bomb, heavy=True)
    for count in (1000, 100_000, 1_100_000):

        def many(count: int = count) -> bytes:
            return tar(record(b"./x" * 30, b"") * count)

        yield _case(source, kind, ("members", count), many, EITHER, heavy=count > 1000)

    def names() -> bytes:
        return tar(
            *(long_name(b"./%08d/" % number + b"x" * 3900) + record(b"./x") for number in range(20_000))
        )

    yield _case(source, kind, "names of 80 MB", names, REFUSED, heavy=True)


def cases(source: Source) -> t.Iterator[Case]:
    for part in (_names, _headers, _packed, _bombs):
        yield from part(source)
