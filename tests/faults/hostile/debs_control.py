# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debs whose control file lies (deb-control(5), Debian policy chapter 5)."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.distrogate.ci.tests.faults.hostile import values
from ansible_collections.distrogate.ci.tests.faults.hostile.ar import control, deb
from ansible_collections.distrogate.ci.tests.faults.hostile.case import (
    EITHER,
    PUBLISHED,
    REFUSED,
    Case,
    Source,
    written,
)

_TEXTS = ("Maintainer", "Depends", "Homepage", "Description")
_OURS = (b"Filename", b"Size", b"MD5sum", b"SHA1", b"SHA256", b"SHA512")


def _case(source: Source, kind: str, note: object, text: bytes, expect: str = REFUSED) -> Case:
    return written(kind, note, f"{source.fresh()}.deb", deb(text), expect)


def _paths(source: Source) -> t.Iterator[Case]:
    for value in source.names():
        for field in ("Package", "Version", "Architecture"):
            expect = EITHER if field == "Version" and value == b"a:b" else REFUSED
            fields = {field: value}
            yield _case(
                source, "deb: path in field", (field, value), control(source.fresh(), **fields), expect
            )
        expect = EITHER if value == b"" else REFUSED
        text = control(source.fresh(), Source=value)
        yield _case(source, "deb: path in field", ("Source", value), text, expect)
        text = control(source.fresh(), Section=value, Priority=value)
        yield _case(source, "deb: path in other field", ("Section", value), text, EITHER)


def _separators(source: Source) -> t.Iterator[Case]:
    places = ("Package", "Version", "Architecture", "Source", *_TEXTS)
    for value, field in itertools.product(values.SEPARATORS, places):
        # What is only strange in a text is refused in a name.
        plain = value in (b"\n.\n", b"\n#\n") or not value.strip(b"\n-BEGIN PGPSIGNATURE")
        expect = REFUSED if plain or field not in _TEXTS else EITHER
        text = control(source.fresh(), **{field: b"nova" + value + values.FORGED})
        yield _case(source, "deb: second paragraph", (field, value), text, expect)
    for value in values.SEPARATORS:
        yield _case(source, "deb: text before", value, value + control(source.fresh()), EITHER)
        text = control(source.fresh()) + value.lstrip(b"\n") + values.FORGED
        yield _case(source, "deb: second paragraph", ("end", value), text)


def _fields(source: Source) -> t.Iterator[Case]:
    for name in (b"Package", b"Version", b"Architecture", b"Maintainer", b"Description"):
        for twice in (name, name.lower(), name.upper(), name.swapcase()):
            text = control(source.fresh(), twice + b": other\n")
            yield _case(source, "deb: field twice", twice, text)
    for name in _OURS:
        for ours in (name, name.lower(), name.upper(), name.title()):
            for value in (b"0" * 64, b"../../etc/passwd", b"1"):
                text = control(source.fresh(), ours + b": " + value + b"\n")
                yield _case(source, "deb: the repository's field", ours, text)
        text = ours + b": 1\n" + control(source.fresh())
        yield _case(source, "deb: the repository's field", (ours, "first"), text)
        yield _case(source, "deb: no field", ours + b" :", control(source.fresh(), name + b" : 1\n"))
    broken = (
        b"no field",
        b": x",
        b" ",
        b"\t",
        b"-x: y",
        b"#x: y",
        b"# comment",
        b"a b: c",
        b"=",
        b"\xc3\xa9: x",
    )
    for line in (*broken, b"-----BEGIN PGP SIGNED MESSAGE-----", b"X" * 10_000, b"<x>"):
        yield _case(source, "deb: no field", line, control(source.fresh(), line + b"\n"))
        yield _case(source, "deb: no field", ("first", line), line + b"\n" + control(source.fresh()), EITHER)
    for name in ("Package", "Version", "Architecture"):
        lines = control(source.fresh()).split(b"\n")
        text = b"\n".join(line for line in lines if not line.startswith(name.encode()))
        yield _case(source, "deb: field missing", name, text)
        text = control(source.fresh(), **{name: b"\n nova"})
        yield _case(source, "deb: field missing", (name, "folded"), text, EITHER)
    for text in (b"", b"\n", b"\n\n\n", b" ", b"\0", b"\0" * 512, b"x", b":"):
        yield _case(source, "deb: field missing", text, text)


