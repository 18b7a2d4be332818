# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Debian of today, made by mmdebstrap, in the boot test: its login, commands and testinfra over ssh."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sha256_file
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Suite
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import remove_folder, unpack
from ansible_collections.distrogate.ci.plugins.module_utils._images._boot import Image, Place, Terms, boot
from ansible_collections.distrogate.ci.plugins.module_utils._images._checks import Checks

PACKAGES = "linux-image-cloud-amd64,systemd-sysv,udev,initramfs-tools,dbus,python3-minimal,openssh-server"
TESTS = ["python3-testinfra", "openssh-client"]
NETWORK = "[Match]\\nType=ether\\n[Network]\\nDHCP=ipv4\\n"
HOOK = (
    f'printf "{NETWORK}" >"$1/etc/systemd/network/80-all.network"'
    ' && chroot "$1" systemctl enable systemd-networkd'
)
COMMANDS = (("systemctl", "is-system-running", "--wait"), ("ssh", "-V"))
TEST = """\
def test_debian(host):
    assert host.system_info.distribution == "debian"
    assert host.service("ssh").is_running
    assert host.file("/etc/shadow").mode == 0o640


def test_no_way_out(host):
    assert host.run("timeout 5 bash -c '</dev/tcp/10.0.2.2/22'").rc != 0
"""


def strap(folder: pathlib.Path, name: str, packages: str, *options: str) -> pathlib.Path:
    archive = folder / f"{name}.tar"
    argv = ["mmdebstrap", "--variant=minbase", f"--include={packages}", *options, "bookworm", str(archive)]
    subprocess.run(argv, check=True, capture_output=True)
    return archive


def make_image(folder: pathlib.Path) -> Image:
    """A file system without a boot loader, with its kernel beside it."""
    tree, raw = folder / "tree", folder / "debian.raw"
    tree.mkdir()
    archive = strap(folder, "debian", PACKAGES, f"--customize-hook={HOOK}")
    subprocess.run(["tar", "--extract", f"--file={archive}", f"--directory={tree}"], check=True)
    for name, pattern in (("vmlinuz", "vmlinuz-*"), ("initrd", "initrd.img-*")):
        shutil.copy(next((tree / "boot").glob(pattern)), folder / name)
        (folder / name).chmod(0o644)
    raw.touch()
    os.truncate(raw, 2 << 30)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(raw)], check=True)
    path = folder / "debian.qcow2"
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(path)], check=True)
    path.chmod(0o644)
    kernel, initrd = str(folder / "vmlinuz"), str(folder / "initrd")
    return Image("debian", str(path), "qcow2", kernel=kernel, initrd=initrd, append="root=/dev/vda rw")


def main() -> int:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dg-boot-"))
    try:
        begun = time.monotonic()
        image = make_image(folder)
        unpack(str(strap(folder, "tests", ",".join(TESTS))), str(folder / "rootfs"))
        print(f"The image and the root filesystem of the tests: {time.monotonic() - begun:.0f} s")
        (folder / "tests").mkdir()
        (folder / "tests" / "test_debian.py").write_text(TEST)
        before, suite = sha256_file(image.path), Suite("boot")
        checks = Checks(COMMANDS, tests=str(folder / "tests"), rootfs=str(folder / "rootfs"))
        place = Place(str(folder / "scratch"), str(folder / "log"), suite, print, str(folder / "results.xml"))
        found = boot(image, Terms(checks=checks), place)
        assert sha256_file(image.path) == before, "the image was written to"
        assert 'tests="2"' in (folder / "results.xml").read_text()
        print(
            f"Up after {found['seconds']} s with {found['accelerator']}; passed: {', '.join(found['checks'])}"
        )
    finally:
        remove_folder(str(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
