# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root filesystems by the digest of what they are made from (mmdebstrap(1))."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
import tempfile

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    digest_json,
    inside,
    write_json,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._core._process import boot_id
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import (
    Sandbox,
    remove_folder,
    unpack,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images import _minimal
from ansible_collections.distrogate.ci.plugins.module_utils._images._root_scripts import (
    FAST,
    FAST_NO_MORE,
    MORE,
)

_FORMAT = 2
_FIND_PROVIDES = "/usr/lib/rpm/find-provides"
_LIBRARIES = "/usr/lib"
_SPEC = """\
Name: rootfs-provides
Version: 1
Release: 1
Summary: What this root filesystem has that no rpm put there
License: GPL-3.0-or-later
BuildArch: noarch
{provides}
%description
Tells rpm's dependency solver about the libraries and programs of a root
filesystem that another package manager made.
%files
"""


@dataclasses.dataclass(frozen=True)
class RootFilesystem:
    """What to make: ``sources`` is deb822 text; ``rpm_provides`` lets rpm packages be installed into it."""

    name: str
    suite: str
    packages: tuple[str, ...]
    sources: str
    rpm_provides: bool = False

    def key(self) -> str:
        """16 hexadecimal digits over all of it and the tool's version."""
        inputs = {
            **dataclasses.asdict(self),
            "packages": sorted(set(self.packages)),
            "tool": _tool(),
            "format": _FORMAT,
        }
        return digest_json(inputs).split(":")[1][:16]

    def minimal(self) -> str:
        """The same over what it has in common with others; not for longer than this boot."""
        inputs = {"suite": self.suite, "sources": self.sources, "tool": _tool(), "boot": boot_id()}
        return digest_json(inputs).split(":")[1][:16]


def _tool() -> str:
    return _command.run(["mmdebstrap", "--version"], timeout=60).text.strip()


def proxies() -> dict[str, str]:
    """The proxy settings of the caller's environment, for programs that fetch."""
    names = ("http_proxy", "https_proxy", "no_proxy", "ftp_proxy")
    return {name: os.environ[name] for name in names if name in os.environ}


def find(folder: str, wanted: RootFilesystem) -> tuple[str, str, bool]:
    """Key, path of the tree, and whether it is there."""
    key = wanted.key()
    path = os.path.join(inside(folder, wanted.name), key, "rootfs")
    return key, path, os.path.isdir(path)


def make(folder: str, wanted: RootFilesystem, log: str | None, timeout: float) -> tuple[str, str, bool]:
    """Make the root filesystem unless it is there; returns key, path, and whether it was reused.

    It appears by one rename when it is complete. Two callers at once build it once.
    """
    home = inside(folder, wanted.name)
    os.makedirs(home, exist_ok=True)
    with file_lock(os.path.join(home, "lock"), timeout):
        key, path, present = find(folder, wanted)
        if present:
            _point(home, key)
            return key, path, True
        for name in os.listdir(home):
            if name.startswith(".new-"):  # of a caller that was killed
                remove_folder(os.path.join(home, name))
        new = tempfile.mkdtemp(prefix=".new-", dir=home)
        os.chmod(new, 0o755)
        try:
            _build(folder, new, wanted, log, timeout)
            write_json(
                os.path.join(new, "manifest.json"),
                {"version": _FORMAT, "key": key, **dataclasses.asdict(wanted)},
            )
            os.rename(new, os.path.join(home, key))
            _point(home, key)
        except BaseException:
            remove_folder(new)
            raise
    return key, path, False


def _point(home: str, key: str) -> None:
    """Let the link ``current`` name the newest one; running sandboxes keep the one they began with."""
    link = os.path.join(home, "current")
    if os.path.islink(link) and os.readlink(link) == key:
        return
    new = os.path.join(home, ".current")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)  # of a caller that was killed
    os.symlink(key, new)
    os.rename(new, link)


def _build(folder: str, new: str, wanted: RootFilesystem, log: str | None, timeout: float) -> None:
    sources, archive = os.path.join(new, "debian.sources"), os.path.join(new, "minimal.tar")
    with open(sources, "w", encoding="utf-8") as stream:
        stream.write(wanted.sources)

    def mmdebstrap(variant: str, path: str, *options: str) -> None:
        mode = "root" if os.getuid() == 0 else "unshare"
        argv = ["mmdebstrap", f"--mode={mode}", f"--variant={variant}", "--format=tar", *options]
        argv += [f"--setup-hook={FAST}", f"--customize-hook={FAST_NO_MORE}"]
        # apt-get update in every build and test then fetches and reads only what is new. Devices are no
        # matter of a root filesystem here. Documentation stays: lintian and install tests look at it.
        argv += ["--skip=cleanup/apt/lists,output/dev", '--aptopt=Acquire::Languages "none"']
        _command.run(
            [*argv, "--", wanted.suite, path, sources],
            environment=_command.base_environment(**proxies()),
            timeout=timeout,
            log=log,
        )

    _minimal.take(folder, wanted.minimal(), archive, lambda path: mmdebstrap("minbase", path), timeout)
    archives = [archive]
    if wanted.packages:
        archives.append(os.path.join(new, "rootfs.tar"))
        begin = f"--setup-hook=tar-in {shlex.quote(archive)} /"
        more = f"--customize-hook={MORE}apt install -- {shlex.join(wanted.packages)}"
        mmdebstrap("custom", archives[-1], "--skip=update", begin, more)
    unpack(archives[-1], os.path.join(new, "rootfs"), log)
    for path in archives:
        os.unlink(path)
    if wanted.rpm_provides:
        _register_provides(new, log)


def _register_provides(new: str, log: str | None) -> None:
    """Register what the tree provides as one rpm, so that rpm packages resolve in it."""
    with Sandbox(os.path.join(new, "sandbox"), os.path.join(new, "rootfs"), overlay=False) as box:
        listing = box.run(
            ["find", "-L", _LIBRARIES, "/usr/lib64", "-maxdepth", "2", "-name", "*.so*"], check=False
        )
        provides = box.run([_FIND_PROVIDES], stdin=listing.stdout).text.split("\n")
        programs = ["/bin/sh", "/bin/bash", "/usr/bin/perl", "rtld(GNU_HASH)"]
        lines = sorted(
            {
                f"Provides: {item}"
                for item in [*provides, *programs]
                if (item and "(" in item) or item in programs
            }
        )
        spec = _SPEC.format(provides="\n".join(lines))
        box.run(["tee", "/root/rootfs-provides.spec"], stdin=spec.encode())
        box.run(["rpmbuild", "-bb", "--define", "_topdir /root/rpm", "/root/rootfs-provides.spec"], log=log)
        box.run(["rpm", "--install", "/root/rpm/RPMS/noarch/rootfs-provides-1-1.noarch.rpm"], log=log)
        box.run(["rm", "-rf", "/root/rpm", "/root/rootfs-provides.spec"])
