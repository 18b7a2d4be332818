# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A source tree as a tar stream that is the same for the same tree."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError


def _unreadable(error: OSError) -> t.NoReturn:
    raise DistrogateError("bad_source", f"{error.filename} cannot be read: {error.strerror}.") from error


def _entries(tree: str, without: t.Collection[str]) -> t.Iterator[str]:
    """Relative paths below ``tree`` in a fixed order, links not followed."""
    for folder, folders, files in os.walk(tree, onerror=_unreadable, followlinks=False):
        relative = os.path.relpath(folder, tree)
        folders[:] = sorted(d for d in folders if os.path.normpath(os.path.join(relative, d)) not in without)
        links = [d for d in folders if os.path.islink(os.path.join(folder, d))]
        for name in sorted([*files, *links, *(d for d in folders if d not in links)]):
            path = os.path.normpath(os.path.join(relative, name))
            if path not in without:
                yield path


def source_archive(
    tree: str,
    target: str,
    prefix: str,
    *,
    date: int,
    without: t.Collection[str] = (),
    replaced: t.Mapping[str, bytes] | None = None,
    mode: t.Literal["w", "w:gz"] = "w",
) -> None:
    """Write ``tree`` (without ``.git``) as a tar file whose bytes depend on its contents alone.

    ``date`` (seconds since the epoch) is every entry's time; ``replaced`` maps
    paths to other contents; every name gets ``prefix``.
    """
    with open(target, "wb") as raw, _opened(raw, mode, date) as archive:
        for path in _entries(tree, {".git", *without}):
            kind = os.lstat(os.path.join(tree, path)).st_mode
            if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind) or stat.S_ISLNK(kind)):
                raise DistrogateError("bad_source", f"{path} is neither a file, a folder nor a link.")
            info = archive.gettarinfo(os.path.join(tree, path), f"{prefix}/{path}")
            info.uid = info.gid = 0
            info.uname = info.gname = "root"
            info.mtime = date
            info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
            if not info.isreg() and not info.islnk():
                archive.addfile(info)
                continue
            info.type = tarfile.REGTYPE
            info.linkname = ""
            if replaced and path in replaced:
                info.size = len(replaced[path])
                archive.addfile(info, io.BytesIO(replaced[path]))
                continue
            with open(os.path.join(tree, path), "rb") as stream:
                info.size = os.fstat(stream.fileno()).st_size
                archive.addfile(info, stream)


def _opened(raw: t.BinaryIO, mode: str, date: int) -> tarfile.TarFile:
    if mode == "w":
        return tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT)
    return _GzipTar.opened(raw, date)


class _GzipTar(tarfile.TarFile):
    """A gzip tar whose header holds a fixed time and no file name."""

    _compressed: t.Any = None

    @classmethod
    def opened(cls, raw: t.BinaryIO, date: int) -> _GzipTar:
        import gzip

        compressed = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=date, compresslevel=6)
        archive = cls(fileobj=compressed, mode="w", format=tarfile.GNU_FORMAT)
        archive._compressed = compressed
        return archive

    def close(self) -> None:
        super().close()
        if self._compressed is not None:
            self._compressed.close()


def read_regular(tree: str, path: str, limit: int = 16 << 20) -> bytes:
    """Contents of a regular file of a stranger's tree; a link anywhere on the way is refused."""
    current = tree
    for part in path.split("/"):
        current = os.path.join(current, part)
        if part in ("", ".", "..") or os.path.islink(current):
            raise DistrogateError("bad_source", f"{path} is a link or leaves the source tree.")
    try:
        with open(current, "rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise DistrogateError("bad_source", f"{path} cannot be read: {error.strerror}.") from error
    if len(data) > limit:
        raise DistrogateError("too_large", f"{path} is larger than {limit} bytes.")
    return data
