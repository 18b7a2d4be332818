# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The digest of a tree: names, modes, links and contents; what has not changed is not read again."""

from __future__ import annotations

import hashlib
import os
import stat
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images._memo import Memo

_DEEPEST = 64  # folders in each other, each of which is held open
_MOST = 500_000  # entries of one tree
_BLOCK = 1 << 20
_TRIES = 3  # a file that changes while it is read
_ASIDE = (".git",)  # of a checkout that is a tree as a whole
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def tree_digest(path: str, memo: Memo, free: t.Collection[str] = (), system: bool = False) -> str:
    """``sha256:…`` of the folder ``path``; its own name, owners and times do not count.

    Links are not followed. One that leads out of the tree is refused, unless it lies in one of the top
    folders in ``free``, whose links are for another root; or the tree is a ``system``'s root, which may have
    any links and devices. Errors: ``bad_tree``, ``tree_changing``.
    """
    walk = _Walk(path, memo, free, system)
    descriptor = _opened_folder(path)
    try:
        walk.folder(descriptor, "", 0)
    finally:
        os.close(descriptor)
    return "sha256:" + walk.digest.hexdigest()


def file_digest(path: str, memo: Memo) -> str:
    """``sha256:…`` of one plain file, for a large one that seldom changes. Errors: as for a tree."""
    try:
        status = os.lstat(path)
    except OSError as error:
        raise _bad(f"{path} cannot be read: {error.strerror}.") from error
    if not stat.S_ISREG(status.st_mode):
        raise _bad(f"{path} is no plain file.")
    return "sha256:" + _contents(path, None, path, status, memo)


class _Walk:
    """One walk; the digest grows with each entry, in the order of names."""

    def __init__(self, root: str, memo: Memo, free: t.Collection[str], system: bool) -> None:
        self.root, self.memo, self.free, self.system = root, memo, free, system
        self.digest = hashlib.sha256()
        self.left = _MOST

    def folder(self, descriptor: int, below: str, depth: int) -> None:
        """All entries of an open folder; ``below`` is its path in the tree, with a slash at the end."""
        if depth > _DEEPEST:
            raise _bad(f"{self.root}/{below} lies more than {_DEEPEST} folders deep.")
        with os.scandir(descriptor) as found:
            entries = sorted(found, key=lambda entry: os.fsencode(entry.name))
        self.left -= len(entries)
        if self.left < 0:
            raise _bad(f"{self.root} has more than {_MOST} entries.")
        for entry in entries:
            if depth or self.system or entry.name not in _ASIDE:
                self._entry(entry, descriptor, below + entry.name, depth)

    def _entry(self, entry: os.DirEntry[str], parent: int, name: str, depth: int) -> None:
        try:
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                said = _contents(entry.name, parent, f"{self.root}/{name}", status, self.memo)
                self._add("file", name, status, said)
            elif stat.S_ISLNK(status.st_mode):
                target = os.readlink(entry.name, dir_fd=parent)
                self._check_link(name, target)
                self._add("link", name, None, target)
            elif stat.S_ISDIR(status.st_mode):
                self._add("folder", name, status, "")
                self._below(entry.name, parent, name, depth)
            elif self.system:
                self._add("device", name, status, f"{stat.S_IFMT(status.st_mode):o} {status.st_rdev}")
            else:
                raise _bad(f"{self.root}/{name} is neither file, folder nor link. Remove it.")
        except FileNotFoundError as error:
            raise _changing(f"{self.root}/{name}") from error

    def _below(self, name: str, parent: int, path: str, depth: int) -> None:
        child = os.open(name, _FOLDER, dir_fd=parent)
        try:
            self.folder(child, path + "/", depth + 1)
        finally:
            os.close(child)

    def _check_link(self, name: str, target: str) -> None:
        free = self.system or name.partition("/")[0] in self.free
        if not free and leads_out(name, target):
            raise _bad(
                f"{self.root}/{name} is a link to {target!r}, which leads out of the tree: what it names"
                " would be used and not be covered by the key. Put a copy there instead."
            )

    def _add(self, kind: str, name: str, status: os.stat_result | None, said: str) -> None:
        mode = stat.S_IMODE(status.st_mode) if status else 0
        self.digest.update(os.fsencode(f"{kind}\0{mode:o}\0{name}\0{said}\0"))


def leads_out(name: str, target: str) -> bool:
    """Whether a link at ``name`` in a tree may lead out of it; ``..`` counts at its beginning only.

    After the name of another link ``..`` could mean any folder.
    """
    if not target or target.startswith("/"):
        return True
    parts = [part for part in target.split("/") if part not in ("", ".")]
    up = 0
    while up < len(parts) and parts[up] == "..":
        up += 1
    return ".." in parts[up:] or up > name.count("/")


def _contents(name: str, parent: int | None, shown: str, status: os.stat_result, memo: Memo) -> str:
    """The sha256 of a file of which ``status`` was seen, from the memo when it is the same still."""
    known = memo.find(shown, status)
    if known is not None:
        return known
    for _try in range(_TRIES):
        found, before, after = _read(name, parent, shown)
        if _same(before, after):
            memo.keep(shown, after, found)
            return found
    raise _changing(shown)


def _read(name: str, parent: int | None, shown: str) -> tuple[str, os.stat_result, os.stat_result]:
    try:
        descriptor = os.open(name, _FILE, dir_fd=parent)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _bad(f"{shown} cannot be read: {error.strerror}.") from error
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise _changing(shown)
        digest = hashlib.sha256()
        while block := os.read(descriptor, _BLOCK):
            digest.update(block)
        return digest.hexdigest(), before, os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_size, one.st_mtime_ns, one.st_ctime_ns) == (
        other.st_size,
        other.st_mtime_ns,
        other.st_ctime_ns,
    )


def _opened_folder(path: str) -> int:
    try:
        return os.open(path, _FOLDER)
    except OSError as error:
        raise _bad(
            f"{path} is no folder that can be read ({error.strerror}); links are not followed."
        ) from error


def _bad(sentence: str) -> DistrogateError:
    return DistrogateError("bad_tree", sentence)


def _changing(path: str) -> DistrogateError:
    return DistrogateError(
        "tree_changing",
        f"{path} changed while it was read. Run it again when nobody writes there.",
    )
