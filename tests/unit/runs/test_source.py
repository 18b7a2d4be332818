# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""run.json out of a log bundle that a stranger may have made: bounded, and nothing of it is unpacked."""

from __future__ import annotations

import gzip
import io
import json
import os
import pathlib
import tarfile
import tracemalloc

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._runs._source import read_frozen

RUN = {"version": 1, "id": "check-1"}


def bundle(path: pathlib.Path, *members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE) -> str:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size, info.type = (len(data), kind) if kind == tarfile.REGTYPE else (0, kind)
            info.linkname = "/etc/passwd"
            archive.addfile(info, io.BytesIO(data))
    return str(path)


def reason(path: str | pathlib.Path) -> str:
    with pytest.raises(DistrogateError) as caught:
        read_frozen(str(path))
    return caught.value.reason


def test_each_source(tmp_path: pathlib.Path) -> None:
    text = json.dumps(RUN).encode()
    run = tmp_path / "runs" / "check-1"
    run.mkdir(parents=True)
    (run / "run.json").write_bytes(text)
    path = bundle(
        tmp_path / "report.tar.gz", ("check-1/logs/a.log", b"x" * 70000), ("check-1/run.json", text)
    )
    for source in (run, run.parent, path):
        assert read_frozen(str(source)) == RUN


@pytest.mark.parametrize(
    "name",
    ["run.json", "../run.json", "/run.json", "a/b/run.json", "a/../run.json", "a/run.json.x"],
)
def test_other_places_do_not_count(tmp_path: pathlib.Path, name: str) -> None:
    assert reason(bundle(tmp_path / "r.tar.gz", (name, b"{}"))) == "bad_report"


def test_two_of_them_links_and_devices(tmp_path: pathlib.Path) -> None:
    twice = [("a/run.json", b"{}"), ("b/run.json", b"{}")]
    assert reason(bundle(tmp_path / "r.tar.gz", *twice)) == "bad_report"
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
        assert reason(bundle(tmp_path / "r.tar.gz", ("a/run.json", b""), kind=kind)) == "bad_report"
    (tmp_path / "run").mkdir()
    os.symlink("/etc/hostname", tmp_path / "run/run.json")
    assert reason(tmp_path / "run") == "no_run"
    assert reason(tmp_path / "nothing") == "not_found"


def test_what_is_no_archive(tmp_path: pathlib.Path) -> None:
    whole = pathlib.Path(
        bundle(tmp_path / "r.tar.gz", ("a/run.json", b"{}"), ("a/x", os.urandom(9999)))
    ).read_bytes()
    for number, data in enumerate(
        (b"", b"no gzip", gzip.compress(b"no tar" * 200), whole[:-3000], whole[:40])
    ):
        broken = tmp_path / str(number)
        broken.write_bytes(data)
        assert reason(broken) == "bad_report"
    for text in (b"[]", b"{", b'{"a": 1, "a": 2}', b"\xff"):
        assert reason(bundle(tmp_path / "r.tar.gz", ("a/run.json", text))) in ("bad_report", "bad_json")


def _header(name: str, size: int, kind: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.USTAR_FORMAT)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.REGTYPE])
def test_a_bomb_takes_no_memory(tmp_path: pathlib.Path, kind: bytes) -> None:
    """A header, or a run.json, of hundreds of megabytes that packs to nothing."""
    size = 300 << 20
    path = tmp_path / "bomb.tar.gz"
    with gzip.open(path, "wb", 1) as stream:
        stream.write(_header("a/run.json", size, kind))
        for _number in range(size >> 20):
            stream.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        assert reason(path) == "bad_report"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 << 20


def test_many_members_take_no_memory(tmp_path: pathlib.Path) -> None:
    members: list[tuple[str, bytes]] = [(f"a/{number}", b"") for number in range(5000)]
    path = bundle(tmp_path / "r.tar.gz", *members, ("a/run.json", b"{}"))
    tracemalloc.start()
    try:
        assert read_frozen(path) == {}
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20
