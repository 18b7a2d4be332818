# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tree that images of one distribution have in common: made once, then unpacked.

It holds what every image of the suite needs (variant minbase), and those of the
image's packages that make a machine of it: kernel, init, remote access. It
comes from the distribution alone, so that no package under test has ever run
in a tree that other images begin with.
"""

from __future__ import annotations

import contextlib
import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json, sync_file
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._images._rootfs import proxies

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace
    from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

FOLDER = "layers"
_FORMAT = 1
# Which of the packages are part of it follows from the request alone, never from what is cached: else an
# image would depend on those that were built before it.
_COMMON = re.compile(
    r"(linux-image-[a-z0-9-]+|initramfs-tools|grub-[a-z0-9-]+|systemd(-[a-z]+)?|init|udev|dbus|kmod|iproute2"
    r"|ifupdown|netplan\.io|cloud-init|openssh-server|ca-certificates|sudo|python3|locales)"
)
_MONTHS = 90 * 86400
_TAR = ["tar", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls"]
# dpkg need not sync each file: the image is synced before it appears.
_FAST = 'printf "force-unsafe-io\\n" > "$1/etc/dpkg/dpkg.cfg.d/zz-build"'
_SLOW = 'rm -f "$1/etc/dpkg/dpkg.cfg.d/zz-build"'


def common(packages: t.Iterable[str]) -> list[str]:
    """Those of the packages that are part of the common tree."""
    return sorted(name for name in set(packages) if _COMMON.fullmatch(name))


class BaseLayer:
    """The common tree of a request, in ``OUTPUT/.cache/layers``."""

    def __init__(self, request: ImageRequest, place: BuildPlace, epoch: int, tool: str) -> None:
        self.request = request
        self.place = place
        # Nearly all images of one time have the same: dates of files are set at the end.
        self.epoch = epoch - epoch % _MONTHS
        self.packages = common(request.packages)
        self.new = False  # whether the tree was made just now, rather than unpacked
        key = {
            "format": _FORMAT,
            "suite": request.suite,
            "architecture": request.architecture,
            "mirror": request.mirror,
            "packages": self.packages,
            "epoch": self.epoch,
            "environment": request.environment,
            "tool": tool,
        }
        self.folder = os.path.join(place.cache, FOLDER)
        self.path = os.path.join(self.folder, digest_json(key).split(":")[1] + ".tar")

    def unpack(self, tree: str) -> None:
        """Have the tree at ``tree``."""
        os.makedirs(self.folder, exist_ok=True)
        # A second build of the same waits rather than doing the same work.
        with file_lock(self.path + ".lock", self.place.remaining()):
            mine = os.path.join(self.place.given, "layer.tar")
            with contextlib.suppress(FileNotFoundError):
                os.link(self.path, mine)
                os.utime(self.path)
            if not os.path.exists(mine):
                self._make(tree)
                self.new = True
                return
        self.place.say(f"{self.request.name}: unpacks the common root filesystem")
        unpack(self.place, mine, tree)

    def forget(self) -> None:
        """The distribution has moved on."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def _make(self, tree: str) -> None:
        self.place.say(f"{self.request.name}: makes the common root filesystem of {self.request.suite}")
        sources = os.path.join(self.place.given, "debian.sources")
        with open(sources, "w", encoding="utf-8") as stream:
            stream.write(self.request.mirror)
        argv = [
            "mmdebstrap",
            "--mode=root",
            "--variant=minbase",
            "--format=directory",
            "--skip=cleanup/apt/lists",
        ]
        argv += [f"--architectures={self.request.architecture}", f"--setup-hook={_FAST}"]
        argv += [f"--customize-hook={_SLOW}", *[f"--include={name}" for name in self.packages]]
        environment = {**proxies(), **self.request.environment, "SOURCE_DATE_EPOCH": str(self.epoch)}
        self.place.run([*argv, "--", self.request.suite, tree, sources], environment=environment)
        new = os.path.join(self.place.out, "layer.tar")
        self.place.run([*_TAR, "--create", f"--file={new}", "-C", tree, "."])
        self.place.own(new)
        sync_file(new)
        os.replace(new, self.path)


def unpack(place: BuildPlace, archive: str, tree: str) -> None:
    """Unpack a root filesystem's archive, without its devices."""
    argv = [*_TAR, "--extract", "--exclude=./dev/*", "--exclude=dev/*", f"--file={archive}", "-C", tree]
    place.run(
        ["sh", "-c", 'mkdir -p "$1"; shift; exec "$@"', "unpack", tree, *argv], binds={archive: archive}
    )
