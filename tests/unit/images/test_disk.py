# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an image is, before anybody opens it: strangers' headers are refused with a reason."""

from __future__ import annotations

import os
import pathlib
import struct
import subprocess
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images import _disk, _qemu
from ansible_collections.distrogate.ci.tests.unit.images.boot_samples import disk


def refused(reason: str) -> t.Any:
    return pytest.raises(DistrogateError, check=lambda error: error.reason == reason)


def qcow2(folder: pathlib.Path, *options: str, size: str = "1M") -> str:
    path = str(folder / "sample.qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *options, path, size], check=True)
    os.chmod(path, 0o644)
    return path


def patch(path: str, offset: int, form: str, value: int) -> str:
    with open(path, "r+b") as stream:
        stream.seek(offset)
        stream.write(struct.pack(form, value))
    return path


def test_good_ones(tmp_path: pathlib.Path) -> None:
    path = disk(tmp_path, "hello")
    assert _disk.look(path, "raw") == _disk.Disk(path, "raw", 1 << 20, True)
    assert _disk.look(disk(tmp_path), "raw").boots is False
    for compatible in ("0.10", "1.1"):
        found = _disk.look(qcow2(tmp_path, "-o", f"compat={compatible}", size="3G"), "qcow2")
        assert (found.size, found.boots) == (3 << 30, None)


def test_a_partition_table_is_no_boot_loader() -> None:
    assert not _disk.boots(bytes(510) + b"\x55\xaa")
    assert not _disk.boots(b"\xeb".ljust(512, b"\0"))
    assert not _disk.boots(b"\xeb\x55\xaa")
    table = bytes(446) + b"\x80\x01\x01\x00\x83" + bytes(59) + b"\x55\xaa"
    assert len(table) == 512 and not _disk.boots(table)


@pytest.mark.parametrize("backing", ["/etc/shadow", "json:{}", "nbd://127.0.0.1/x"])
def test_a_backing_file(tmp_path: pathlib.Path, backing: str) -> None:
    with refused("unsafe_image"):
        _disk.look(qcow2(tmp_path, "-u", "-F", "raw", "-b", backing), "qcow2")


def test_data_in_another_file(tmp_path: pathlib.Path) -> None:
    path = qcow2(tmp_path, "-o", f"data_file={tmp_path}/other")
    with refused("unsafe_image"):
        _disk.look(path, "qcow2")


@pytest.mark.parametrize(
    ("offset", "form", "value", "reason"),
    [
        (0, ">I", 0, "bad_image"),
        (4, ">I", 4, "bad_image"),
        (8, ">Q", 1 << 40, "unsafe_image"),
        (16, ">I", 11, "unsafe_image"),
        (24, ">Q", 1 << 62, "too_large"),
        (32, ">I", 1, "bad_image"),
        (72, ">Q", 2, "bad_image"),
        (72, ">Q", 1 | 4, "unsafe_image"),
    ],
)
def test_hostile_headers(tmp_path: pathlib.Path, offset: int, form: str, value: int, reason: str) -> None:
    with refused(reason):
        _disk.look(patch(qcow2(tmp_path), offset, form, value), "qcow2")


def test_what_is_no_image(tmp_path: pathlib.Path) -> None:
    path = disk(tmp_path, "x")
    link, pipe, short = tmp_path / "link", tmp_path / "pipe", tmp_path / "short"
    link.symlink_to(path)
    os.mkfifo(pipe)
    short.write_bytes(b"QFI\xfb")
    for bad, kind in ((link, "raw"), (pipe, "raw"), (short, "qcow2"), (short, "raw"), (tmp_path, "raw")):
        with refused("bad_image"):
            _disk.look(str(bad), kind)
    for kind in ("qcow2", "tar", ""):
        with refused("bad_image"):
            _disk.look(path, kind)
    with refused("bad_image"):
        _disk.look(str(tmp_path / "nothing"), "raw")
    os.chmod(path, 0o600)
    with refused("not_readable"):
        _disk.look(path, "raw")


def test_the_first_sector_of_a_qcow2_image(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "image.qcow2")
    for text in ("hello", ""):
        convert = ["qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", disk(tmp_path, text), path]
        subprocess.run(convert, check=True)
        os.chmod(path, 0o644)
        assert _qemu.boots_itself(str(tmp_path / "scratch"), _disk.look(path, "qcow2")) is bool(text)
    broken = patch(path, 20, ">I", 63)  # clusters of so many bits
    with refused("bad_image"):
        _qemu.boots_itself(str(tmp_path / "scratch"), _disk.look(broken, "qcow2"))
    assert os.listdir(tmp_path / "scratch") == []
