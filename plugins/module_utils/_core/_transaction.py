# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changing many files of a tree as one: staged aside, a durable commit record, ordered renames."""

from __future__ import annotations

import contextlib
import errno
import getpass
import itertools
import json
import os
import re
import shutil
import socket
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import (
    DistrogateError,
    from_os_error,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    inside,
    read_json,
    sync_directory,
    sync_file,
    sync_file_system,
    write_json,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._touched import FOLDER, Note, TouchLog
from ansible_collections.distrogate.ci.plugins.module_utils._core._touched_paths import touched_paths

PRIVATE = ".distrogate"
FORMAT = 2
_MANY = 64  # files and folders; beyond that syncfs(2) is cheaper than fsync(2) of each
_TOLD = 4 << 20  # bytes of notes, and
_PLACED = 50_000  # digests, that are worth keeping for who applies a transaction in our place
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


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


def checked_identifier(identifier: str) -> str:
    """A transaction's id that is safe as a folder's name."""
    if not _IDENTIFIER.fullmatch(identifier):
        raise DistrogateError(
            "bad_transaction",
            f"{identifier!r} is not a transaction id: letters, digits and ._:- up to 128 characters.",
        )
    return identifier


def _holder() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        user = str(os.getuid())
    return f"{user} (process {os.getpid()} on {socket.gethostname()})"


class Transaction:
    """Files staged for one tree. The operations are applied in the order in which they were given.

    Without a record its folder is an attempt that never became anything; with
    ``prepared`` it is a reservation; with ``committed`` it will be finished by
    whoever comes next, however often that is interrupted.
    """

    def __init__(self, root: str, identifier: str) -> None:
        self.root = root
        self.identifier = identifier
        self.path = inside(root, f"{PRIVATE}/transactions/{identifier}")
        self.operations: list[dict[str, t.Any]] = []
        self.record: dict[str, t.Any] = {}
        self._made = 0
        self._trees: set[str] = set()
        self._folders: set[str] = set()
        self._places: dict[str, str] = {}
        self._digests: dict[str, str] = {}  # of files that have a place
        self._notes: list[dict[str, t.Any]] | None = []  # None: there were too many to be kept
        self._parents: set[str] = set()
        self._unsynced: list[str] = []

    def load(self) -> Transaction | None:
        """Read the record; None when there is none."""
        try:
            self.record = read_json(os.path.join(self.path, "record.json"))
        except DistrogateError as error:
            if error.reason != "not_found":
                raise
            return None
        if self.record.get("version") != FORMAT:
            raise DistrogateError(
                "transaction_version",
                f"{self.path} was written by another version of this collection.",
            )
        self.operations = self.record["operations"]
        self._digests = self.record.get("placed", {})
        self._notes = json.loads(self.record.get("notes", "[]"))
        return self

    @property
    def meta(self) -> dict[str, t.Any]:
        """What the domain wrote down when it prepared."""
        meta: dict[str, t.Any] = self.record.get("meta", {})
        return meta

    @property
    def committed(self) -> bool:
        return bool(self.record.get("state") == "committed")

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
            self._digests[name] = sha256
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
        if self._notes is not None:
            self._notes.append(note)

    def make(self) -> None:
        """Make its own folder."""
        make_directories(self.root, f"{PRIVATE}/transactions/{self.identifier}", self._parents)

    def _write(self, state: str, meta: dict[str, t.Any], expires: float | None) -> None:
        record = {
            "version": FORMAT,
            "id": self.identifier,
            "state": state,
            "expires": expires,
            "holder": _holder(),
            "since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "operations": self.operations,
            "meta": meta,
            **self._kept(state),
        }
        os.makedirs(self.path, exist_ok=True)
        self._sync()
        write_json(os.path.join(self.path, "record.json"), record)
        self.record = record  # now, and not before: what could not be written down was not decided

    def _kept(self, state: str) -> dict[str, t.Any]:
        """What the log of touched paths is going to say beside the operations."""
        notes = json.dumps(self._notes)  # one text: a person does not read it, and it is quick
        placed = self._digests if state == "prepared" and len(self._digests) <= _PLACED else {}
        return {"notes": notes if len(notes) <= _TOLD else "null", "placed": placed}

    def _sync(self) -> None:
        """Make what is staged durable: file by file, or all at once when they are many."""
        folders = {*self._folders, *self._parents, *([os.path.join(self.path, "new")] if self._made else [])}
        if len(self._unsynced) + len(folders) > _MANY:
            sync_file_system(self.path)
        else:
            for path in self._unsynced:
                sync_file(path)
            for folder in sorted(folders):
                sync_directory(folder)
            sync_directory(self.path)
        self._unsynced.clear()
        self._parents.clear()

    def _tree(self, top: str) -> str:
        return os.path.join(self.path, "trees", top)

    def prepare(self, meta: dict[str, t.Any], expires: float) -> None:
        """Write down what is staged: from here to ``expires`` the tree is reserved."""
        self._write("prepared", meta, expires)

    def commit(self) -> None:
        """Decide for the new state, durably, then make it so."""
        # What can fail for want of space or rights fails before the decision.
        for folder in {os.path.dirname(one["name"]) for one in self.operations if one["action"] == "put"}:
            make_directories(self.root, folder, self._parents)
        make_directories(self.root, FOLDER, self._parents)
        self._write("committed", self.meta, None)
        self.apply()

    def apply(self) -> None:
        """Finish a committed transaction; a repeated call goes on where the last one ended."""
        self._log()
        touched: set[str] = set()
        for operation in self.operations:
            target = inside(self.root, operation["name"])
            if operation["switch"]:
                _sync(touched)
            with contextlib.suppress(FileNotFoundError):  # done by an earlier attempt
                if operation["action"] == "drop":
                    os.unlink(target)
                    touched.add(os.path.dirname(target))
                elif operation["action"] == "tree":
                    _merge(self._tree(operation["name"]), target, touched)
                else:
                    os.rename(self.staged(operation), target)
                    touched.add(os.path.dirname(target))
            if operation["switch"]:
                _sync(touched)
        _sync(touched)
        self.discard()

    def _log(self) -> None:
        """Write down what is going to be touched, before anything is: each attempt does, anew."""
        log = TouchLog(self.root)
        if self._notes is None:
            log.restart()  # notes are missing: nobody may think that he has read all of them
        paths = touched_paths(self.root, self.path, self.operations, self._digests)
        log.append(itertools.chain(paths, map(Note, self._notes or ())))

    def staged(self, operation: t.Mapping[str, t.Any]) -> str:
        """Where the file of an operation ``put`` lies until it is applied."""
        return os.path.join(self.path, "new", operation["staged"])

    def where(self, name: str) -> str | None:
        """Where the contents that ``name`` is going to have are staged; None when they are not."""
        top, _slash, rest = name.partition("/")
        if top in self._trees and os.path.lexists(os.path.join(self._tree(top), rest)):
            return os.path.join(self._tree(top), rest)
        found = [self.staged(one) for one in self.operations if (one["action"], one["name"]) == ("put", name)]
        return found[-1] if found else None

    def discard(self) -> None:
        """Forget the transaction; its record goes first, so that half of it is never mistaken for all."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.path, "record.json"))
        shutil.rmtree(self.path, ignore_errors=True)


def _merge(source: str, target: str, touched: set[str]) -> None:
    """Move what is in the folder ``source`` to ``target``; a folder that is new there moves as a whole."""
    try:
        os.rename(source, target)  # also onto an empty folder
        touched.add(os.path.dirname(target))
        return
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    with os.scandir(source) as entries:
        for entry in list(entries):
            path = os.path.join(target, entry.name)
            if entry.is_dir(follow_symlinks=False):
                _merge(entry.path, path, touched)
            else:
                os.rename(entry.path, path)
                touched.add(target)


def _sync(directories: set[str]) -> None:
    for directory in sorted(directories):
        if os.path.isdir(directory):
            sync_directory(directory)
    directories.clear()


@contextlib.contextmanager
def discarded(transaction: Transaction) -> t.Iterator[None]:
    """Forget a transaction whose staging fails; once it is decided, the next writer finishes it."""
    try:
        yield
    except BaseException as error:
        if transaction.committed:
            raise
        readable = from_os_error(error, transaction.root) if isinstance(error, OSError) else error
        transaction.discard()
        if readable is error:
            raise
        raise readable from error
