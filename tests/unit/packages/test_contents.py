# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names that a .deb's data archive has, against apt-ftparchive, and from archives that lie."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pathlib
import shutil
import subprocess
import tarfile
import typing as t

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages import _contents, _inflate
from ansible_collections.distrogate.ci.plugins.module_utils._packages._contents import (
    contents_lines,
    contents_of,
)
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import ar, control, gz, tar

LONG = "./usr/" + "/".join(["n" * 90] * 6)


def archive(*entries: tuple[str, bytes, int], format: int = tarfile.GNU_FORMAT) -> bytes:  # noqa: A002
    """A tar of members: name, type, bytes of contents."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as out:
        for name, kind, size in entries:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, size, "target" if kind in b"12" else ""
            out.addfile(info, io.BytesIO(bytes(size)))
    return buffer.getvalue()


def header(name: bytes, size: bytes, kind: bytes = b"0") -> bytes:
    """A header with a size field of one's own."""
    fields = name.ljust(100, b"\0") + b"0000644\0" * 3 + size.ljust(12, b"\0") + bytes(12)
    whole = fields + b" " * 8 + kind + bytes(100) + b"ustar  \0"
    whole = whole.ljust(512, b"\0")
    return whole[:148] + f"{sum(whole):06o}\0 ".encode() + whole[156:]


def zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-cq"], input=data, capture_output=True, check=True).stdout


@pytest.fixture
def contents(tmp_path: pathlib.Path) -> t.Callable[..., list[str]]:
    def read(data: bytes, suffix: str = "", timeout: float = 60) -> list[str]:
        path = tmp_path / "a.deb"
        path.write_bytes(
            ar(
                ("debian-binary", b"2.0\n"),
                ("control.tar.gz", gz(tar("./control", control().encode()))),
                (f"data.tar{suffix}", data),
            )
        )
        return contents_of(str(path), timeout)

    return read


GOOD = [
    ("./", b"5", 0),
    ("./usr/", b"5", 0),
    (LONG, b"0", 700),
    ("./usr/b c", b"0", 3),
    ("usr/a", b"2", 0),
    ("/usr/hard", b"1", 0),
    ("./usr/é", b"6", 0),
]
NAMES = ["usr/a", "usr/b c", "usr/hard", LONG[2:], "usr/é"]


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [
        ("", bytes),
        (".gz", gzip.compress),
        (".xz", lzma.compress),
        (".bz2", bz2.compress),
        (".lzma", lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE)),
        (".zst", zstd),
        (".gz", lambda data: gzip.compress(data[:700]) + gzip.compress(b"") + gzip.compress(data[700:])),
        (".xz", lambda data: lzma.compress(data[:700]) + lzma.compress(data[700:])),
    ],
)
def test_compressions(contents: t.Any, monkeypatch: t.Any, suffix: str, pack: t.Any) -> None:
    if suffix == ".zst" and not shutil.which("zstd"):
        pytest.skip("zstd is not installed")
    assert contents(pack(archive(*GOOD)), suffix) == NAMES
    monkeypatch.setattr(_inflate, "_WINDOW", 100)
    monkeypatch.setattr(_inflate, "_PACKED", 7)
    assert contents(pack(archive(*GOOD)), suffix) == NAMES


def test_a_prefix_is_a_part_of_the_name(contents: t.Any) -> None:
    name = "usr/" + "d" * 100 + "/" + "n" * 90
    data = archive((name, b"0", 0), format=tarfile.USTAR_FORMAT)
    assert b"ustar\x0000" in data
    assert contents(data) == [name]


def test_other_encodings_and_sizes(contents: t.Any) -> None:
    assert contents(header(b"./lat\xe9", b"0") + bytes(1024)) == ["laté"]
    assert contents(header(b"./a", b"\x80" + bytes(9) + b"\x02\x00") + bytes(512) + header(b"b", b"")) == [
        "a",
        "b",
    ]
    assert contents(b"") == []


