# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tree that images of one distribution have in common: made once, then what they are laid over.

It holds what every image of the suite needs (variant minbase), and those of the
image's packages that make a machine of it: kernel, init, remote access. It
comes from the distribution alone, so that no package under test has ever run
in a tree that other images begin with. It is a folder that nobody writes to
any more (see ``_tree``), so it is neither packed nor copied.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import tempfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _sandbox
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._core._process import boot_id
from ansible_collections.distrogate.ci.plugins.module_utils._images import _initramfs, _root_scripts
from ansible_collections.distrogate.ci.plugins.module_utils._images._rootfs import proxies

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace
    from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

FOLDER = "layers"
KEEP = 4  # layers that are kept, the last used ones
_FORMAT = 3
# Which of the packages are part of it follows from the request alone, never from what is cached: else an
# image would depend on those that were built before it.
_COMMON = re.compile(
    r"(linux-image-[a-z0-9-]+|initramfs-tools|grub-[a-z0-9-]+|systemd(-[a-z]+)?|init|udev|dbus|kmod|iproute2"
    r"|ifupdown|netplan\.io|cloud-init|openssh-server|ca-certificates|sudo|python3|locales)"
)
_MONTHS = 90 * 86400


def common(packages: t.Iterable[str]) -> list[str]:
    """Those of the packages that are part of the common tree."""
    return sorted(name for name in set(packages) if _COMMON.fullmatch(name))


class BaseLayer:
    """The common tree of a request, in ``OUTPUT/.cache/layers``; held until the end of the context.

    ``path`` is a link that is named by the digest of all that decides about the
    tree; it names the newest folder of it. Others may still be in use.
    """

    def __init__(self, request: ImageRequest, place: BuildPlace, epoch: int, tool: str) -> None:
        self.request = request
        self.place = place
        # Nearly all images of one time have the same: dates of files are set at the end.
        self.epoch = epoch - epoch % _MONTHS
        self.packages = common(request.packages)
        self.new = False  # whether the tree was made just now
        key = {
            "format": _FORMAT,
            "suite": request.suite,
            "architecture": request.architecture,
            "mirror": request.mirror,
            "packages": self.packages,
            "epoch": self.epoch,
            "environment": request.environment,
            "tool": tool,
            "owner": _sandbox.unshare(),  # subordinate ids: another user's would be nobody's here
            "boot": boot_id(),  # it is not synced
        }
        self.folder = os.path.join(place.cache, FOLDER)
        self.path = os.path.join(self.folder, digest_json(key).split(":")[1])
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> BaseLayer:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def take(self) -> str:
        """The folder of the tree, which is made unless it is there."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        # A second build of the same waits rather than doing the same work.
        with file_lock(self.path + ".lock", self.place.remaining()):
            with contextlib.suppress(OSError):
                found = os.path.join(self.folder, os.readlink(self.path))
                if self._held(found):
                    os.utime(found)
                    return os.path.join(found, "root")
            self.new = True
            return self._make()

    def forget(self) -> None:
        """The distribution has moved on; the folder stays for those who use it."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self._stack.close()

    def _held(self, path: str) -> bool:
        """Hold a layer that is there, so that nobody removes it while it is in use."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._stack.callback(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return os.path.isdir(os.path.join(path, "root"))

    def _make(self) -> str:
        self.place.say(f"{self.request.name}: makes the common root filesystem of {self.request.suite}")
        sources = os.path.join(self.place.given, "debian.sources")
        with open(sources, "w", encoding="utf-8") as stream:
            stream.write(self.request.mirror)
        initramfs = os.path.join(self.place.given, "initramfs")  # a file: mmdebstrap tells what it runs
        with open(initramfs, "w", encoding="utf-8") as stream:
            stream.write(_initramfs.essential_hook())
        made = tempfile.mkdtemp(prefix="layer-", dir=self.place.directory)
        os.chmod(made, 0o777)
        argv = ["mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory", "--skip=cleanup/apt"]
        argv += [f"--architectures={self.request.architecture}"]
        argv += [f"--setup-hook={_root_scripts.FAST}", f'--essential-hook=sh {initramfs} "$1"']
        at_end = (_initramfs.removal("$1"), _root_scripts.SLOW)
        argv += [f"--customize-hook={hook.strip()}" for hook in at_end]
        if "openssh-server" in self.packages:
            argv += [f"--setup-hook={_root_scripts.NO_KEYS.strip()}"]
        argv += [f"--include={name}" for name in self.packages]
        environment = {**proxies(), **self.request.environment, "SOURCE_DATE_EPOCH": str(self.epoch)}
        argv += ["--", self.request.suite, os.path.join(made, "root"), sources]
        self.place.run(argv, environment=environment)
        if not stat.S_ISDIR(os.lstat(made).st_mode):
            raise DistrogateError("build_failed", f"The build put something else at {made}.")
        os.chmod(made, 0o755)
        self._held(made)
        new = tempfile.mkdtemp(prefix=os.path.basename(self.path) + "-", dir=self.folder)
        os.rename(made, new)
        link = os.path.join(self.place.place, "link")
        os.symlink(os.path.basename(new), link)
        os.replace(link, self.path)
        self._prune()
        return os.path.join(new, "root")

    def _prune(self) -> None:
        """Drop what no name leads to, and the layers that were not used for longest; none that is in use."""
        entries = list(os.scandir(self.folder))
        named = {os.readlink(entry.path) for entry in entries if entry.is_symlink()}
        layers = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
        layers.sort(key=lambda one: (one.name in named, one.stat(follow_symlinks=False).st_mtime))
        for number, entry in enumerate(layers):
            if entry.name in named and number >= len(layers) - KEEP:
                continue
            with contextlib.suppress(OSError):  # in use, or another one was quicker
                descriptor = os.open(entry.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    gone = tempfile.mkdtemp(prefix=".old-", dir=self.place.place)
                    os.rename(entry.path, os.path.join(gone, "old"))  # removed with the place
                finally:
                    os.close(descriptor)
        for entry in entries:
            if entry.is_symlink() and not os.path.exists(entry.path):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(entry.path)
