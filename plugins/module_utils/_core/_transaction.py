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
    write_json,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._staging import (
    Staging,
    make_directories,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._touched import FOLDER, Note, TouchLog
from ansible_collections.distrogate.ci.plugins.module_utils._core._touched_paths import touched_paths

PRIVATE = ".distrogate"
FORMAT = 2
_TOLD = 4 << 20  # bytes of notes, and
_PLACED = 50_000  # digests, that are worth keeping for who applies a transaction in our place
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


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


class Transaction(Staging):
    """Files staged for one tree. The operations are applied in the order in which they were given.

    Without a record its folder is an attempt that never became anything; with
    ``prepared`` it is a reservation; with ``committed`` it will be finished by
    whoever comes next, however often that is interrupted.
    """

    def __init__(self, root: str, identifier: str) -> None:
        super().__init__(root, inside(root, f"{PRIVATE}/transactions/{identifier}"))
        self.identifier = identifier
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
        self.digests = self.record.get("placed", {})
        self.notes = json.loads(self.record.get("notes", "[]"))
        return self

    @property
    def meta(self) -> dict[str, t.Any]:
        """What the domain wrote down when it prepared."""
        meta: dict[str, t.Any] = self.record.get("meta", {})
        return meta

    @property
    def committed(self) -> bool:
        return bool(self.record.get("state") == "committed")

    def make(self) -> None:
        """Make its own folder."""
        make_directories(self.root, f"{PRIVATE}/transactions/{self.identifier}", self.parents)

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
        self.sync()
        write_json(os.path.join(self.path, "record.json"), record)
        self.record = record  # now, and not before: what could not be written down was not decided

    def _kept(self, state: str) -> dict[str, t.Any]:
        """What the log of touched paths is going to say beside the operations."""
        notes = json.dumps(self.notes)  # one text: a person does not read it, and it is quick
        placed = self.digests if state == "prepared" and len(self.digests) <= _PLACED else {}
        return {"notes": notes if len(notes) <= _TOLD else "null", "placed": placed}

    def prepare(self, meta: dict[str, t.Any], expires: float) -> None:
        """Write down what is staged: from here to ``expires`` the tree is reserved."""
        self._write("prepared", meta, expires)

    def commit(self) -> None:
        """Decide for the new state, durably, then make it so."""
        # What can fail for want of space or rights fails before the decision.
        for folder in {os.path.dirname(one["name"]) for one in self.operations if one["action"] == "put"}:
            make_directories(self.root, folder, self.parents)
        make_directories(self.root, FOLDER, self.parents)
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
                    _merge(self.tree(operation["name"]), target, touched)
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
        if self.notes is None:
            log.restart()  # notes are missing: nobody may think that he has read all of them
        paths = touched_paths(self.root, self.path, self.operations, self.digests)
        log.append(itertools.chain(paths, map(Note, self.notes or ())))

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
