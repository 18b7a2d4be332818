# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changing many files of a tree as one: staged aside, a durable commit record, ordered renames."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import shutil
import socket
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    clone_file,
    inside,
    read_json,
    sync_directory,
    write_atomic,
    write_json,
)

PRIVATE = ".distrogate"
FORMAT = 1
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


def make_directories(root: str, name: str) -> str:
    """Make the folder ``name`` below ``root``, readable by all whatever the umask; returns its path."""
    path = root
    for part in name.split("/") if name else []:
        path = inside(path, part)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path)
            os.chmod(path, 0o755)
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
        return self

    @property
    def meta(self) -> dict[str, t.Any]:
        """What the domain wrote down when it prepared."""
        meta: dict[str, t.Any] = self.record.get("meta", {})
        return meta

    @property
    def committed(self) -> bool:
        return bool(self.record.get("state") == "committed")

    def _staged(self, index: int) -> str:
        return os.path.join(self.path, "new", str(index))

    def _next(self, action: str, name: str, switch: bool = False) -> str:
        inside(self.root, name)
        if not self.operations and action == "put":
            os.makedirs(os.path.join(self.path, "new"), exist_ok=True)
        self.operations.append({"action": action, "name": name, "switch": switch})
        return self._staged(len(self.operations) - 1)

    def put(self, name: str, data: bytes, switch: bool = False, moment: float | None = None) -> None:
        """Stage contents for ``name``; ``switch`` makes the new state visible; ``moment`` is the mtime."""
        staged = self._next("put", name, switch)
        os.makedirs(os.path.dirname(staged), exist_ok=True)
        write_atomic(staged, data)
        if moment is not None:
            os.utime(staged, (moment, moment))

    def put_file(self, name: str, source: str) -> str:
        """Stage a clone of a file; returns the path of the clone, for its contents to be checked."""
        staged = self._next("put", name)
        os.makedirs(os.path.dirname(staged), exist_ok=True)
        clone_file(source, staged)
        return staged

    def put_link(self, name: str, target: str) -> None:
        """Stage a symbolic link."""
        staged = self._next("put", name)
        os.makedirs(os.path.dirname(staged), exist_ok=True)
        os.symlink(target, staged)

    def drop(self, name: str) -> None:
        """Remove ``name`` when its turn comes; a missing one is no error."""
        self._next("drop", name)

    def _write(self, state: str, meta: dict[str, t.Any], expires: float | None) -> None:
        self.record = {
            "version": FORMAT,
            "id": self.identifier,
            "state": state,
            "expires": expires,
            "holder": _holder(),
            "since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "operations": self.operations,
            "meta": meta,
        }
        os.makedirs(self.path, exist_ok=True)
        staged = os.path.join(self.path, "new")
        if os.path.isdir(staged):
            sync_directory(staged)
        sync_directory(self.path)
        write_json(os.path.join(self.path, "record.json"), self.record)

    def prepare(self, meta: dict[str, t.Any], expires: float) -> None:
        """Write down what is staged: from here to ``expires`` the tree is reserved."""
        self._write("prepared", meta, expires)

    def commit(self) -> None:
        """Decide for the new state, durably, then make it so."""
        for (
            operation
        ) in self.operations:  # what can fail for want of space or rights fails before the decision
            if operation["action"] == "put":
                make_directories(self.root, os.path.dirname(operation["name"]))
        self._write("committed", self.meta, None)
        self.apply()

    def apply(self) -> None:
        """Finish a committed transaction; a repeated call goes on where the last one ended."""
        touched: set[str] = set()
        for index, operation in enumerate(self.operations):
            target = inside(self.root, operation["name"])
            if operation["switch"]:
                _sync(touched)
            with contextlib.suppress(FileNotFoundError):  # done by an earlier attempt
                if operation["action"] == "drop":
                    os.unlink(target)
                else:
                    os.rename(self._staged(index), target)
                touched.add(os.path.dirname(target))
        _sync(touched)
        self.discard()

    def discard(self) -> None:
        """Forget the transaction; its record goes first, so that half of it is never mistaken for all."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.path, "record.json"))
        shutil.rmtree(self.path, ignore_errors=True)


def _sync(directories: set[str]) -> None:
    for directory in sorted(directories):
        if os.path.isdir(directory):
            sync_directory(directory)
    directories.clear()


class Transactions:
    """All transactions of one tree. Everything but ``pending`` asks for the tree's lock to be held."""

    def __init__(self, root: str, clock: t.Callable[[], float] = time.time) -> None:
        self.root = root
        self.folder = os.path.join(root, PRIVATE, "transactions")
        self._clock = clock

    def all(self) -> list[Transaction]:
        """Everything that was begun and not ended."""
        names = sorted(os.listdir(self.folder)) if os.path.isdir(self.folder) else []
        return [Transaction(self.root, name) for name in names]

    def begin(self, identifier: str = "") -> Transaction:
        """A new transaction; without an id it is a one-shot that nobody can ask for later."""
        name = checked_identifier(identifier) if identifier else f".once-{os.getpid()}-{time.time_ns()}"
        transaction = Transaction(self.root, name)
        make_directories(self.root, f"{PRIVATE}/transactions/{name}")
        return transaction

    def recover(self) -> list[str]:
        """Finish what was committed, drop what was not decided or has expired; returns what was finished."""
        finished = []
        for transaction in self.all():
            if transaction.load() is None or self._expired(transaction):
                transaction.discard()
            elif transaction.committed:
                transaction.apply()
                finished.append(transaction.identifier)
        return finished

    def _expired(self, transaction: Transaction) -> bool:
        return not transaction.committed and float(transaction.record["expires"]) <= self._clock()

    def reservation(self) -> Transaction | None:
        """The prepared transaction that the tree waits for, if there is one."""
        for transaction in self.all():
            if transaction.load() and not transaction.committed and not self._expired(transaction):
                return transaction
        return None

    def pending(self, name: str) -> str:
        """Where the decided contents of ``name`` are to be read without the lock."""
        for transaction in self.all():
            if transaction.load() and transaction.committed:
                for index, operation in enumerate(transaction.operations):
                    staged = transaction._staged(index)
                    if operation["name"] == name and os.path.exists(staged):
                        return staged
        return inside(self.root, name)
