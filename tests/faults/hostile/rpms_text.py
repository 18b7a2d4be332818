# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rpms whose texts break XML, paths, or what reads them as UTF-8."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.distrogate.ci.tests.faults.hostile import rpm_writer as w
from ansible_collections.distrogate.ci.tests.faults.hostile import values
from ansible_collections.distrogate.ci.tests.faults.hostile.case import (
    EITHER,
    PUBLISHED,
    REFUSED,
    Case,
    Source,
    written,
)

_IDENTITY = {w.NAME: "name", w.VERSION: "version", w.RELEASE: "release", w.ARCH: "arch"}
_SINGLE = {
    w.SUMMARY: "summary",
    w.DESCRIPTION: "description",
    w.LICENSE: "license",
    w.VENDOR: "vendor",
    w.PACKAGER: "packager",
    w.GROUP: "group",
    w.URL: "url",
    w.BUILDHOST: "buildhost",
    w.SOURCERPM: "sourcerpm",
}
_LISTS = {
    w.BASENAMES: "file",
    w.DIRNAMES: "folder",
    w.PROVIDENAME: "provides",
    w.PROVIDEVERSION: "provided version",
    w.REQUIRENAME: "requires",
    w.REQUIREVERSION: "required version",
    w.CHANGELOGNAME: "changelog author",
    w.CHANGELOGTEXT: "changelog",
}


def case(
    source: Source,
    kind: str,
    note: object,
    tags: w.Tags,
    expect: str = EITHER,
    heavy: bool = False,
    **how: t.Any,
) -> Case:
    return written(kind, note, f"{source.fresh()}.rpm", w.rpm(tags, **how), expect, heavy)


def changed(source: Source, tag: int, entry: w.Entry) -> w.Tags:
    """A good package but for one tag."""
    return {**w.good_tags(source.fresh()), tag: entry}


def _identity(source: Source) -> t.Iterator[Case]:
    for (tag, name), value in itertools.product(_IDENTITY.items(), source.names()):
        expect = EITHER if b"\0" in value or value == b"UPPER/lower" else REFUSED
        yield case(
            source,
            "rpm: path in field",
            (name, value),
            changed(source, tag, w.texts(w.STRING, value)),
            expect,
        )
    broken = (*values.XML, *values.BROKEN_TEXT)
    for (tag, name), value in itertools.product(_IDENTITY.items(), broken):
        entry = w.texts(w.STRING, b"x" + value)
        yield case(source, "rpm: text in identity", (name, value), changed(source, tag, entry), EITHER)
    for arch in (
        b"src",
        b"nosrc",
        b"x86_64",
        b"noarch",
        b"X86_64",
        b"arm/v7",
        b"i686/../..",
        b"..",
        b"a" * 200,
    ):
        yield case(source, "rpm: arch", arch, changed(source, w.ARCH, w.texts(w.STRING, arch)))
    for version in (b"1:2", b"1-2", b"1~rc1", b"1^git1", b"~1", b"^1", b".", b"..", b"_", b"+", b"1.."):
        for tag in (w.VERSION, w.RELEASE):
            entry = w.texts(w.STRING, version)
            yield case(source, "rpm: version", (tag, version), changed(source, tag, entry))


def _texts(source: Source) -> t.Iterator[Case]:
    for tag, name in _SINGLE.items():
        kind = w.I18N if tag in (w.SUMMARY, w.DESCRIPTION, w.GROUP) else w.STRING
        for value in (*values.XML, *values.BROKEN_TEXT):
            text = b"before " + value + b" after"
            yield case(source, "rpm: text", (name, value), changed(source, tag, w.texts(kind, text)))
    for tag, name in _LISTS.items():
        for value in (*values.XML, *values.BROKEN_TEXT, *source.names()[:12], b"\n", b"a\nb", b""):
            text = b"/x" + value + b"/" if tag == w.DIRNAMES else b"x" + value
            yield case(
                source, "rpm: text in list", (name, value), changed(source, tag, w.texts(w.STRINGS, text))
            )


def _long(source: Source) -> t.Iterator[Case]:
    for tag in (*_SINGLE, *_LISTS):
        for size in (1 << 16, 4 << 20):
            kind = w.STRINGS if tag in _LISTS else w.STRING
            entry = w.texts(kind, b"/" + b"x" * size)
            yield case(
                source, "rpm: long text", (tag, size), changed(source, tag, entry), heavy=size > 1 << 20
            )
    for size in (60 << 20, 70 << 20):

        def make(size: int = size, name: str = source.fresh()) -> bytes:
            return w.rpm({**w.good_tags(name), w.DESCRIPTION: w.texts(w.I18N, b"x" * size)})

        yield written("rpm: long text", size, f"{source.fresh()}.rpm", make, EITHER, heavy=True)


def _good(source: Source) -> t.Iterator[Case]:
    for number in range(10):
        tags = {**w.good_tags(source.fresh()), w.EPOCH: w.numbers(w.INT32, number)}
        yield case(source, "rpm: good", number, tags, PUBLISHED)
    for text in ("Ärger", "漢字", "a & b < c", "\U0001f600"):
        tags = changed(source, w.SUMMARY, w.texts(w.I18N, text.encode()))
        yield case(source, "rpm: good", text, tags, PUBLISHED)


def cases(source: Source) -> t.Iterator[Case]:
    for part in (_identity, _texts, _long, _good):
        yield from part(source)
