# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small writer of rpm files in which every field can be set at will.

Lead, signature header, header, payload: the format of rpm 4 ("Package File
Format" in rpm's documentation, docs/manual/format_v4.md and format_header.md).
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import struct
import typing as t

CHAR, INT8, INT16, INT32, INT64, STRING, BINARY, STRINGS, I18N = range(1, 10)
_WIDTHS = {INT8: "B", INT16: "H", INT32: "I", INT64: "Q"}
_REGION_SIGNATURE, _REGION_MAIN = 62, 63

NAME, VERSION, RELEASE, EPOCH, SUMMARY, DESCRIPTION, BUILDTIME = 1000, 1001, 1002, 1003, 1004, 1005, 1006
BUILDHOST, SIZE, VENDOR, LICENSE, PACKAGER, GROUP, URL, ARCH = 1007, 1009, 1011, 1014, 1015, 1016, 1020, 1022
FILESIZES, FILEMODES, FILEMTIMES, FILEFLAGS, SOURCERPM = 1028, 1030, 1034, 1037, 1044
PROVIDENAME, REQUIREFLAGS, REQUIRENAME, REQUIREVERSION = 1047, 1048, 1049, 1050
CONFLICTFLAGS, CONFLICTNAME, CONFLICTVERSION = 1053, 1054, 1055
CHANGELOGTIME, CHANGELOGNAME, CHANGELOGTEXT = 1080, 1081, 1082
OBSOLETENAME, PROVIDEFLAGS, PROVIDEVERSION, OBSOLETEFLAGS, OBSOLETEVERSION = 1090, 1112, 1113, 1114, 1115
DIRINDEXES, BASENAMES, DIRNAMES = 1116, 1117, 1118
_CPIO_END = (b"070701" + b"0" * 88 + b"0000000B" + b"0" * 8 + b"TRAILER!!!\0").ljust(124, b"\0")


@dataclasses.dataclass(frozen=True)
class Entry:
    """A tag's value as it is stored; ``count`` and ``kind`` may lie about ``data``."""

    kind: int
    count: int
    data: bytes


def numbers(kind: int, *values: int) -> Entry:
    return Entry(kind, len(values), struct.pack(f">{len(values)}{_WIDTHS[kind]}", *values))


def texts(kind: int, *values: bytes) -> Entry:
    return Entry(kind, len(values), b"".join(value + b"\0" for value in values))


Tags = dict[int, Entry]


def header(tags: Tags, region: int = 0) -> bytes:
    """Index and store; with ``region`` they end with the trailer that librpm asks for."""
    index, store = [], b""
    for tag, entry in sorted(tags.items()):
        store += bytes(-len(store) % {INT16: 2, INT32: 4, INT64: 8}.get(entry.kind, 1))
        index.append(struct.pack(">IIII", tag, entry.kind, len(store), entry.count))
        store += entry.data
    if region:
        trailer = struct.pack(">IIiI", region, BINARY, -16 * (len(index) + 1), 16)
        index.insert(0, struct.pack(">IIII", region, BINARY, len(store), 16))
        store += trailer
    return (
        b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">II", len(index), len(store)) + b"".join(index) + store
    )


def good_tags(name: str) -> Tags:
    """A package with one file, one requirement and a changelog."""
    own = name.encode()
    return {
        100: texts(STRINGS, b"C"),
        NAME: texts(STRING, own),
        VERSION: texts(STRING, b"1.0"),
        RELEASE: texts(STRING, b"1"),
        SUMMARY: texts(I18N, b"a package"),
        DESCRIPTION: texts(I18N, b"a package\nwith a long text"),
        BUILDTIME: numbers(INT32, 1_600_000_000),
        BUILDHOST: texts(STRING, b"localhost"),
        SIZE: numbers(INT32, 2),
        LICENSE: texts(STRING, b"GPL"),
        GROUP: texts(I18N, b"Unspecified"),
        URL: texts(STRING, b"https://example.org/"),
        1021: texts(STRING, b"linux"),
        ARCH: texts(STRING, b"noarch"),
        FILESIZES: numbers(INT32, 2),
        FILEMODES: numbers(INT16, 0o100644),
        1033: numbers(INT16, 0),
        FILEMTIMES: numbers(INT32, 1_600_000_000),
        1035: texts(STRINGS, hashlib.sha256(b"a\n").hexdigest().encode()),
        1036: texts(STRINGS, b""),
        FILEFLAGS: numbers(INT32, 0),
        1039: texts(STRINGS, b"root"),
        1040: texts(STRINGS, b"root"),
        SOURCERPM: texts(STRING, own + b"-1.0-1.src.rpm"),
        PROVIDENAME: texts(STRINGS, own),
        PROVIDEFLAGS: numbers(INT32, 8),
        PROVIDEVERSION: texts(STRINGS, b"1.0-1"),
        REQUIREFLAGS: numbers(INT32, 0),
        REQUIRENAME: texts(STRINGS, b"bash"),
        REQUIREVERSION: texts(STRINGS, b""),
        1064: texts(STRING, b"4.18.0"),
        CHANGELOGTIME: numbers(INT32, 1_600_000_000),
        CHANGELOGNAME: texts(STRINGS, b"A <a@example.org> - 1.0-1"),
        CHANGELOGTEXT: texts(STRINGS, b"- first"),
        1095: numbers(INT32, 1),
        1096: numbers(INT32, 1),
        1097: texts(STRINGS, b""),
        DIRINDEXES: numbers(INT32, 0),
        BASENAMES: texts(STRINGS, b"a"),
        DIRNAMES: texts(STRINGS, b"/usr/share/x/"),
        1124: texts(STRING, b"cpio"),
        1125: texts(STRING, b"gzip"),
        1126: texts(STRING, b"9"),
        5011: numbers(INT32, 8),
    }


def signature(main: bytes, payload: bytes, more: Tags | None = None) -> bytes:
    """The signature header with the digests that librpm compares, padded."""
    tags = {
        269: texts(STRING, hashlib.sha1(main).hexdigest().encode()),
        273: texts(STRING, hashlib.sha256(main).hexdigest().encode()),
        1000: numbers(INT32, len(main) + len(payload)),
        1004: Entry(BINARY, 16, hashlib.md5(main + payload).digest()),
        **(more or {}),
    }
    made = header(tags, _REGION_SIGNATURE)
    return made + bytes(-len(made) % 8)


def lead(name: bytes = b"x-1.0-1", kind: int = 0, magic: bytes = b"\xed\xab\xee\xdb", rest: int = 5) -> bytes:
    """96 bytes that newer programs look at once and then ignore."""
    return magic + struct.pack(">BBHH66sHH16s", 3, 0, kind, 1, name, 1, rest, b"")


PAYLOAD = gzip.compress(_CPIO_END, mtime=0)


def rpm(
    tags: Tags,
    change: t.Callable[[bytes], bytes] = bytes,
    digests: bool = True,
    more: Tags | None = None,
    front: bytes | None = None,
) -> bytes:
    """A whole file. ``change`` damages the header; its digests are right unless ``digests`` is false."""
    main = header(tags, _REGION_MAIN)
    damaged = change(main)
    signed = signature(damaged if digests else main, PAYLOAD, more)
    return (lead() if front is None else front) + signed + damaged + PAYLOAD
