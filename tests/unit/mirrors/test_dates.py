# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What index files say of themselves and of others."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._closure import open_ends
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._dates import (
    release_date,
    repomd_date,
    went_back,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import Entry
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._repomd import read_repomd

A, B = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Date: Sat, 01 Jan 2022 00:00:00 UTC", 1640995200),
        ("Date: Sat,  1 Jan 2022 00:00:00 GMT", 1640995200),
        ("Date: 1 Jan 2022 00:00 +0000", 1640995200),
        ("Date: Sat, 01 Jan 2022 01:30:00 +0130", 1640995200),
        ("Date: Fri, 31 Dec 2021 19:00:00 -0500", 1640995200),
        (
            "-----BEGIN\r\n\r\nOrigin: x\r\ndate: Sat, 01 Jan 2022 00:00:00 Z\r\nX: y",
            1640995200,
        ),
        ("Date: Sat, 01 Jan 2022 00:00:60 UTC", 1640995259),
        ("Date: Sat, 32 Jan 2022 00:00:00 UTC", None),
        ("Date: Sat, 01 Foo 2022 00:00:00 UTC", None),
        ("Date: Sat, 01 Jan 2022 00:00:00 CET", None),
        ("Date: yesterday", None),
        ("X-Date: Sat, 01 Jan 2022 00:00:00 UTC", None),
        ("", None),
    ],
)
def test_release_dates(text: str, moment: int | None) -> None:
    assert release_date(text.encode()) == moment


def repomd(body: str) -> bytes:
    return (
        f'<?xml version="1.0"?><repomd xmlns="http://linux.duke.edu/metadata/repo">{body}</repomd>'.encode()
    )


def data(stamp: str = "", href: str = "", sha256: str = "") -> str:
    return (
        f'<data type="x"><checksum type="sha256">{sha256}</checksum><open-checksum type="sha256">{B}'
        f'</open-checksum><location href="{href}"/><timestamp>{stamp}</timestamp></data>'
    )


@pytest.mark.parametrize(
    ("body", "moment"),
    [
        (data("5") + data("9.25") + data("7"), 9),
        ("<revision>12</revision>" + data("5"), 5),
        ("<revision>12</revision>" + data("soon"), 12),
        ("<revision>v1</revision>", None),
        ("", None),
    ],
)
def test_repomd_dates(body: str, moment: int | None) -> None:
    assert repomd_date(repomd(body)) == moment


def test_entities_are_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><repomd><revision>&b;</revision></repomd>'
    assert read_repomd(bomb).error and repomd_date(bomb) is None
    for text in (b"", b"<", b"\xff\xfe", b"<a></b>"):
        assert read_repomd(text).error


@given(st.one_of(st.binary(), st.binary().map(lambda more: b"<repomd><data>" + more)))
def test_nothing_that_a_stranger_writes_raises(text: bytes) -> None:
    release_date(b"Date: " + text)
    repomd_date(text)
    open_ends({b"InRelease": b"SHA256:\n " + text, b"repodata/repomd.xml": text}, _find({}))


def test_went_back() -> None:
    before = {
        b"a/InRelease": b"Date: Sat, 01 Jan 2022 00:00:01 UTC",
        b"b/InRelease": b"Date: Sat, 01 Jan 2022 00:00:01 UTC",
        b"c/repodata/repomd.xml": repomd(data("5")),
        b"d/Release": b"no date",
        b"e/Release.gpg": b"Date: Sat, 01 Jan 2022 00:00:01 UTC",
    }
    after = {
        b"a/InRelease": b"Date: Sat, 01 Jan 2022 00:00:00 UTC",
        b"b/InRelease": b"Date: Sat, 01 Jan 2022 00:00:01 UTC",
        b"c/repodata/repomd.xml": repomd(data("4")),
        b"d/Release": b"Date: Sat, 01 Jan 2022 00:00:00 UTC",
        b"e/Release.gpg": b"Date: Sat, 01 Jan 2021 00:00:01 UTC",
        b"f/InRelease": b"Date: Sat, 01 Jan 2000 00:00:01 UTC",
    }
    assert went_back(before, after) == [b"a/InRelease", b"c/repodata/repomd.xml"]
    assert went_back(before, before) == []


def _find(known: dict[bytes, str]) -> t.Callable[[t.Iterable[bytes]], dict[bytes, Entry]]:
    def find(paths: t.Iterable[bytes]) -> dict[bytes, Entry]:
        return {path: Entry(known[path], 1, 1) for path in paths if path in known}

    return find


RELEASE = f"SHA256:\n {A} 1 main/Packages\n {B} 1 main/Packages.gz\nSHA512:\n {A} 1 other\n".encode()


@pytest.mark.parametrize(
    ("known", "problems"),
    [
        ({"main/Packages.gz": B}, []),
        ({f"main/by-hash/SHA256/{A}": A}, []),
        ({}, ["d/Release: main/Packages is missing"]),
        ({"main/Packages": B}, ["d/Release: main/Packages is not the file that it names"]),
        (
            {"main/Packages": A, f"main/by-hash/SHA256/{B}": A},
            [f"d/Release: by-hash/SHA256/{B} is not the file that it names"],
        ),
    ],
)
def test_what_a_release_names(known: dict[str, str], problems: list[str]) -> None:
    found = _find({b"d/" + path.encode(): sha256 for path, sha256 in known.items()})
    assert open_ends({b"d/Release": RELEASE}, found) == problems


@pytest.mark.parametrize(
    ("known", "problems"),
    [
        ({b"r/repodata/x": A}, []),
        ({}, ["r/repodata/repomd.xml: repodata/x is missing"]),
        ({b"r/repodata/x": B}, ["r/repodata/repomd.xml: repodata/x is not the file that it names"]),
    ],
)
def test_what_a_repomd_names(known: dict[bytes, str], problems: list[str]) -> None:
    text = repomd(data("1", "repodata/x", A))
    assert open_ends({b"r/repodata/repomd.xml": text}, _find(known)) == problems


def test_a_repomd_that_is_none() -> None:
    assert "not XML" in open_ends({b"repodata/repomd.xml": b"x"}, _find({}))[0]
