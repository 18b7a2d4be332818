# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known about the mirrors, and the transaction under way: one folder in the source."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import os
import secrets
import shutil
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    read_json,
    write_atomic,
    write_json,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal_state import (
    Held,
    Shown,
    State,
    read_transaction,
)

FORMAT = 2


class Journal:
    """The folder ``<source>/.distrogate/mirrors/<name>``."""

    def __init__(self, source: str, name: str) -> None:
        self.name = name
        self.folder = os.path.join(source, ".distrogate", "mirrors", name)
        self.work = os.path.join(self.folder, "work")
        self.state = State()

    @contextlib.contextmanager
    def hold(self, timeout: float) -> t.Iterator[int]:
        """One at a time; yields a descriptor that every transfer must keep open.

        A killed run leaves its transfers behind. They hold this second lock, so
        that we do not write to a mirror while one of them still does.
        """
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        deadline = time.monotonic() + timeout
        with file_lock(os.path.join(self.folder, "lock"), timeout):
            path = os.path.join(self.folder, "transfers")
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                _wait_for(descriptor, deadline, self.folder)
                self.load()
                yield descriptor
            finally:
                os.close(descriptor)

    def load(self) -> None:
        """Read the journal; a missing one is a beginning."""
        path = os.path.join(self.folder, "journal.json")
        try:
            value = read_json(path)
        except DistrogateError as error:
            if error.reason != "not_found":
                raise
            self.state = State(origin=secrets.token_hex(16))
            return
        if value.pop("version", None) != FORMAT:
            raise DistrogateError(
                "journal_version",
                f"{path} is not of version {FORMAT}. Use the code that wrote it, or remove the folder"
                f" {self.folder}: then the mirrors are asked what they hold.",
            )
        try:
            self.state = State(
                **{
                    **value,
                    "shown": [Shown(**one) for one in value["shown"]],
                    "mirrors": {address: Held(**held) for address, held in value["mirrors"].items()},
                    "transaction": read_transaction(value["transaction"]),
                    "last": read_transaction(value["last"]),
                }
            )
        except (TypeError, KeyError, AttributeError) as error:
            raise DistrogateError(
                "bad_journal",
                f"{path} is broken: {error}. Remove the folder {self.folder}: then the mirrors are asked what"
                " they hold.",
            ) from error

    def save(self) -> None:
        """Make the state durable."""
        value = {"version": FORMAT, **dataclasses.asdict(self.state)}
        write_json(os.path.join(self.folder, "journal.json"), value)

    def forget(self) -> None:
        """Know nothing of mirrors and earlier states; what is ours on the mirrors is still known for ours."""
        state = self.state
        self.state = State(origin=state.origin, serial=state.serial, claims=state.claims)
        self.save()

    def work_of(self, address: str) -> str:
        """A folder for what one mirror gets."""
        return os.path.join(self.work, _short(address))

    def doomed(self, address: str) -> set[bytes]:
        """What a mirror must still lose."""
        try:
            with open(self._doomed_path(address), "rb") as stream:
                return set(stream.read().split(b"\0")[:-1])
        except FileNotFoundError:
            return set()

    def doom(self, address: str, names: t.Collection[bytes]) -> None:
        """Write down what a mirror must still lose: exactly these."""
        path = self._doomed_path(address)
        if names:
            write_atomic(path, b"".join(name + b"\0" for name in sorted(names)))
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def _doomed_path(self, address: str) -> str:
        return os.path.join(self.folder, "doomed-" + _short(address))

    def tidy(self) -> None:
        """Remove what waited to be sent."""
        if self.state.transaction is None:
            shutil.rmtree(self.work, ignore_errors=True)


def _short(address: str) -> str:
    return hashlib.sha256(address.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _wait_for(descriptor: int, deadline: float, folder: str) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise DistrogateError(
                    "lock_timeout",
                    f"A transfer that an ended run of {folder} had started is still under way."
                    " Wait for it to end, or raise timeout.",
                ) from error
            time.sleep(0.05)