def _encodings(source: Source) -> t.Iterator[Case]:
    for value in values.BROKEN_TEXT:
        for field in ("Package", *_TEXTS):
            text = control(source.fresh(), **{field: b"nova " + value + b" x"})
            yield _case(source, "deb: not UTF-8", (field, value), text)
    for encoding in ("utf-16", "utf-32", "utf-7", "cp037"):
        text = control(source.fresh()).decode().encode(encoding)
        yield _case(source, "deb: not UTF-8", encoding, text, EITHER if encoding == "utf-7" else REFUSED)
    yield _case(source, "deb: not UTF-8", "BOM", b"\xef\xbb\xbf" + control(source.fresh()))
    for value in (*range(9), *range(11, 32), 127):
        text = control(source.fresh(), Homepage=b"a%cb" % value)
        yield _case(source, "deb: control character", value, text)


def _sizes(source: Source) -> t.Iterator[Case]:
    kind = "deb: long field"
    for size in (1 << 12, 1 << 16, 900_000):
        yield _case(source, kind, size, control(source.fresh(), Homepage=b"x" * size), PUBLISHED)
        text = control(source.fresh(), b" y\n" * (size // 3))
        yield _case(source, kind, ("folded", size), text, PUBLISHED)
    yield _case(source, kind, "name", control(source.fresh(), b"X" * 65_536 + b": y\n"), EITHER)
    for size in (1 << 20, 5 << 20, 32 << 20):
        yield _case(source, kind, size, control(source.fresh(), Homepage=b"x" * size))
    for count in (1000, 10_000, 50_000):
        lines = b"".join(b"X-%d: y\n" % number for number in range(count))
        yield _case(source, "deb: many fields", count, control(source.fresh(), lines), PUBLISHED)
    lines = b"".join(b"X-%d: y\n" % number for number in range(200_000))
    yield _case(source, "deb: many fields", 200_000, control(source.fresh(), lines))


def _versions(source: Source) -> t.Iterator[Case]:
    good = (b"0:1", b"1:1.0-1", b"9:0", b"1.0~rc1+b1", b"1-2-3", b"0~~", b"1.0-1~bpo12+1")
    bad = (
        b":1",
        b"1:",
        b"-1:1",
        b"1:1:1",
        b"99999999999:1",
        b"0x1:1",
        b"1:0/../x",
        b"1:-",
        b"~1",
        b"+1",
        b"a1",
    )
    bad += (
        b"1.0_1",
        b"1,0",
        b"1 0",
        b"1\xc2\xa00",
        "\uff11.0".encode(),
        "1\u0660".encode(),
        b"1:..",
        b"1" * 4096,
    )
    odd = (b"00:1", b"000000001:1", b"1:0..", b"1-", b"1--", b"1-.", b"0.", b"2147483648:1", b"999999999:1")
    for versions, expect in ((good, PUBLISHED), (bad, REFUSED), (odd, EITHER)):
        for version in versions:
            text = control(source.fresh(), Version=version)
            yield _case(source, "deb: version", version, text, expect)
    for first, second in ((b"1.0", b"1:1.0"), (b"0:1.0", b"1.0"), (b"1:2", b"01:2"), (b"1:1", b"2:1")):
        name = source.fresh()
        for version in (first, second):  # both ask for the same place in the pool
            text = control(name, Version=version)
            yield _case(source, "deb: same place", (first, version), text, EITHER)


def _chance(source: Source) -> t.Iterator[Case]:
    words = (
        b"Package",
        b"Filename",
        b"Version",
        b":",
        b" ",
        b"\n",
        b"\n\n",
        b"\t",
        b"\r",
        b"a",
        b"1",
        b".",
        b"/",
    )
    words += (b"\0", b"\xc2\x85", b"\xe2\x80\xa8", b"\x0b", b"-", b"#", b"x: y\n")
    for _number in range(120):
        noise = b"".join(source.chance.choices(words, k=source.chance.randrange(1, 12)))
        text = control(source.fresh())
        place = source.chance.randrange(len(text))
        yield _case(source, "deb: noise in control", noise, text[:place] + noise + text[place:], EITHER)


def cases(source: Source) -> t.Iterator[Case]:
    for part in (_paths, _separators, _fields, _encodings, _sizes, _versions, _chance):
        yield from part(source)
