# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rpms whose header lies about counts, kinds and places, or has far too much of something."""

from __future__ import annotations

import itertools
import struct
import typing as t

from ansible_collections.distrogate.ci.tests.faults.hostile import rpm_writer as w
from ansible_collections.distrogate.ci.tests.faults.hostile.case import EITHER, Case, Source, written
from ansible_collections.distrogate.ci.tests.faults.hostile.rpms_text import case, changed

_TAGS = (
    w.NAME,
    w.VERSION,
    w.EPOCH,
    w.SUMMARY,
    w.BUILDTIME,
    w.SIZE,
    w.ARCH,
    w.SOURCERPM,
    w.FILESIZES,
    w.FILEMODES,
)
_TAGS += (w.FILEFLAGS, w.PROVIDENAME, w.PROVIDEFLAGS, w.PROVIDEVERSION, w.REQUIRENAME, w.REQUIREVERSION)
_TAGS += (w.CHANGELOGTIME, w.CHANGELOGNAME, w.CHANGELOGTEXT, w.DIRINDEXES, w.BASENAMES, w.DIRNAMES)
_WRONG = (
    w.numbers(w.INT8, 65, 66, 67, 68),
    w.numbers(w.INT16, 65),
    w.numbers(w.INT32, 0x41424344),
    w.numbers(w.INT64, 1 << 63),
    w.texts(w.STRING, b"text"),
    w.texts(w.STRINGS, b"text", b"more"),
    w.texts(w.STRINGS),
    w.texts(w.I18N, b"text", b"texte"),
    w.Entry(w.BINARY, 4, b"\0\1\2\3"),
    w.Entry(w.CHAR, 4, b"abcd"),
    w.Entry(0, 1, b"abcd"),
    w.Entry(10, 1, b"abcd"),
    w.Entry(w.INT32, 0, b""),
    w.Entry(w.STRING, 5, b"a\0b\0c\0d\0e\0"),
    w.Entry(w.STRINGS, 1 << 30, b"a\0"),
    w.Entry(w.INT32, 1 << 30, b"\0\0\0\1"),
)


def _kinds(source: Source) -> t.Iterator[Case]:
    for tag, entry in itertools.product(_TAGS, _WRONG):
        note = (tag, entry.kind, entry.count)
        yield case(source, "rpm: kind of a tag", note, changed(source, tag, entry))
    for tag in (*_TAGS, 1021, 1064, 1112, 1124):
        tags = w.good_tags(source.fresh())
        tags.pop(tag, None)
        yield case(source, "rpm: tag missing", tag, tags)


def _edited(at: int, form: str, value: int) -> t.Callable[[bytes], bytes]:
    """Overwrite a word of the header by its place."""

    def change(main: bytes) -> bytes:
        data = bytearray(main)
        struct.pack_into(form, data, at, value)
        return bytes(data)

    return change


def _index(source: Source) -> t.Iterator[Case]:
    words = (0, 1, 15, 16, 17, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF0, 0x10000000, 0x01000000, 1200)
    for at, name in ((0, "magic"), (4, "reserved"), (8, "entries"), (12, "size")):
        for word in words:
            change = _edited(at, ">I", word)
            tags = w.good_tags(source.fresh())
            yield case(source, "rpm: header's own sizes", (name, word), tags, change=change)
    for entry, part, word in itertools.product((0, 1, 2, 5, 12, 20, 33, 39), range(4), words[::2]):
        change = _edited(16 + 16 * entry + 4 * part, ">I", word)
        tags = w.good_tags(source.fresh())
        yield case(source, "rpm: index entry", (entry, part, word), tags, change=change)
    for entry, other in itertools.product((2, 5, 12, 33), (1, 4, 20, 39)):

        def overlap(main: bytes, entry: int = entry, other: int = other) -> bytes:
            data = bytearray(main)  # two tags share a place
            data[16 + 16 * entry + 8 : 28 + 16 * entry] = data[16 + 16 * other + 8 : 28 + 16 * other]
            return bytes(data)

        tags = w.good_tags(source.fresh())
        yield case(source, "rpm: index overlaps", (entry, other), tags, change=overlap)
    for word in (*words, -16, -1, -1 << 31):
        tags = w.good_tags(source.fresh())
        end = len(w.header(tags, 63)) - 8
        change = _edited(end, ">i" if word < 0 else ">I", word)
        yield case(source, "rpm: region", word, tags, change=change)


