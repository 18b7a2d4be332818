# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Source packages whose .dsc contradicts itself, forges a paragraph, or is signed in part."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.tests.faults.hostile import values
from ansible_collections.distrogate.ci.tests.faults.hostile.case import (
    EITHER,
    PUBLISHED,
    REFUSED,
    Case,
    Source,
)
from ansible_collections.distrogate.ci.tests.faults.hostile.dscs import LISTS, Change, case

_BEGIN = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
_SIGNATURE = b"\n-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n"


def _lists(source: Source) -> t.Iterator[Case]:
    kind = "dsc: lists"
    for field in LISTS:
        name = field + b":"
        changes: dict[str, Change] = {
            "gone": lambda text, name=name: text.replace(name, b"X-" + name),
            "twice": lambda text, name=name: text + name + b"\n 00 1 x\n",
            "on its line": lambda text, name=name: text.replace(name + b"\n", name + b" x\n"),
            "other digest": lambda text, name=name: text.replace(name + b"\n ", name + b"\n 0"),
            "other file": lambda text, name=name: text.replace(
                name + b"\n", name + b"\n " + b"0" * 64 + b" 1 x\n"
            ),
            "upper case": lambda text, name=name: (
                text.partition(name)[0] + name + text.partition(name)[2].upper()
            ),
            "entry twice": lambda text, name=name: text.replace(name, name + text.partition(name)[2][:120]),
        }
        for note, change in changes.items():
            optional = field == b"Checksums-Sha1" and note == "gone"
            yield case(source, kind, (field, note), change, EITHER if optional else REFUSED)
    for ours in (b"Package", b"Directory", b"Filename", b"SHA256", b"directory", b"PACKAGE"):
        for value in (b"forged", b"../../outside"):
            line = ours + b": " + value + b"\n"
            yield case(source, "dsc: the repository's field", ours, lambda text, line=line: text + line)
            yield case(
                source, "dsc: the repository's field", (ours, "first"), lambda text, line=line: line + text
            )
    for value in values.SEPARATORS:
        forged = b"X-Y: nova" + value + values.FORGED.replace(b"Filename", b"Directory") + b"\n"
        expect = REFUSED if value.strip(b"\n") not in (b".", b"#") else EITHER
        yield case(source, "dsc: second paragraph", value, lambda text, forged=forged: text + forged, expect)


def _signed(source: Source) -> t.Iterator[Case]:
    kind = "dsc: signature"
    good: dict[str, Change] = {"": lambda text: _BEGIN + text + _SIGNATURE, "none": bytes}
    bad: dict[str, Change] = {
        "text before": lambda text: b"X: y\n" + _BEGIN + text + _SIGNATURE,
        "text behind": lambda text: _BEGIN + text + _SIGNATURE + b"Package: forged\n",
        "text in the head": lambda text: (
            b"-----BEGIN PGP SIGNED MESSAGE-----\nSource: x\n\n" + text + _SIGNATURE
        ),
        "no end": lambda text: _BEGIN + text,
        "no signature's end": lambda text: _BEGIN + text + _SIGNATURE[:50],
        "twice": lambda text: (_BEGIN + text + _SIGNATURE) * 2,
        "within": lambda text: _BEGIN + _BEGIN + text + _SIGNATURE + _SIGNATURE,
        "other armor": lambda text: b"-----BEGIN PGP MESSAGE-----\n\n" + text,
        "empty": lambda text: _BEGIN + _SIGNATURE,
        "long": lambda text: _BEGIN + text + b"X: " + b"y" * (1 << 20) + _SIGNATURE,
        "nothing": lambda text: b"",
        "NUL": lambda text: b"\0" + text,
    }
    for changes, expect in ((good, PUBLISHED), (bad, REFUSED)):
        for note, change in changes.items():
            yield case(source, kind, note, change, expect)
    for value in values.BROKEN_TEXT:
        yield case(source, "dsc: not UTF-8", value, Maintainer=value)
    for number in range(40):
        seed = source.chance.randrange(1 << 30)

        def cut(text: bytes, seed: int = seed) -> bytes:
            return text[: seed % len(text)]

        def damaged(text: bytes, seed: int = seed) -> bytes:
            data = bytearray(text)
            data[seed % len(data)] ^= 1 << seed % 7
            return bytes(data)

        yield case(source, "dsc: cut", number, cut, EITHER)
        yield case(source, "dsc: damaged", number, damaged, EITHER)


def cases(source: Source) -> t.Iterator[Case]:
    for part in (_lists, _signed):
        yield from part(source)
