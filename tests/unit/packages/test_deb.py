# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reader of .deb files."""

from __future__ import annotations

import gzip
import lzma
import shutil
import subprocess
import typing as t

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages import _deb
from ansible_collections.distrogate.ci.plugins.module_utils._packages._package_file import PackageFile
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import ar, control, deb, tar


def read(path: t.Any, data: bytes) -> _deb.Control:
    path.write_bytes(data)
    with PackageFile(str(path)) as file:
        return _deb.read_deb(file)


def zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-cq"], input=data, capture_output=True, check=True).stdout


@pytest.mark.parametrize(
    ("suffix", "pack"), [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress), (".zst", zstd)]
)
def test_compressions(tmp_path: t.Any, suffix: str, pack: t.Any) -> None:
    if suffix == ".zst" and not shutil.which("zstd"):
        pytest.skip("zstd is not installed")
    facts = read(tmp_path / "a.deb", deb(control(more="Source: nova-src (2:1.0)\n"), suffix, pack))
    assert (facts.name, facts.version, facts.source) == ("nova", "1.0-1", "nova-src")
    assert facts.text == control(more="Source: nova-src (2:1.0)\n").rstrip("\n")


@pytest.mark.parametrize(
    "text",
    [
        control(name="../../etc/passwd"),
        control(name="Nova"),
        control(version="1/../../x"),
        control(version="1.0\n\nPackage: forged"),
        control(architecture="all/../.."),
        control(more="Source: ../x\n"),
        control(more="Filename: ../../etc/passwd\n"),
        control(more="SHA256: 00\n"),
        control(more=" \n"),
        control(more="\n"),
        control(more="Package: other\n"),
        control(more="no field\n"),
        control(more="X: a\rFilename: b\n"),
        control(more="X: a\x0b\n"),
        " continued\n" + control(),
        "",
    ],
)
def test_hostile_control(tmp_path: t.Any, text: str) -> None:
    with pytest.raises(DistrogateError) as caught:
        read(tmp_path / "a.deb", deb(text))
    assert caught.value.reason == "bad_package"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"!<arch>\n",
        b"not a package",
        deb(control())[:-40],
        ar(("debian-binary", b"3.0\n")),
        ar(("debian-binary", b"2.0\n"), ("control.tar.bz2", b""), ("data.tar", b"")),
        ar(("debian-binary", b"2.0\n"), ("control.tar", tar("./other", b"")), ("data.tar", b"")),
        ar(("debian-binary", b"2.0\n"), ("control.tar", tar("./control", control().encode()))),
        deb(control(), ".gz", lambda data: b"\0" + gzip.compress(data)),
    ],
)
def test_broken_archives(tmp_path: t.Any, data: bytes) -> None:
    with pytest.raises(DistrogateError) as caught:
        read(tmp_path / "a.deb", data)
    assert caught.value.reason == "bad_package"


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress), (".zst", zstd)])
def test_bombs_are_bounded(tmp_path: t.Any, monkeypatch: t.Any, suffix: str, pack: t.Any) -> None:
    if suffix == ".zst" and not shutil.which("zstd"):
        pytest.skip("zstd is not installed")
    monkeypatch.setattr(_deb, "_UNPACKED", 1 << 16)
    with pytest.raises(DistrogateError, match="unpacks to more"):
        read(tmp_path / "a.deb", deb(control(), suffix, lambda data: pack(data + bytes(1 << 22))))


def test_a_pipe_is_no_package(tmp_path: t.Any) -> None:
    fifo = tmp_path / "fifo"
    subprocess.run(["mkfifo", str(fifo)], check=True)
    with pytest.raises(DistrogateError, match="regular file"):
        PackageFile(str(fifo))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=8), st.booleans())
def test_mutations_never_crash(tmp_path: t.Any, changes: list[tuple[int, int]], cut: bool) -> None:
    data = bytearray(deb(control(), "", bytes))
    for position, value in changes:
        data[position % len(data)] = value
    if cut:
        del data[changes[0][0] % len(data) :]
    try:
        facts = read(tmp_path / "a.deb", bytes(data))
    except DistrogateError as error:
        reason = error.reason
    else:
        reason = "bad_package"
        assert "\n\n" not in facts.text
        assert "/" not in facts.name + facts.version + facts.architecture + facts.source
    assert reason == "bad_package"


@settings(max_examples=300)
@given(st.text(st.sampled_from("Package: nov\n\t\r\x0b\x85 .-"), max_size=60))
def test_no_text_forges_a_stanza(text: str) -> None:
    try:
        fields, kept = _deb.parse_control(text.encode(), "x")
    except DistrogateError:
        return
    assert all(line.strip() for line in kept.split("\n"))
    assert len(fields) == sum(not line.startswith((" ", "\t")) for line in kept.split("\n"))