def _counts(source: Source) -> t.Iterator[Case]:
    """Lists that belong together and have not the same length; indexes that point nowhere."""
    kind = "rpm: lists do not fit"
    for indexes in ((1,), (99,), (0x7FFFFFFF,), (0xFFFFFFFF,), (0, 0), (), (0, 1, 2)):
        yield case(
            source, kind, ("dirindexes", indexes), changed(source, w.DIRINDEXES, w.numbers(w.INT32, *indexes))
        )
    for tag in (w.BASENAMES, w.DIRNAMES, w.PROVIDENAME, w.PROVIDEVERSION, w.REQUIRENAME, w.REQUIREVERSION):
        for count in (0, 2, 100, 10_000):
            entry = w.texts(w.STRINGS, *(b"/x%d/" % number for number in range(count)))
            yield case(source, kind, (tag, count), changed(source, tag, entry))
    for tag in (w.FILEFLAGS, w.PROVIDEFLAGS, w.REQUIREFLAGS, w.CHANGELOGTIME, w.FILESIZES):
        for count in (0, 2, 100, 10_000):
            entry = w.numbers(w.INT32, *range(count))
            yield case(source, kind, (tag, count), changed(source, tag, entry))
    for tag in (w.CHANGELOGNAME, w.CHANGELOGTEXT):
        for count in (0, 2, 100):
            entry = w.texts(w.STRINGS, *[b"x"] * count)
            yield case(source, kind, (tag, count), changed(source, tag, entry))
    for names in (1054, 1090, 5046, 5049, 5052, 5055):  # conflicts, obsoletes, recommends, suggests, …
        entry = w.texts(w.STRINGS, b"a", b"b")
        yield case(source, kind, (names, "names only"), changed(source, names, entry))
    values = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
    for tag, value in itertools.product(
        (w.EPOCH, w.BUILDTIME, w.SIZE, w.CHANGELOGTIME, w.REQUIREFLAGS), values
    ):
        yield case(source, "rpm: number", (tag, value), changed(source, tag, w.numbers(w.INT32, value)))
    for tag in (w.EPOCH, w.BUILDTIME):
        yield case(source, "rpm: number", (tag, "two"), changed(source, tag, w.numbers(w.INT32, 1, 2)))
    for mode in (0, 0o40755, 0o120777, 0o10644, 0o20666, 0o177777):
        yield case(
            source, "rpm: number", ("mode", mode), changed(source, w.FILEMODES, w.numbers(w.INT16, mode))
        )


def _bombs(source: Source) -> t.Iterator[Case]:
    kind = "rpm: bomb"

    def files(count: int) -> w.Tags:
        return {
            w.BASENAMES: w.texts(w.STRINGS, *(b"f%d" % number for number in range(count))),
            w.DIRINDEXES: w.numbers(w.INT32, *[0] * count),
            w.FILEMODES: w.numbers(w.INT16, *[0o100644] * count),
            w.FILEFLAGS: w.numbers(w.INT32, *[0] * count),
            w.FILESIZES: w.numbers(w.INT32, *[1] * count),
            w.FILEMTIMES: w.numbers(w.INT32, *[1] * count),
        }

    def changelog(count: int, text: bytes = b"- x") -> w.Tags:
        return {
            w.CHANGELOGTIME: w.numbers(w.INT32, *range(count)),
            w.CHANGELOGNAME: w.texts(w.STRINGS, *[b"A <a@example.org>"] * count),
            w.CHANGELOGTEXT: w.texts(w.STRINGS, *[text] * count),
        }

    def requires(count: int) -> w.Tags:
        return {
            w.REQUIRENAME: w.texts(w.STRINGS, *(b"r%d" % number for number in range(count))),
            w.REQUIREFLAGS: w.numbers(w.INT32, *[8] * count),
            w.REQUIREVERSION: w.texts(w.STRINGS, *[b"1:2-3"] * count),
        }

    def strings(count: int) -> w.Tags:
        return {
            1036: w.Entry(w.STRINGS, count, bytes(count)),
            w.PROVIDENAME: w.Entry(w.STRINGS, count, bytes(count)),
        }

    def folders(count: int) -> w.Tags:
        names = (b"/" + b"d" * 4000 + b"%d/" % number for number in range(count))
        return {
            **files(count),
            w.DIRNAMES: w.texts(w.STRINGS, *names),
            w.DIRINDEXES: w.numbers(w.INT32, *range(count)),
        }

    def one_folder(count: int) -> w.Tags:
        """Little to read, much to write: each file repeats a long folder."""
        return {**files(count), w.DIRNAMES: w.texts(w.STRINGS, b"/" + b"d" * 4000 + b"/")}

    makers: list[tuple[str, t.Callable[[int], w.Tags], tuple[int, ...]]] = [
        ("files", files, (1000, 100_000, 1_000_000)),
        ("changelog", changelog, (1000, 100_000)),
        ("requires", requires, (1000, 100_000, 1_000_000)),
        ("strings", strings, (100_000, 10_000_000)),
        ("folders", folders, (1000, 10_000)),
        ("one folder", one_folder, (1000, 100_000)),
    ]
    for name, make, counts in makers:
        for count in counts:

            def data(make: t.Any = make, count: int = count, own: str = source.fresh()) -> bytes:
                return w.rpm({**w.good_tags(own), **make(count)})

            file = f"{source.fresh()}.rpm"
            yield written(kind, (name, count), file, data, EITHER, heavy=count > 1000)
    for size in (1 << 20, 30 << 20):
        tags = {**w.good_tags(source.fresh()), **changelog(10, b"x" * (size // 10))}
        yield case(source, kind, ("changelog text", size), tags, heavy=size > 1 << 20)


def cases(source: Source) -> t.Iterator[Case]:
    for part in (_kinds, _index, _counts, _bombs):
        yield from part(source)
