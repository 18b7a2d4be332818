# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images: whole or not at all, on the TE's own disk and nowhere else."""

from __future__ import annotations

import hashlib
import os
import pathlib
import stat
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard import _image
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard._wire import RefusedError
from ansible_collections.distrogate.ci.tests.faults.guard_host import SIZE, Host


@pytest.fixture
def leased(host: Host) -> Host:
    host.raise_fence(7)
    host.disk().write_bytes(b"as it was")
    return host


def leftovers(host: Host) -> list[str]:
    return [path.name for path in host.folder.iterdir() if ".te_guard." in path.name]


@pytest.mark.parametrize(
    "data", [b"x", b"x" * SIZE, b"\0" * SIZE, b"x" + b"\0" * (3 << 20), os.urandom(3 << 20)]
)
def test_whole(leased: Host, data: bytes) -> None:
    leased.disk().chmod(0o640)
    done = leased.call("a", f"image root {len(data)}", data)
    assert done.answer["sha256"] == hashlib.sha256(data).hexdigest()
    assert leased.disk().read_bytes() == data
    assert stat.S_IMODE(leased.disk().stat().st_mode) == 0o640
    assert not leftovers(leased)


def qcow2(version: int = 3, backing: int = 0, features: int = 0) -> bytes:
    head = b"QFI\xfb" + version.to_bytes(4, "big") + backing.to_bytes(8, "big")
    return head + b"\0" * 56 + features.to_bytes(8, "big") + b"\0" * 500


BACKED, SPLIT = qcow2(backing=104), qcow2(features=4)


@pytest.mark.parametrize(
    ("command", "data", "reason"),
    [
        ("image root 6", b"hello", "image_incomplete"),
        ("image root 4", b"hello", "image_too_large"),
        ("image root 5 " + "0" * 64, b"hello", "digest_mismatch"),
        (f"image root {SIZE + 1}", b"hello", "image_too_large"),
        ("image swap 5", b"hello", "unknown_disk"),
        (f"image root {len(BACKED)}", BACKED, "bad_image"),
        (f"image root {len(SPLIT)}", SPLIT, "bad_image"),
    ],
    ids=["short", "long", "digest", "large", "disk", "backing file", "data file"],
)
def test_not_at_all(leased: Host, command: str, data: bytes, reason: str) -> None:
    done = leased.call("a", command, data)
    assert (done.status, done.answer["reason"]) == (1, reason)
    assert leased.disk().read_bytes() == b"as it was"
    assert not leftovers(leased)


@pytest.mark.parametrize(("version", "features"), [(3, 0), (2, 4)])
def test_a_qcow2_image_that_stands_alone(leased: Host, version: int, features: int) -> None:
    image = qcow2(version, features=features)
    assert leased.call("a", f"image root {len(image)}", image).answer["ok"]


def test_a_link_is_never_followed(leased: Host, tmp_path: pathlib.Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"worth having")
    for target in (other, tmp_path / "none"):
        leased.disk().unlink()
        leased.disk().symlink_to(target)
        assert leased.call("a", "image root 5", b"hello").answer["reason"] == "bad_disk"
        assert leased.disk().is_symlink()
    assert other.read_bytes() == b"worth having" and not (tmp_path / "none").exists()


def test_no_folder_pipe_or_device(leased: Host) -> None:
    disk = leased.disk()
    disk.unlink()
    disk.mkdir()
    assert leased.call("a", "image root 5", b"hello").answer["reason"] == "bad_disk"
    disk.rmdir()
    os.mkfifo(disk)
    assert leased.call("a", "image root 5", b"hello").answer["reason"] == "bad_disk"
    disk.unlink()
    for path in ("/dev/null", "/dev/fd/1", "/dev/no-such-device"):
        leased.tes["te1"]["disks"]["root"]["path"] = path
        leased.install()
        assert leased.call("a", "image root 5", b"hello").answer["reason"] == "bad_disk"


def test_the_last_step_needs_the_lease(tmp_path: pathlib.Path) -> None:
    """The lease may end after the last byte was looked at."""
    disk = tmp_path / "disk"
    disk.write_bytes(b"as it was")
    reader, writer = os.pipe()
    os.write(writer, b"hello")
    os.close(writer)

    def ended() -> t.Any:
        raise RefusedError("lease_ended", "It is over.")

    stdin = _image.Stdin(reader, lambda: None)
    with pytest.raises(RefusedError):
        _image.write_image(_image.Target(str(disk), 7), 5, "", stdin, ended)
    os.close(reader)
    assert disk.read_bytes() == b"as it was" and list(tmp_path.iterdir()) == [disk]


def test_the_console_is_a_file(leased: Host) -> None:
    console = leased.folder / "console"
    assert leased.call("a", "console 7").output == b"login: "
    console.unlink()
    console.symlink_to("/etc/passwd")
    assert leased.call("a", "console").answer["reason"] == "no_console"
    console.unlink()
    os.mkfifo(console)
    assert leased.call("a", "console").answer["reason"] == "no_console"


def test_what_a_killed_upload_left_goes_with_the_next_lease(leased: Host) -> None:
    for fence in (6, 7, 9):
        (leased.folder / f".te1.img.te_guard.{fence}.0123").write_bytes(b"x")
    leased.raise_fence(8, "b")
    assert leftovers(leased) == [".te1.img.te_guard.9.0123"]


def test_power(leased: Host) -> None:
    done = leased.call("a", "power reset")
    assert (done.answer["reason"], done.answer["output"]) == ("power_failed", "no such domain\n")
    leased.power_timeout = 1
    leased.install()
    assert "did not end within 1 s" in leased.call("a", "power off").answer["msg"]
    assert leased.raise_fence(8, "b").answer["stopped"] == 0
    assert "ended" not in leased.record.read_text()
    leased.tes["te1"]["power"] = {"on": ["/no/such/program"]}
    leased.install()
    assert leased.call("b", "power on").answer["reason"] == "power_failed"
    assert leased.call("b", "power off").answer["reason"] == "no_power"
