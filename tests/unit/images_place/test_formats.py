# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of an image: what is in them, and that two builds give the same bytes."""

from __future__ import annotations

import os
import pathlib
import stat
import subprocess
import tarfile
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _sandbox
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sha256_file

if t.TYPE_CHECKING:
    from conftest import Output

EPOCH = 1700000000
ALL = ("tar", "raw", "qcow2")


def digests(files: dict[str, str]) -> dict[str, str]:
    return {name: sha256_file(path) for name, path in files.items()}


def test_two_builds_are_the_same_byte_for_byte(output: Output, tmp_path: pathlib.Path) -> None:
    first = output.build(tmp_path / "first", formats=ALL)
    second = output.build(tmp_path / "second", formats=ALL)
    assert set(first.files) == set(ALL) and digests(first.files) == digests(second.files)
    assert output.work() == []


def test_a_tar_file(output: Output, tmp_path: pathlib.Path) -> None:
    built = output.build(tmp_path / "built", formats=("tar",))
    with tarfile.open(built.files["tar"]) as archive:
        found = {entry.name: entry for entry in archive.getmembers()}
        assert archive.extractfile("./etc/hostname").read() == b"small\n"  # type: ignore[union-attr]
    assert found["./dev/null"].ischr() and (found["./dev/null"].devmajor, found["./dev/null"].devminor) == (
        1,
        3,
    )
    assert found["./etc/shadow"].gid == 42 and found["./bin/busybox"].uid == 0
    assert found["./etc/file1"].mtime == EPOCH - 1000 and found["./etc"].mtime == EPOCH
    assert found["./etc/machine-id"].size == 0 and "./run/pid" not in found
    names = [name for name in found if not name.startswith("./dev")]
    assert names == sorted(names)


def test_a_raw_image(output: Output, tmp_path: pathlib.Path) -> None:
    built = output.build(tmp_path / "built", formats=("raw", "qcow2"), size=300 << 20)
    path = built.files["raw"]
    assert os.path.getsize(path) == 300 << 20 and os.stat(path).st_blocks * 512 < 100 << 20
    assert os.stat(path).st_uid == os.getuid()
    checked = subprocess.run(
        ["e2fsck", "-f", "-n", path], capture_output=True, text=True, check=False, timeout=60
    )
    assert checked.returncode == 0, checked.stdout
    said = subprocess.run(
        ["debugfs", "-R", "stat /etc/shadow", path], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert "Group:    42" in said and said.count(f"0x{EPOCH:08x}") >= 2
    info = subprocess.run(
        ["qemu-img", "info", built.files["qcow2"]], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert "file format: qcow2" in info and "virtual size: 300 MiB" in info


def test_kernel_and_initrd(output: Output, tmp_path: pathlib.Path) -> None:
    built = output.build(tmp_path / "built", formats=("tar",))
    assert pathlib.Path(built.kernel).read_text() == "kernel"  # 6.1.0-10 is newer than 6.1.0-9
    assert pathlib.Path(built.initrd).read_text() == "initrd"
    assert "root=/dev/vda" in built.append and sorted(built.files) == ["tar"]


def test_a_root_directory(output: Output) -> None:
    with output.place() as place:
        from ansible_collections.distrogate.ci.plugins.module_utils._images._build_mmdebstrap import (
            MmdebstrapBuilder,
        )
        from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

        request = ImageRequest(name="small", builder="mmdebstrap", base=output.base, formats=("root",))
        root = MmdebstrapBuilder().build(request, place, EPOCH).files["root"]
        assert os.lstat(f"{root}/etc").st_mtime == EPOCH
        assert os.lstat(f"{root}/etc/shadow").st_uid == _sandbox._first_id("/etc/subuid")
        with _sandbox.Sandbox(os.path.join(place.place, "box"), root) as box:  # as a TE of it does
            assert box.run(["/bin/busybox", "cat", "/etc/hostname"]).text == "small\n"
    assert output.work() == []


def test_what_does_not_fit(output: Output, tmp_path: pathlib.Path) -> None:
    with pytest.raises(DistrogateError) as caught:
        output.build(tmp_path / "built", formats=("raw",), size=1 << 20)
    assert caught.value.reason in ("command_failed", "disk_full") and "mke2fs" in caught.value.message
    assert output.work() == []


def test_a_result_that_is_a_link(output: Output, tmp_path: pathlib.Path) -> None:
    """As of a hostile package, which can write where the results come."""
    from ansible_collections.distrogate.ci.plugins.module_utils._images import _formats

    (tmp_path / "precious").write_text("x")
    with output.place() as place:
        os.symlink(tmp_path / "precious", os.path.join(place.out, "small.tar"))
        with pytest.raises(DistrogateError) as caught:
            _formats._own(place, "small.tar")
    assert (
        caught.value.reason == "build_failed"
        and stat.S_IMODE(os.stat(tmp_path / "precious").st_mode) == 0o644
    )


def test_what_a_build_left_among_the_results(output: Output) -> None:
    """A package's script may write there: none of that is in the image, and none of it is waited for."""
    from ansible_collections.distrogate.ci.plugins.module_utils._images import _formats
    from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

    script = """
        mkdir -p "$1/etc" "$2/root" && cd "$2" && mkfifo small.tar && truncate -s 1T small.raw
        echo stranger > small.vmlinuz && ln -s /etc/passwd small.initrd
        echo 'ii  evil 1 all' > packages
    """
    with output.place() as place:
        tree, out = pathlib.Path(place.directory, "root"), pathlib.Path(place.out)
        place.run(["sh", "-c", script, "build", str(tree), str(out)])
        assert len(list(out.iterdir())) == 6
        request = ImageRequest("small", "dib", formats=("tar", "root"))
        built = _formats.make(request, place, str(tree), EPOCH)
        assert (built.kernel, built.initrd, built.packages) == ("", "", [])
        assert sorted(os.listdir(out)) == ["root", "small.tar"]
        assert os.listdir(out / "root") == ["etc"] and os.path.isfile(out / "small.tar")
