# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An initial ram disk that would be the same one is not made again, and every other one is."""

from __future__ import annotations

import os
import pathlib
import subprocess
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._images._initramfs import (
    essential_hook,
    removal,
    update_initramfs,
)

REAL = """\
#!/bin/sh
echo "$*" >> {root}/../log
[ "$1" = -u ] || echo "$3" > "{root}/boot/initrd.img-$3"
exit "$(cat {root}/../status)"
"""
LDCONFIG = """\
#!/bin/sh
cat {root}/usr/lib/* > {root}/etc/ld.so.cache~ 2> /dev/null
mv {root}/etc/ld.so.cache~ {root}/etc/ld.so.cache
"""


class System:
    """A root filesystem with an update-initramfs that notes what it is called with."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        for name in ("boot", "etc", "sbin", "usr/sbin", "usr/lib", "var/lib/dpkg", "var/lib/demo", "proc"):
            (root / name).mkdir(parents=True)
        (root / "etc/modules").write_text("loop")
        self.ldconfig = root / "sbin/ldconfig"
        self.ldconfig.write_text(LDCONFIG.format(root=root))
        self.ldconfig.chmod(0o755)
        for version in ("6.1", "6.2"):
            (root / f"boot/config-{version}").touch()
        (root.parent / "status").write_text("0")
        real = root / "usr/sbin/update-initramfs"
        real.write_text(REAL.format(root=root))
        real.chmod(0o755)
        self.create("6.1")

    def create(self, version: str) -> int:
        """As the script of a kernel's package calls it."""
        return self("-c", "-k", version, "-b", f"{self.root}/boot", DPKG_MAINTSCRIPT_PACKAGE="linux-image")

    def __call__(self, *argv: str, **environment: str) -> int:
        environment = {**os.environ, "DPKG_MAINTSCRIPT_PACKAGE": "", **environment}
        argv = ("sh", "-c", update_initramfs(str(self.root)), "update-initramfs", *argv)
        return subprocess.run(argv, env=environment, check=False).returncode

    def updated(self, **environment: str) -> bool:
        """Whether the trigger's call reached the real one."""
        log = self.root.parent / "log"
        log.write_text("")
        assert self("-u", **environment) == 0
        return log.read_text() == "-u\n"


@pytest.fixture
def system(tmp_path: pathlib.Path) -> System:
    return System(tmp_path / "root")


def test_nothing_has_changed(system: System) -> None:
    assert not system.updated() and not system.updated()


def test_the_trigger_of_libraries(system: System) -> None:
    """Their cache is written anew, and is the same."""
    subprocess.run([system.ldconfig], check=True)
    assert not system.updated()


def test_another_cache_of_libraries(system: System) -> None:
    (system.root / "etc/ld.so.cache").write_text("another")
    assert system.updated()


def test_a_system_without_ldconfig(system: System) -> None:
    (system.root / "etc/ld.so.cache").unlink()
    system.ldconfig.unlink()
    assert system.create("6.1") == 0 and not system.updated()
    (system.root / "etc/ld.so.cache").touch()
    assert system.updated()


def test_what_dpkg_itself_writes(system: System) -> None:
    (system.root / "var/lib/dpkg/status").write_text("installed")
    (system.root / "proc/1").touch()
    assert not system.updated()


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "etc/modules").write_text("dummy"),
        lambda root: (root / "usr/lib/new").touch(),
        lambda root: (root / "etc/modules").unlink(),
        lambda root: (root / "etc/modules").chmod(0o600),
        lambda root: os.utime(root / "etc/modules", (1, 1)),
        lambda root: (root / "var/lib/demo/key").touch(),
        lambda root: (root / "boot/config-6.1").write_text("CONFIG_X=y"),
        lambda root: (root / "boot/initrd.img-6.1").write_text("somebody's own"),
        lambda root: (root / "boot/initrd.img-6.2").touch(),
    ],
)
def test_something_has(system: System, change: t.Callable[[pathlib.Path], None]) -> None:
    change(system.root)
    assert system.updated()


def test_two_kernels(system: System) -> None:
    """Made one after the other; neither is older than what it was made of."""
    system.create("6.2")
    assert not system.updated()
    (system.root / "usr/lib/new").touch()
    system.create("6.2")
    assert system.updated()  # the first one has not seen it


def test_one_that_failed(system: System) -> None:
    (system.root.parent / "status").write_text("3")
    assert system.create("6.1") == 3
    (system.root.parent / "status").write_text("0")
    assert system.updated()


def test_the_script_of_a_package_asks_for_the_trigger(system: System) -> None:
    assert system.updated(DPKG_MAINTSCRIPT_PACKAGE="mdadm")


def test_the_hook_of_mmdebstrap(tmp_path: pathlib.Path) -> None:
    """What it puts there is what apt gives to dpkg, and all of it goes."""
    (tmp_path / "etc/apt/apt.conf.d").mkdir(parents=True)
    (tmp_path / "var/cache/distrogate").mkdir(parents=True)

    def hook(script: str) -> list[pathlib.Path]:
        subprocess.run(["sh", "-c", script, "hook", str(tmp_path)], check=True)
        return [path.relative_to(tmp_path) for path in sorted(tmp_path.rglob("*")) if path.is_file()]

    setting, program = hook(essential_hook())
    read = ["apt-config", "-c", str(tmp_path / setting), "dump", "DPkg::Path"]
    value = subprocess.run(read, check=True, capture_output=True, text=True).stdout
    assert value.startswith(f'DPkg::Path "/{program.parent}:/usr/sbin:')
    assert os.access(tmp_path / program, os.X_OK)
    assert (tmp_path / program).read_text() == update_initramfs()
    assert hook(removal("$1")) == [] and not (tmp_path / "var/cache/distrogate").exists()
