# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debs in whose control archive another file could pass for the control file than the one dpkg reads."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.distrogate.ci.tests.faults.hostile.ar import (
    CONTROL,
    END,
    base256,
    control,
    long_name,
    packed_deb,
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

_KINDS = tuple(bytes([kind]) for kind in b"1234567SxgLKVMNDZ\xff")
_USTAR = b"ustar\x0000"


def _case(source: Source, kind: str, note: object, archive: bytes, expect: str = EITHER) -> Case:
    return written(kind, note, f"{source.fresh()}.deb", packed_deb(archive), expect)


def _true(source: Source) -> bytes:
    return record(CONTROL, control(source.fresh()))


def _both(source: Source, kind: str, note: object, lie: t.Callable[[bytes], bytes]) -> t.Iterator[Case]:
    """Records that lie about a control file: alone, before a true one, and behind one."""
    yield _case(source, kind, note, tar(lie(control(source.fresh()))))
    kind += ", and a true one"
    yield _case(source, kind, (note, "before"), tar(lie(control(source.fresh())), _true(source)))
    yield _case(source, kind, (note, "behind"), tar(_true(source), lie(control(source.fresh()))))


def _kinds(source: Source) -> t.Iterator[Case]:
    """The control file as something else than a file; device numbers are those of /dev/null."""
    for kind, link in itertools.product(_KINDS, (b"/etc/passwd", b"./other", b"")):

        def lie(text: bytes, kind: bytes = kind, link: bytes = link) -> bytes:
            return record(CONTROL, b"" if link else text, kind, link=link)

        yield from _both(source, "deb: control is no file", (kind, link), lie)


def _names(source: Source) -> t.Iterator[Case]:
    names = [
        b"control",
        b"././control",
        b".//control",
        b"/control",
        b"../control",
        b"./control/",
        b"x/control",
    ]
    names += [b"./Control", b"./control ", b"./control\n", b"./DEBIAN/control", b"./a/../control", b""]
    for name in names:
        yield from _both(source, "deb: control's name", name, lambda text, name=name: record(name, text))
    prefixes = (b"x", b"/", b".", b"../..", b"x" * 155)
    for prefix, magic in itertools.product(prefixes, (_USTAR, b"ustar  \0", bytes(8))):

        def lie(text: bytes, prefix: bytes = prefix, magic: bytes = magic) -> bytes:
            return record(b"control", text, prefix=prefix, magic=magic)

        yield from _both(source, "deb: tar prefix", (prefix, magic), lie)


def _overrides(source: Source) -> t.Iterator[Case]:
    """Records that give the member behind them another name or size."""
    names = (b"./other", b"./control", b"../../outside/pwned", b"./" + b"x" * 5000, b"", b"\0control")
    for name, header in itertools.product(names, (CONTROL, b"./x")):
        for first in (long_name(name), pax((b"path", name))):
            note = (name, header, first[:16])
            yield from _both(
                source,
                "deb: long name",
                note,
                lambda text, first=first, header=header: first + record(header, text),
            )
    fields = [(b"size", size) for size in (b"0", b"99999999999999999999", b"-1", b"512", b"x")]
    fields += [(b"linkpath", b"/etc/passwd"), (b"hdrcharset", b"BINARY"), (b"GNU.sparse.name", b"./other")]
    fields += [
        (b"GNU.sparse.size", b"1099511627776"),
        (b"GNU.sparse.map", b"0,1,2"),
        (b"GNU.sparse.major", b"1"),
    ]
    for field, scope in itertools.product(fields, (b"x", b"g")):
        first = pax(field, kind=scope)
        yield from _both(
            source, "deb: pax field", (scope, *field), lambda text, first=first: first + record(CONTROL, text)
        )
    bodies = (b"99999999999 path=x\n", b"-5 path=x\n", b"path=x", b"0 \n", b"5 path", b"9 path=x\n" * 1000)
    for body in (*bodies, bytes(512)):
        archive = tar(record(b"./@PaxHeader", body, b"x"), _true(source))
        yield _case(source, "deb: pax field", body[:20], archive)


def _members(source: Source) -> t.Iterator[Case]:
    """Traversal and repetition. Nothing of it may be unpacked anywhere."""
    kind = "deb: tar traversal"
    for name in (
        b"../../../outside/pwned",
        b"/tmp/dg-pwned",
        b"./a/../../pwned",
        b"..",
        b"/",
        b"./\xff\xfe",
        b"a\nb",
    ):
        for type_byte in (b"0", b"2", b"5"):
            lie = record(name, b"x" if type_byte == b"0" else b"", type_byte, link=b"../../outside")
            yield _case(source, kind, (name, type_byte), tar(lie, _true(source)))
    lie = [record(b"./x", b"", b"2", link=b"/tmp"), record(b"./x/dg-pwned", b"x")]
    yield _case(source, kind, "through a link", tar(*lie, _true(source)))
    kind = "deb: two control files"
    for count in (2, 3, 100):
        yield _case(source, kind, count, tar(*(_true(source) for _number in range(count))))
    for other in (b"control", b"./control", b"././control"):
        for end in (b"", bytes(512), END, bytes(10240)):
            archive = tar(_true(source), end=end) + tar(record(other, control(source.fresh())))
            yield _case(source, kind, (other, len(end)), archive)
            archive = tar(record(other, control(source.fresh())), end=end) + tar(_true(source))
            yield _case(source, kind, (other, len(end), "first"), archive)
    for count in (10, 1000, 60_000):
        empty = record(b"./x") * count
        yield _case(source, "deb: many tar members", count, tar(empty, _true(source)), PUBLISHED)
    empty = record(b"./x") * 140_000
    yield _case(source, "deb: many tar members", 140_000, tar(empty, _true(source)), REFUSED)


def _checks(source: Source) -> t.Iterator[Case]:
    kind = "deb: tar checksum"
    for checksum in (b"000000\0 ", b"777777\0 ", b"        ", b"\0" * 8, b"xxxxxxxx"):
        archive = tar(record(CONTROL, control(source.fresh()), checksum=checksum))
        yield _case(source, kind, checksum, archive)
        archive = tar(record(b"./x", b"", checksum=checksum), _true(source))
        yield _case(source, kind, (checksum, "before"), archive)
    kind = "deb: tar end"
    for end in (
        b"",
        bytes(512),
        bytes(511),
        bytes(1024) + b"x" * 512,
        b"x" * 512,
        b"\xff" * 1024,
        bytes(1 << 20),
    ):
        yield _case(source, kind, end[:4] + b"%d" % len(end), tar(_true(source), end=end))
        yield _case(source, kind, (end[:4], len(end), "only"), tar(end=end), REFUSED)
        archive = tar(record(b"./x", b"x"), end=end) + tar(_true(source))
        yield _case(source, kind, (end[:4], len(end), "between"), archive)
    sparse = record(CONTROL, control(source.fresh()), b"S", size=base256(1 << 40))
    yield _case(source, kind, "sparse", tar(sparse))
    for magic in (_USTAR, bytes(8), b"xxxxxxxx"):
        yield _case(source, kind, magic, tar(record(CONTROL, control(source.fresh()), magic=magic)))


def cases(source: Source) -> t.Iterator[Case]:
    for part in (_kinds, _names, _overrides, _members, _checks):
        yield from part(source)
