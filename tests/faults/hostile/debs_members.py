# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debs whose ar archive has other members than it should, or in another order."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.distrogate.ci.tests.faults.hostile.ar import (
    ar,
    control,
    deb,
    member,
)
from ansible_collections.distrogate.ci.tests.faults.hostile.case import (
    EITHER,
    PUBLISHED,
    REFUSED,
    Case,
    Source,
)
from ansible_collections.distrogate.ci.tests.faults.hostile.debs_archive import MEMBERS, case_of, parts_of


def _ar_names(source: Source) -> t.Iterator[Case]:
    names = (
        b"control.tar.gz/",
        b"../control.tar.gz",
        b"/control.tar.gz",
        b"control.tar.bz2",
        b"control.tar.lzma",
    )
    names += (b"control.tar.Z", b"CONTROL.TAR.GZ", b"control.tar.gz\0", b"control.tar.", b"control.tar.gz.gz")
    names += (
        b"//",
        b"/0",
        b"#1/20",
        b" control.tar.gz",
        b"control.tar.zst",
        b"control.tar.xz",
        b"control.tar",
        b"",
    )
    for name in names:
        parts = parts_of(source)
        members = ar(member(MEMBERS[0], parts[0]), member(name, parts[1]), member(MEMBERS[2], parts[2]))
        yield case_of(source, "deb: ar name", name, members, EITHER)
    for name in (
        b"data.tar.gz/",
        b"data",
        b"data.tar.exe",
        b"../data.tar",
        b"data.tar\0gz",
        b"_data.tar",
        b"",
    ):
        parts = parts_of(source)
        members = ar(member(MEMBERS[0], parts[0]), member(MEMBERS[1], parts[1]), member(name, parts[2]))
        yield case_of(source, "deb: ar name", name, members, EITHER)


def _ar_order(source: Source) -> t.Iterator[Case]:
    for order in itertools.permutations(range(3)):
        parts = parts_of(source)
        expect = PUBLISHED if order == (0, 1, 2) else EITHER if order[0] == 0 else REFUSED
        members = ar(*(member(MEMBERS[at], parts[at]) for at in order))
        yield case_of(source, "deb: ar order", order, members, expect)
    for count in range(3):
        for chosen in itertools.combinations(range(3), count):
            members = ar(*(member(MEMBERS[at], parts_of(source)[at]) for at in chosen))
            yield case_of(source, "deb: member missing", chosen, members)
    for order in itertools.product(range(3), repeat=4):
        if set(order) == {0, 1, 2} and order[0] == 0:  # one of them twice, each with contents of its own
            members = ar(*(member(MEMBERS[at], parts_of(source)[at]) for at in order))
            yield case_of(source, "deb: member twice", order, members, EITHER)
    for name in (b"_extra", b"extra", b"control.tar.xz", b"data.tar.xz", b"debian-binary2", b"x" * 16):
        for place in range(4):
            members_list = [member(*part) for part in zip(MEMBERS, parts_of(source))]
            members_list.insert(place, member(name, b"extra"))
            yield case_of(source, "deb: member more", (name, place), ar(*members_list), EITHER)
    for count in (60, 61, 62, 1000, 100_000):
        parts = [member(*part) for part in zip(MEMBERS, parts_of(source))]
        data = ar(*parts, *[member(b"_x", b"")] * count)
        yield case_of(source, "deb: many members", count, data, EITHER)
        parts = [member(*part) for part in zip(MEMBERS, parts_of(source))]
        data = ar(parts[0], *[member(b"_x", b"")] * count, *parts[1:])
        yield case_of(source, "deb: many members", (count, "before"), data, EITHER)


def _behind(source: Source) -> t.Iterator[Case]:
    other = deb(control(source.fresh()))
    for garbage in (
        b"\n",
        b"\0",
        b"x",
        b"x" * 59,
        b"x" * 60,
        bytes(4096),
        other,
        other[8:],
        other[:100],
        b"!<arch>\n",
    ):
        data = deb(control(source.fresh()), behind=garbage)
        yield case_of(source, "deb: garbage behind", garbage[:20], data, EITHER)


def cases(source: Source) -> t.Iterator[Case]:
    for part in (_ar_names, _ar_order, _behind):
        yield from part(source)
