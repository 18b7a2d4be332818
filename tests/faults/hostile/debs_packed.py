# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debs whose compression lies: bombs, other formats, streams that end early; and plain damage."""

from __future__ import annotations

import bz2
import itertools
import lzma
import struct
import subprocess
import typing as t
import zlib

from ansible_collections.distrogate.ci.tests.faults.hostile.ar import (
    CONTROL,
    ar,
    control,
    deb,
    gz,
    member,
    packed_deb,
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


def zst(data: bytes, *options: str) -> bytes:
    return subprocess.run(["zstd", "-cq", *options], input=data, capture_output=True, check=True).stdout


def xz(data: bytes) -> bytes:
    return lzma.compress(data, preset=0)


def alone(data: bytes) -> bytes:
    return lzma.compress(data, lzma.FORMAT_ALONE, preset=0)


PACKERS: dict[bytes, t.Callable[[bytes], bytes]] = {b"": bytes, b".gz": gz, b".xz": xz, b".zst": zst}


def packed_zeros(suffix: bytes, gigabytes: int, start: bytes = b"") -> bytes:
    """As much nothing behind a beginning, made piece by piece."""
    piece, count = bytes(1 << 24), gigabytes << 6
    if suffix == b".zst":
        argv = ["zstd", "-cq"]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            stdin, stdout = t.cast("t.IO[bytes]", process.stdin), t.cast("t.IO[bytes]", process.stdout)
            for block in (start, *[piece] * count):  # what comes out fits into the pipe's buffer
                stdin.write(block)
            stdin.close()
            return stdout.read()
    packer: t.Any = (
        zlib.compressobj(1, zlib.DEFLATED, 31) if suffix == b".gz" else lzma.LZMACompressor(preset=0)
    )
    return b"".join(
        [packer.compress(start), *(packer.compress(piece) for _n in range(count)), packer.flush()]
    )


def _case(
    source: Source, kind: str, note: object, data: t.Any, expect: str = REFUSED, heavy: bool = False
) -> Case:
    return written(kind, note, f"{source.fresh()}.deb", data, expect, heavy)


def _bombs(source: Source) -> t.Iterator[Case]:
    kind = "deb: bomb"
    for suffix, pack in PACKERS.items():
        for size in (64 << 20, 65 << 20):  # the control file comes first: what follows still counts
            text = record(CONTROL, control(source.fresh()))

            def make(
                suffix: bytes = suffix, pack: t.Any = pack, text: bytes = text, size: int = size
            ) -> bytes:
                return packed_deb(text + bytes(size), suffix, pack)

            yield _case(source, kind, (suffix, size), make, EITHER, heavy=True)
    for suffix in (b".gz", b".xz", b".zst"):

        def zeros(suffix: bytes = suffix) -> bytes:
            bomb = packed_zeros(suffix, 1)
            return ar(
                member(b"debian-binary", b"2.0\n"),
                member(b"control.tar" + suffix, bomb),
                member(b"data.tar", b""),
            )

        yield _case(source, kind, (suffix, "1 GiB"), zeros, REFUSED, heavy=True)
    for suffix, pack in list(PACKERS.items())[1:]:
        nested = pack(pack(pack(tar(record(CONTROL, control(source.fresh()))) + bytes(1 << 20))))
        yield _case(source, "deb: nested", suffix, packed_deb(nested, suffix, bytes), REFUSED)
    huge = b"\x5d" + struct.pack("<I", 0xFFFFFFFF) + struct.pack("<Q", (1 << 64) - 1) + bytes(64)
    yield _case(source, kind, "lzma alone, dictionary of 4 GiB", packed_deb(huge, b".xz", bytes))
    wide = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 27}]
    for size in (1 << 27, 1 << 29, 3 << 29):
        filters = [{**wide[0], "dict_size": 1 << 20}]
        data = lzma.compress(tar(record(CONTROL, control(source.fresh()))), filters=filters)
        yield _case(
            source, kind, ("xz dictionary", size), packed_deb(_wide_xz(data, size), b".xz", bytes), EITHER
        )
    for window in (27, 28, 31):
        data = zst(tar(record(CONTROL, control(source.fresh()))), "--ultra", f"--long={window}", "--no-check")
        yield _case(source, kind, ("zst window", window), packed_deb(data, b".zst", bytes), EITHER)
    # A frame that says it needs a window of 2 GiB or of an exabyte, and one of unknown size.
    for descriptor in (0xA8, 0xFF, 0x98):
        data = b"\x28\xb5\x2f\xfd\x00" + bytes([descriptor]) + b"\x01\x00\x00" + bytes(64)
        yield _case(source, kind, ("zst header", descriptor), packed_deb(data, b".zst", bytes))
    yield _case(source, kind, "packed 17 MiB", lambda: packed_deb(bytes(17 << 20), b"", bytes))