@pytest.mark.parametrize(
    "data",
    [
        header(b"a\nb", b"0"),
        header(b"a\tb", b"0"),
        header(b"a\xc2\x85b", b"0"),
        header(b"a\xe2\x80\xa8b", b"0"),
        header(b"./../a", b"0"),
        header(b"a/../../b", b"0"),
        header(b"a", b"9"),
        header(b"a", b"-1"),
        header(b"a", b"1 1"),
        header(b"a", b"\xff" * 12),
        header(b"a", b"\x80" + b"\xff" * 11),
        header(b"a", b"77777777777"),
        header(b"a", b"1"),
        header(b"a", b"1", b"2"),
        header(b"a", b"0", b"S"),
        header(b"a", b"0", b"x"),
        header(b"a", b"0", b"g"),
        header(b"././@LongLink", b"10002", b"L") + b"a" * 4098 + bytes(510),
        header(b"././@LongLink", b"77777777777", b"L"),
        header(b"././@LongLink", b"100", b"L") + b"a" * 64,
        header(b"././@LongLink", b"77777777777", b"K"),
        header(b"a", b"0")[:300],
        header(b"a", b"0").replace(b"a", b"b", 1),
        b"x" * 512,
        archive((LONG, b"0", 1), format=tarfile.PAX_FORMAT),
    ],
)
def test_hostile_archives(contents: t.Any, data: bytes) -> None:
    with pytest.raises(DistrogateError) as caught:
        contents(data)
    assert caught.value.reason == "bad_package"


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress), (".zst", zstd)],
)
def test_cut_off(contents: t.Any, suffix: str, pack: t.Any) -> None:
    if suffix == ".zst" and not shutil.which("zstd"):
        pytest.skip("zstd is not installed")
    packed = pack(header(b"a", b"3000000") + os.urandom(0o3000000))
    for data in (packed[:-9], packed[: len(packed) // 2], b"", b"junk"):
        with pytest.raises(DistrogateError, match=r"broken|cut off") as caught:
            contents(data, suffix)
        assert caught.value.reason == "bad_package"


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [
        ((_contents, "_MEMBERS"), 3, "too many"),
        ((_contents, "_NAME"), 5, "longer than 5|more than 5"),
        ((_contents, "_TEXT"), 20, "20 bytes"),
        ((_inflate, "_LIMIT"), 1000, "more than 1000 bytes"),
    ],
)
def test_limits(contents: t.Any, monkeypatch: t.Any, limit: t.Any, value: int, message: str) -> None:
    monkeypatch.setattr(*limit, value)
    with pytest.raises(DistrogateError, match=message):
        contents(archive(*GOOD))


def test_endless_long_names_end(contents: t.Any, monkeypatch: t.Any) -> None:
    monkeypatch.setattr(_contents, "_MEMBERS", 3)
    with pytest.raises(DistrogateError, match="more than 3 members"):
        contents((header(b"l", b"1", b"L") + b"a".ljust(512, b"\0")) * 10)


def test_time_is_bounded(contents: t.Any) -> None:
    with pytest.raises(DistrogateError, match="too long"):
        contents(archive(*GOOD), timeout=-1)


@pytest.mark.parametrize(
    "data", [b"", b"!<arch>\n", b"!<arch>\n" + b"x" * 60, ar(("debian-binary", b"2.0\n"))]
)
def test_broken_packages(tmp_path: pathlib.Path, data: bytes) -> None:
    (tmp_path / "a.deb").write_bytes(data)
    with pytest.raises(DistrogateError) as caught:
        contents_of(str(tmp_path / "a.deb"))
    assert caught.value.reason == "bad_package"


def test_unknown_compression(contents: t.Any) -> None:
    with pytest.raises(DistrogateError, match=r"compression of 'data\.tar\.Z'"):
        contents(b"", ".Z")


def test_lines() -> None:
    assert contents_lines(["usr/a", "u" * 60], "net/nova") == f"{'usr/a':<55} net/nova\n{'u' * 60} net/nova\n"
    for where in ("net/nova,glance", "net nova", "", "a\nb"):
        with pytest.raises(DistrogateError, match="section/name"):
            contents_lines([], where)


def test_as_apt_ftparchive(tmp_path: pathlib.Path) -> None:
    if not shutil.which("apt-ftparchive") or not shutil.which("dpkg-deb"):
        pytest.skip("apt-ftparchive or dpkg-deb is not installed")
    tree, out = tmp_path / "tree", tmp_path / "out"
    for folder in ("DEBIAN", "usr/share/a  b", "usr/share/empty", LONG[2:]):
        (tree / folder).mkdir(parents=True)
    out.mkdir()
    for name in ("a  b/c d", "é", "back\\slash", "100%", "*"):
        (tree / "usr/share" / name).write_bytes(b"x" * 600)
    (tree / LONG / "file").touch()
    os.link(tree / "usr/share/é", tree / "usr/share/hard")
    (tree / "usr/share/link").symlink_to("*")
    (tree / "DEBIAN/control").write_text(control())
    subprocess.run(["dpkg-deb", "-b", str(tree), str(out / "a.deb")], check=True, capture_output=True)
    done = subprocess.run(["apt-ftparchive", "contents", "."], cwd=out, check=True, capture_output=True)
    expected = [line[: -len("nova")].rstrip() for line in done.stdout.decode().splitlines()]
    found = contents_of(str(out / "a.deb"))
    assert found == sorted(expected)
    assert len(found) == 8


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 8000), st.integers(0, 255)), min_size=1, max_size=8))
def test_mutations_never_crash(contents: t.Any, changes: list[tuple[int, int]]) -> None:
    data = bytearray(archive(*GOOD))
    for position, value in changes:
        data[position % len(data)] = value
    try:
        names = contents(bytes(data))
    except DistrogateError as error:
        reason = error.reason
    else:
        reason = "bad_package"
        assert all(name and "\n" not in name for name in names)
    assert reason == "bad_package"
