# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The container of an rpm, format 3 (rpm's docs/manual/format.md and hregions.md): headers and a payload."""

from __future__ import annotations

import hashlib
import struct
import zlib

NULL, CHAR, INT8, INT16, INT32, INT64, STRING, BIN, STRING_ARRAY, I18N = range(10)
Value = tuple[int, object]  # the type, and one or more values
Tags = dict[int, Value]

_MAGIC = b"\x8e\xad\xe8\x01\0\0\0\0"
_REGION = struct.Struct(">IIiI")
_NUMBERS = {INT8: "B", INT16: "H", INT32: "I", INT64: "Q"}
_SIGNATURES, _IMMUTABLE = 62, 63  # the tags of the two regions
_RESERVED = 4128  # bytes that rpmbuild leaves for a signature


def header(tags: Tags, region: int) -> bytes:
    """A header whose entries are all in one region, as rpmbuild writes it."""
    store = bytearray()
    entries = []
    for tag, (kind, value) in sorted(tags.items()):
        data, count, alignment = _encoded(kind, value)
        store += bytes(-len(store) % alignment)
        entries.append(struct.pack(">4I", tag, kind, len(store), count))
        store += data
    number = len(entries) + 1
    first = struct.pack(">4I", region, BIN, len(store), _REGION.size)
    store += _REGION.pack(region, BIN, -16 * number, _REGION.size)
    return b"".join([_MAGIC, struct.pack(">II", number, len(store)), first, *entries, store])


def _encoded(kind: int, value: object) -> tuple[bytes, int, int]:
    """The bytes, how many values they are, and what their place must be a multiple of."""
    if kind in (STRING, I18N):
        return str(value).encode() + b"\0", 1, 1
    if kind == BIN:
        assert isinstance(value, bytes)
        return value, len(value), 1
    assert isinstance(value, list)
    if kind == STRING_ARRAY:
        return b"".join(str(one).encode() + b"\0" for one in value), len(value), 1
    code = _NUMBERS[kind]
    return struct.pack(f">{len(value)}{code}", *value), len(value), struct.calcsize(code)


def cpio(files: dict[str, tuple[int, bytes]]) -> bytes:
    """A "newc" archive of paths with their mode and contents (cpio(5))."""
    out = bytearray()
    for inode, (path, (mode, data)) in enumerate([*files.items(), ("TRAILER!!!", (0, b""))], 1):
        name = path.encode() + b"\0"
        fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        out += b"070701" + b"".join(b"%08x" % field for field in fields) + name
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)


def rpm(name: str, tags: Tags, files: dict[str, tuple[int, bytes]]) -> bytes:
    """Lead, signature header (digests only), header, payload."""
    archive = cpio(files)
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    payload = packer.compress(archive) + packer.flush()
    digests: Tags = {
        5092: (STRING_ARRAY, [hashlib.sha256(payload).hexdigest()]),
        5093: (INT32, [8]),  # SHA256, in OpenPGP's numbers
        5097: (STRING_ARRAY, [hashlib.sha256(archive).hexdigest()]),
    }
    main = header({**tags, **digests}, _IMMUTABLE)
    signature = header(
        {
            269: (STRING, hashlib.sha1(main).hexdigest()),
            273: (STRING, hashlib.sha256(main).hexdigest()),
            1000: (INT32, [len(main) + len(payload)]),
            1004: (BIN, hashlib.md5(main + payload).digest()),
            1007: (INT32, [len(archive)]),
            1008: (BIN, bytes(_RESERVED)),
        },
        _SIGNATURES,
    )
    lead = struct.pack(">4sBBHH66sHH16x", b"\xed\xab\xee\xdb", 3, 0, 0, 1, name.encode()[:65], 1, 5)
    return b"".join([lead, signature, bytes(-len(signature) % 8), main, payload])
