# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proof as a user would have it: real apt-get and real dnf install from a mirror, signatures checked."""

from __future__ import annotations

from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import Sandbox
from ansible_collections.distrogate.ci.tests.demo.site import Site

APT_SOURCE = """\
Types: deb
URIs: {url}/apt
Suites: {suite}
Components: main
Signed-By:
{key}
"""
RPM_SOURCE = """\
[mirror]
name=mirror
baseurl={url}/rpm
gpgcheck=1
repo_gpgcheck=1
gpgkey={url}/rpm/key.asc
"""


def deb822_key(text: str) -> str:
    """An ASCII-armoured key as a deb822 field."""
    return "\n".join(f" {line or '.'}" for line in text.splitlines())


def apt_installs(site: Site, url: str, suite: str, key: str, package: str) -> str:
    """Install with apt-get in a scratch root; returns the version that came."""
    rootfs = site.rootfs / "install-deb" / "current" / "rootfs"
    with Sandbox(str(site.root / "proof-apt"), str(rootfs)) as box:
        for name in ("sources.list", "sources.list.d/debian.sources"):
            box.run(["rm", "-f", f"/etc/apt/{name}"])
        text = APT_SOURCE.format(url=url, suite=suite, key=deb822_key(key))
        box.run(["tee", "/etc/apt/sources.list.d/mirror.sources"], stdin=text.encode())
        apt = ["apt-get", "--yes", "--quiet", "-o", "APT::Sandbox::User=root"]
        box.run([*apt, "update", "--error-on=any"], network=True)
        box.run([*apt, "install", package], network=True)
        box.run([package])
        return box.run(["dpkg-query", "--show", "--showformat=${Version}", package]).text


def dnf_installs(site: Site, url: str, package: str) -> str:
    """Install with dnf into an installroot; returns the version that came."""
    rootfs = site.rootfs / "install-rpm" / "current" / "rootfs"
    with Sandbox(str(site.root / "proof-dnf"), str(rootfs)) as box:
        # The new root begins as a copy of the machine's: there is no rpm distribution to make one from.
        box.run(["mkdir", "--parents", "/etc/yum.repos.d", "/installroot"])
        folders = ["/bin", "/etc", "/lib", "/lib64", "/root", "/sbin", "/usr", "/var"]
        box.run(["cp", "--archive", "--one-file-system", *folders, "/installroot"])
        text = RPM_SOURCE.format(url=url)
        box.run(["tee", "/installroot/etc/yum.repos.d/mirror.repo"], stdin=text.encode())
        dnf = ["dnf", "--assumeyes", "--quiet", "--installroot=/installroot"]
        box.run([*dnf, "install", package], network=True)
        box.run(["chroot", "/installroot", package])
        query = ["rpm", "--root=/installroot", "--query", "--queryformat", "%{VERSION}-%{RELEASE}", package]
        return box.run(query).text