def _wide_xz(data: bytes, size: int) -> bytes:
    """The same stream, with another dictionary size in its block header (xz file format 5.3.1)."""
    exponent = next(e for e in range(41) if (2 | e & 1) << (e // 2 + 11) >= size)
    length = (data[12] + 1) * 4
    header = bytearray(data[12 : 12 + length - 4])
    header[4 if header[1] & 0xC0 == 0 else -1] = exponent
    return data[:12] + bytes(header) + struct.pack("<I", zlib.crc32(header)) + data[12 + length :]


def _formats(source: Source) -> t.Iterator[Case]:
    packers = {**PACKERS, b".bz2": bz2.compress, b".lzma": alone}
    for suffix, (inside, pack) in itertools.product(packers, packers.items()):
        data = packed_deb(tar(record(CONTROL, control(source.fresh()))), suffix, pack)
        expect = PUBLISHED if suffix == inside and suffix in PACKERS else EITHER
        yield _case(source, "deb: other compression", (suffix, inside), data, expect)
    for suffix, pack in list(PACKERS.items())[1:]:
        one, two, three = (record(CONTROL, control(source.fresh())) for _number in range(3))
        streams = (pack(one) + pack(two), pack(three[:100]) + pack(three[100:]))
        four, five = (record(CONTROL, control(source.fresh())) for _number in range(2))
        for data in (*streams, pack(four) + b"garbage", pack(b"") + pack(five)):
            yield _case(source, "deb: several streams", suffix, packed_deb(data, suffix, bytes), EITHER)
        for size in (1, 20, 100, 10_000):
            noise = source.chance.randbytes(size)
            yield _case(source, "deb: noise packed", size, packed_deb(noise, suffix, bytes))
        length = len(pack(tar(record(CONTROL, control(source.fresh())))))
        for size in sorted({0, 1, 2, 5, 9, 10, 11, 12, length // 2, *range(length - 9, length)}):
            whole = pack(tar(record(CONTROL, control(source.fresh()))))
            data = packed_deb(whole[:size], suffix, bytes)
            yield _case(source, "deb: stream cut", (suffix, size), data, EITHER)
        for _number in range(25):
            data = bytearray(pack(tar(record(CONTROL, control(source.fresh())))))
            place = source.chance.randrange(len(data))
            data[place] ^= 1 << source.chance.randrange(8)
            damaged = packed_deb(bytes(data), suffix, bytes)
            yield _case(source, "deb: stream damaged", (suffix, place), damaged, EITHER)


def _cuts(source: Source) -> t.Iterator[Case]:
    for suffix, pack in PACKERS.items():
        whole = deb(control(source.fresh()), suffix, pack)
        edges = {0, 1, 7, 8, 9, 67, 68, 69, 71, 72, 73, 131, 132, 133}
        places = edges | {len(whole) - back for back in (1, 2, 3, 50, 60, 61, 120)}
        places |= {source.chance.randrange(len(whole)) for _number in range(12)}
        for place in sorted(place for place in places if 0 <= place < len(whole)):
            yield _case(source, "deb: cut", (suffix, place), whole[:place])


def _damage(source: Source) -> t.Iterator[Case]:
    for number in range(240):
        suffix, pack = source.chance.choice(list(PACKERS.items())[:3])
        data = bytearray(deb(control(source.fresh()), suffix, pack))
        notes = []
        for _change in range(source.chance.choice((1, 1, 2, 8))):
            place = source.chance.randrange(min(len(data), 800))
            data[place] = source.chance.choice((0, 10, 32, 47, 48, 255, source.chance.randrange(256)))
            notes.append((place, data[place]))
        if number % 10 == 0:
            place = source.chance.randrange(len(data))
            data[place:place] = source.chance.randbytes(source.chance.randrange(1, 100))
        yield _case(source, "deb: damaged", (suffix, notes), bytes(data), EITHER)


def cases(source: Source) -> t.Iterator[Case]:
    for part in (_bombs, _formats, _cuts, _damage):
        yield from part(source)
