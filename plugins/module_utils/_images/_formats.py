# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a tree to files: tar, raw (ext4 without a partition table), qcow2, a folder; without loop devices."""

from __future__ import annotations

import io
import os
import re
import stat
import tarfile
import typing as t
import uuid

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images import _root_scripts
from ansible_collections.distrogate.ci.plugins.module_utils._images._builders import Built, Package

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace
    from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

APPEND = "root=/dev/vda rw console=ttyS0"
_DEVICES = {
    "console": (5, 1),
    "full": (1, 7),
    "null": (1, 3),
    "ptmx": (5, 2),
    "random": (1, 8),
    "tty": (5, 0),
    "urandom": (1, 9),
    "zero": (1, 5),
}
# Scripts of packages and elements could write there, and what they left would pass for a result.
_EMPTY = 'find "$2" -mindepth 1 -maxdepth 1 -exec rm -rf --one-file-system -- {} + || exit\n'
_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
_BLOCK = 512
_LARGEST_LIST = 16 << 20
_PACKAGE = re.compile(r"ii  ([a-z0-9][a-z0-9+.-]*) (\S+) (\S+)")


def make(
    request: ImageRequest,
    place: BuildPlace,
    tree: str,
    epoch: int,
    run: t.Callable[..., t.Any] | None = None,
) -> Built:
    """Make the formats that are asked for, of a tree that nothing changes any more; it may be gone then.

    ``run`` runs a program of ``_root_scripts`` with the tree as its first argument, where it has to be
    put together for that.
    """
    begin = os.path.join(place.given, "dev.part")
    with open(begin, "wb") as stream:
        stream.write(_dev(epoch))
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"image:{request.name}")
    words = [str(epoch), request.name, str(request.size), str(identity), begin, *request.formats]
    script, label = _EMPTY + _root_scripts.FORMATS, "make " + " ".join(request.formats)
    if run is not None:
        run(script, "formats", place.out, *words, label=label)
    else:
        place.run(["sh", "-c", script, "formats", tree, place.out, *words], label=label)
    built = Built({}, [])
    names = {name: f"{request.name}.{name}" for name in ("tar", "raw", "qcow2") if name in request.formats}
    built.files = {name: _own(place, file) for name, file in names.items()}
    if "root" in request.formats:
        built.files["root"] = os.path.join(place.out, "root")
    built.packages = _packages(place)
    if os.path.lexists(os.path.join(place.out, f"{request.name}.vmlinuz")):
        built.kernel = _own(place, f"{request.name}.vmlinuz")
        built.append = APPEND
    if os.path.lexists(os.path.join(place.out, f"{request.name}.initrd")):
        built.initrd = _own(place, f"{request.name}.initrd")
    return built


def _own(place: BuildPlace, name: str) -> str:
    """A result, which must be a plain file, as the caller's own."""
    path = os.path.join(place.out, name)
    try:
        plain = stat.S_ISREG(os.lstat(path).st_mode)
    except FileNotFoundError:
        plain = False
    if not plain:
        raise DistrogateError("build_failed", f"The build left no plain file {name}.{place.last_lines()}")
    place.own(path)
    return path


def _packages(place: BuildPlace) -> list[Package]:
    """What dpkg-query said, which is the image's word."""
    path = os.path.join(place.out, "packages")
    if not os.path.lexists(path):
        return []
    path = _own(place, "packages")
    with open(path, encoding="utf-8", errors="replace") as stream:
        lines = stream.read(_LARGEST_LIST).splitlines()
    os.unlink(path)
    matches = [match for match in map(_PACKAGE.fullmatch, lines) if match]
    return sorted((Package(m[1], m[2], m[3]) for m in matches), key=lambda one: (one.name, one.architecture))


def _dev(epoch: int) -> bytes:
    """The entries of /dev that begin a tar file; the tree cannot hold devices, for want of rights."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:

        def add(name: str, kind: bytes, mode: int, **more: t.Any) -> None:
            entry = tarfile.TarInfo(f"./dev{name}")
            entry.type, entry.mode, entry.mtime = kind, mode, epoch
            for field, value in more.items():
                setattr(entry, field, value)
            archive.addfile(entry)

        add("/", tarfile.DIRTYPE, 0o755)
        for name, (major, minor) in _DEVICES.items():
            mode = 0o600 if name == "console" else 0o666
            add(f"/{name}", tarfile.CHRTYPE, mode, devmajor=major, devminor=minor)
        for name, target in _LINKS.items():
            add(f"/{name}", tarfile.SYMTYPE, 0o777, linkname=target)
        for name in ("pts", "shm"):
            add(f"/{name}/", tarfile.DIRTYPE, 0o755 if name == "pts" else 0o1777)
        size = archive.offset
    return buffer.getvalue()[:size]
