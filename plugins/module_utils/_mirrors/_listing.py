# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a tree holds: paths as bytes, sizes and digests; read cheaply when little changed."""

from __future__ import annotations

import hashlib
import os
import stat
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sha256_file, write_atomic

PRIVATE = b".distrogate"
STAGING = b".distrogate-staging"
_UNFINISHED = b".tmp-"  # what write_atomic and clone_file are still writing
_TICK_NS = 2_000_000_000  # a file this young may change again without a new time


class Entry(t.NamedTuple):
    """One file's content."""

    sha256: str
    size: int


class Signature(t.NamedTuple):
    """What changes when a file changes."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


Listing = dict[bytes, Entry]
Signatures = dict[bytes, Signature]


def printable(path: bytes) -> str:
    """A path for messages and results: never a control character, never an invalid letter."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def scan(source: str) -> Signatures:
    """All files below ``source``, without private folders and unfinished files.

    Errors: ``symlink_in_source`` (a daemon may munge links, and a link may
    leave the tree) and ``special_file_in_source``.
    """
    root = os.fsencode(source)
    found: Signatures = {}
    pending = [b""]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(os.path.join(root, folder)) as entries:
                for entry in entries:
                    _look(entry, folder, found, pending)
        except FileNotFoundError:
            if not folder:
                raise
    return found


def _look(entry: os.DirEntry[bytes], folder: bytes, found: Signatures, pending: list[bytes]) -> None:
    if entry.name in (PRIVATE, STAGING) or entry.name.startswith(_UNFINISHED):
        return
    path = folder + b"/" + entry.name if folder else entry.name
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return  # removed since its folder was read
    if stat.S_ISDIR(status.st_mode):
        pending.append(path)
    elif stat.S_ISREG(status.st_mode):
        found[path] = Signature(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    else:
        link = stat.S_ISLNK(status.st_mode)
        raise DistrogateError(
            "symlink_in_source" if link else "special_file_in_source",
            f"The source holds {'a symbolic link' if link else 'a special file'}, {printable(path)!r};"
            " only files and folders are mirrored. Replace it or take it out.",
            path=printable(path),
        )


def snapshot_id(listing: Listing) -> str:
    """Hexadecimal digest that names this state: of its paths, sizes and contents, nothing else."""
    digest = hashlib.sha256()
    for path in sorted(listing):
        entry = listing[path]
        digest.update(b"%s %d %s\0" % (entry.sha256.encode(), entry.size, path))
    return digest.hexdigest()


def write_listing(path: str, listing: Listing) -> None:
    """Write one record a file, ended by NUL: names may hold everything else."""
    records = (
        b"%s %d %s\0" % (entry.sha256.encode(), entry.size, name) for name, entry in sorted(listing.items())
    )
    write_atomic(path, b"".join(records))


def read_listing(path: str) -> Listing:
    """Read what ``write_listing`` wrote."""
    with open(path, "rb") as stream:
        records = stream.read().split(b"\0")[:-1]
    listing: Listing = {}
    for record in records:
        sha256, size, name = record.split(b" ", 2)
        listing[name] = Entry(sha256.decode(), int(size))
    return listing


class Digests:
    """The digests of the last look, good as long as a file's signature stays."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.known: dict[bytes, tuple[Signature, str]] = {}
        try:
            with open(path, "rb") as stream:
                records = stream.read().split(b"\0")[:-1]
        except FileNotFoundError:
            records = []
        for record in records:
            sha256, size, mtime, ctime, inode, name = record.split(b" ", 5)
            self.known[name] = (Signature(int(size), int(mtime), int(ctime), int(inode)), sha256.decode())

    def get(self, path: bytes, signature: Signature) -> str | None:
        known = self.known.get(path)
        return known[1] if known is not None and known[0] == signature else None

    def of(self, source: str, path: bytes, signature: Signature) -> str:
        """The digest of a file, read again only when it may have changed."""
        known = self.get(path, signature)
        if known is not None:
            return known
        return sha256_file(os.path.join(source, os.fsdecode(path)))

    def save(self, signatures: Signatures, listing: Listing) -> None:
        """Keep the digests, except of files so young that a change now would not show in their times."""
        newest = time.time_ns() - _TICK_NS
        lines = []
        known = {}
        for path, signature in signatures.items():
            if max(signature.mtime_ns, signature.ctime_ns) > newest and self.get(path, signature) is None:
                continue
            sha256 = listing[path].sha256
            known[path] = (signature, sha256)
            lines.append(b"%s %d %d %d %d %s\0" % (sha256.encode(), *signature, path))
        if known != self.known:
            self.known = known
            write_atomic(self.path, b"".join(lines), durable=False)
