# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a transaction is going to do: files staged aside, and the operations that bring them into the tree."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    inside,
    sync_directory,
    sync_file,
    sync_file_system,
)

_MANY = 64  # files and folders; beyond that syncfs(2) is cheaper than fsync(2) of each


def make_directories(root: str, name: str, parents: set[str] | None = None) -> str:
    """Make the folder ``name`` below ``root``, readable by all whatever the umask; returns its path.

    Folders that got a new one are added to ``parents``: until they are synced, a
    power failure can take it away.
    """
    path = root
    for part in name.split("/") if name else []:
        parent, path = path, inside(path, part)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path)
            os.chmod(path, 0o755)
            if parents is not None:
                parents.add(parent)
    return path


class Staging:
    """Files staged in ``path`` for the tree ``root``; ``operations`` says what is to be done, in order."""

    def __init__(self, root: str, path: str) -> None:
        self.root = root
        self.path = path
        self.operations: list[dict[str, t.Any]] = []
        self.digests: dict[str, str] = {}  # of files that have a place
        self.notes: list[dict[str, t.Any]] | None = []  # None: there were too many to be kept
        self.parents: set[str] = set()  # folders of the tree that are not durable yet
        self._made = 0
        self._trees: set[str] = set()
        self._folders: set[str] = set()
        self._places: dict[str, str] = {}
        self._unsynced: list[str] = []

    def stage(self) -> str:
        """A path to write a file to, before ``put_staged`` gives it a name."""
        if not self._made:
            os.makedirs(os.path.join(self.path, "new"), exist_ok=True)
        self._made += 1
        return os.path.join(self.path, "new", str(self._made))

    def _operation(
        self, action: str, name: str, staged: str = "", switch: bool = False, sha256: str = ""
    ) -> None:
        inside(self.root, name)
        known = {"sha256": sha256} if sha256 else {}
        self.operations.append(
            {"action": action, "name": name, "staged": os.path.basename(staged), "switch": switch, **known}
        )

    def put_staged(
        self, name: str, staged: str, switch: bool = False, moment: float | None = None, sha256: str = ""
    ) -> None:
        """Give a staged file its name; ``switch`` makes the new state visible; ``moment`` is the mtime.

        Who knows its sha256 says so, and nobody who copies the tree needs to work it out.
        """
        if moment is not None:
            os.utime(staged, (moment, moment))
        self._unsynced.append(staged)
        self._operation("put", name, staged, switch, sha256)

    def put_same(self, name: str, staged: str, sha256: str = "") -> None:
        """Give a staged file, which has a name already, one more."""
        path = self.stage()
        try:
            os.link(staged, path)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK):
                raise
            shutil.copy2(staged, path)  # a file system without hard links
            self._unsynced.append(path)
        self._operation("put", name, path, sha256=sha256)

    def put(
        self, name: str, data: bytes, switch: bool = False, moment: float | None = None, sha256: str = ""
    ) -> None:
        """Stage contents for ``name``."""
        path = self.stage()
        with open(path, "wb") as stream:
            stream.write(data)
        os.chmod(path, 0o644)  # readers are other users, whatever the umask
        self.put_staged(name, path, switch, moment, sha256)

    def put_link(self, name: str, target: str, switch: bool = False) -> None:
        """Stage a symbolic link; ``switch`` as in ``put_staged``."""
        path = self.stage()
        os.symlink(target, path)
        self._operation("put", name, path, switch)

    def place(self, name: str, sha256: str = "") -> str:
        """A path to write the file ``name`` to, for many files: they are moved folder by folder.

        Only for names that do not exist in the tree. The first part of ``name``
        is a folder.
        """
        folder, _slash, base = name.rpartition("/")
        if folder not in self._places:
            self._places[folder] = self._new_place(folder)
        path = inside(self._places[folder], base)
        if sha256:
            self.digests[name] = sha256
        self._unsynced.append(path)
        return path

    def _new_place(self, folder: str) -> str:
        inside(self.root, folder)
        top = folder.partition("/")[0]
        if top not in self._trees:
            self._trees.add(top)
            self._operation("tree", top)
        path = inside(os.path.join(self.path, "trees"), folder)
        self._make_folder(path)
        return path

    def _make_folder(self, path: str) -> None:
        if path in self._folders or path == self.path:
            return
        self._make_folder(os.path.dirname(path))
        os.mkdir(path)
        os.chmod(path, 0o755)  # readers are other users, whatever the umask
        self._folders.add(path)

    def drop(self, name: str) -> None:
        """Remove ``name`` when its turn comes; a missing one is no error."""
        self._operation("drop", name)

    def tell(self, note: dict[str, t.Any]) -> None:
        """Add a note to the log of touched paths, for who copies the tree."""
        if self.notes is not None:
            self.notes.append(note)

    def sync(self) -> None:
        """Make what is staged durable: file by file, or all at once when they are many."""
        folders = {*self._folders, *self.parents, *([os.path.join(self.path, "new")] if self._made else [])}
        if len(self._unsynced) + len(folders) > _MANY:
            sync_file_system(self.path)
        else:
            for path in self._unsynced:
                sync_file(path)
            for folder in sorted(folders):
                sync_directory(folder)
            sync_directory(self.path)
        self._unsynced.clear()
        self.parents.clear()

    def tree(self, top: str) -> str:
        return os.path.join(self.path, "trees", top)

    def staged(self, operation: t.Mapping[str, t.Any]) -> str:
        """Where the file of an operation ``put`` lies until it is applied."""
        return os.path.join(self.path, "new", operation["staged"])

    def where(self, name: str) -> str | None:
        """Where the contents that ``name`` is going to have are staged; None when they are not."""
        top, _slash, rest = name.partition("/")
        if top in self._trees and os.path.lexists(os.path.join(self.tree(top), rest)):
            return os.path.join(self.tree(top), rest)
        found = [self.staged(one) for one in self.operations if (one["action"], one["name"]) == ("put", name)]
        return found[-1] if found else None
