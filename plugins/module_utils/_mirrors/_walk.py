# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Walking a tree: every file, sorted by path, with the memory of one folder."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._paths import (
    PRIVATE,
    STAGING,
    UNFINISHED,
    printable,
)

_BLOCK = 1 << 20
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
_STATE = b"/.distrogate/state.json"
_DEPTH = 2  # a repository of ours is looked for in the source's folders, and in theirs


class Signature(t.NamedTuple):
    """What changes when a file changes."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


Signatures = dict[bytes, Signature]
_Row = tuple[bytes, t.Optional[Signature]]  # a folder has no signature, and a slash at its end


def is_own(root: bytes) -> bool:
    """Whether this folder is a repository of ours."""
    return os.path.isfile(root + _STATE)


def walk(
    root: bytes, parts: list[bytes] | None = None, below: bytes = b""
) -> t.Iterator[tuple[bytes, Signature]]:
    """All files of ``root``, sorted, without private folders and unfinished files.

    Repositories of ours are not walked: their prefixes are added to ``parts``, if that is given.
    ``below`` is a folder of ``root``, with a slash at its end. Errors: ``symlink_in_source``
    (a daemon may munge links, and a link may leave the tree) and ``special_file_in_source``.
    """
    pending = [iter(_folder(root, below))]
    while pending:
        for path, signature in pending[-1]:
            if signature is not None:
                yield path, signature
            elif parts is not None and path.count(b"/") <= _DEPTH and is_own(root + b"/" + path[:-1]):
                parts.append(path)
            else:
                pending.append(iter(_folder(root, path)))
                break
        else:
            pending.pop()


def _folder(root: bytes, folder: bytes) -> list[_Row]:
    rows = []
    try:
        with os.scandir(root + b"/" + folder) as entries:
            for entry in entries:
                row = _row(entry, folder)
                if row is not None:
                    rows.append(row)
    except (FileNotFoundError, NotADirectoryError):
        if not folder:
            raise
    return sorted(rows)


def _row(entry: os.DirEntry[bytes], folder: bytes) -> _Row | None:
    if entry.name in (PRIVATE, STAGING) or entry.name.startswith(UNFINISHED):
        return None
    path = folder + entry.name
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None  # removed since its folder was read
    if stat.S_ISDIR(status.st_mode):
        return path + b"/", None
    return path, signature_of(path, status)


def signature_of(path: bytes, status: os.stat_result) -> Signature:
    """The signature of a file; an error for anything else."""
    if stat.S_ISREG(status.st_mode):
        return Signature(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    link = stat.S_ISLNK(status.st_mode)
    raise DistrogateError(
        "symlink_in_source" if link else "special_file_in_source",
        f"The source holds {'a symbolic link' if link else 'a special file'}, {printable(path)!r};"
        " only files and folders are mirrored. Replace it or take it out.",
        path=printable(path),
    )


def open_file(path: bytes) -> int:
    """Open a file for reading; what became a link, a pipe or a device meanwhile is refused."""
    descriptor = os.open(path, _READ)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError(errno.ENOENT, "it is no file any more", os.fsdecode(path))
    return descriptor


def digest_of(path: bytes) -> str:
    """Hexadecimal sha256 of a file's contents."""
    digest = hashlib.sha256()
    with open(open_file(path), "rb", buffering=0) as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def contents_of(path: bytes, limit: int = 64 << 20) -> bytes:
    """The contents of an index file that names others. Error ``source_incomplete`` when it is too large."""
    with open(open_file(path), "rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise DistrogateError(
            "source_incomplete", f"{printable(path)} is larger than {limit} bytes: no index file is."
        )
    return data
