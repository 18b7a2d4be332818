# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ar and tar archives in which every field can be wrong (ar(5), tar(5), deb(5))."""

from __future__ import annotations

import gzip
import typing as t


def member(
    name: bytes,
    data: bytes,
    size: bytes | None = None,
    end: bytes = b"`\n",
    meta: bytes = b"0           0     0     100644  ",
    pad: bytes = b"\n",
) -> bytes:
    """An ar member; ``size`` overrides what its header says, ``meta`` is date, owner, group and mode."""
    stated = b"%d" % len(data) if size is None else size
    return (name.ljust(16) + meta + stated.ljust(10) + end + data) + (pad if len(data) % 2 else b"")


def ar(*members: bytes, magic: bytes = b"!<arch>\n") -> bytes:
    return magic + b"".join(members)


def octal(number: int, width: int) -> bytes:
    return b"%0*o\0" % (width - 1, number)


def base256(number: int, width: int = 12) -> bytes:
    """GNU's and POSIX's answer to sizes over 8 GiB: a first byte with the high bit, then the number."""
    return (number & ((1 << 8 * width) - 1) | 1 << (8 * width - 1)).to_bytes(width, "big")


def record(
    name: bytes,
    data: bytes = b"",
    kind: bytes = b"0",
    size: bytes | None = None,
    prefix: bytes = b"",
    link: bytes = b"",
    magic: bytes = b"ustar  \0",
    checksum: bytes | None = None,
    mode: bytes = b"0000644\0",
) -> bytes:
    """A tar header with its data, padded; ``size`` and ``checksum`` override what belongs there."""
    stated = octal(len(data), 12) if size is None else size
    head = name[:100].ljust(100, b"\0") + mode + octal(0, 8) * 2 + stated.ljust(12, b"\0") + octal(0, 12)
    tail = kind + link[:100].ljust(100, b"\0") + magic + bytes(64) + octal(0, 8) * 2
    tail += prefix[:155].ljust(155, b"\0") + bytes(12)
    summed = checksum or b"%06o\0 " % (sum(head) + 8 * 32 + sum(tail))
    return head + summed.ljust(8) + tail + data + bytes(-len(data) % 512)


END = bytes(1024)


def tar(*records: bytes, end: bytes = END) -> bytes:
    return b"".join(records) + end


def pax(*fields: tuple[bytes, bytes], kind: bytes = b"x") -> bytes:
    """A record of extended headers for the member that follows (``g``: for all)."""
    lines = []
    for name, value in fields:
        body = b" %s=%s\n" % (name, value)
        length = len(body) + 1
        while len(b"%d" % length) + len(body) != length:
            length += 1
        lines.append(b"%d" % length + body)
    return record(b"././@PaxHeader", b"".join(lines), kind, magic=b"ustar\x0000")


def long_name(name: bytes, kind: bytes = b"L", size: bytes | None = None) -> bytes:
    """GNU's record of a name that does not fit."""
    return record(b"././@LongLink", name + b"\0", kind, size)


def gz(data: bytes) -> bytes:
    return gzip.compress(data, 1, mtime=0)


CONTROL = b"./control"


def deb(
    control: bytes,
    suffix: bytes = b".gz",
    pack: t.Callable[[bytes], bytes] = gz,
    behind: bytes = b"",
) -> bytes:
    """A package with this control file."""
    return packed_deb(tar(record(CONTROL, control)), suffix, pack, behind)


def packed_deb(
    archive: bytes, suffix: bytes = b".gz", pack: t.Callable[[bytes], bytes] = gz, behind: bytes = b""
) -> bytes:
    """A package with this control archive."""
    return (
        ar(
            member(b"debian-binary", b"2.0\n"),
            member(b"control.tar" + suffix, pack(archive)),
            member(b"data.tar.gz", gz(tar(record(b"./usr/share/x", b"x")))),
        )
        + behind
    )


def control(name: str, *more: bytes, **fields: bytes) -> bytes:
    """A control file; ``fields`` replace the values of its own fields, ``more`` are whole lines."""
    own = {
        "Package": name.encode(),
        "Version": b"1.0-1",
        "Architecture": b"all",
        "Maintainer": b"N <n@example.org>",
        "Depends": b"libc6 (>= 2)",
        "Section": b"misc",
        "Homepage": b"https://example.org/",
        "Description": b"a package\n with a long text\n .\n in it",
        **fields,
    }
    return b"".join(b"%s: %s\n" % (key.encode(), value) for key, value in own.items()) + b"".join(more)
