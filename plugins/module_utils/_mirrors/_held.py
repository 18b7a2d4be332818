# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holding a repository of ours still: under its lock, with what a killed publisher left finished."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import PRIVATE, Transaction
from ansible_collections.distrogate.ci.plugins.module_utils._core._transactions import Transactions
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._walk import walk


@contextlib.contextmanager
def held(root: str, timeout: float, write: bool) -> t.Iterator[dict[bytes, bytes | None]]:
    """Nobody publishes meanwhile.

    Yields what the tree does not show yet: where the files lie that a killed publisher has
    decided to place (None: to drop). With ``write`` that is finished first, so there is nothing.
    """
    lock = os.path.join(root, PRIVATE, "lock")
    if write:
        with file_lock(lock, timeout):
            Transactions(root).recover()
            yield {}
    else:
        with _quietly(lock, timeout):
            yield decided(root)


@contextlib.contextmanager
def _quietly(path: str, timeout: float) -> t.Iterator[None]:
    """Hold the lock and write nothing: publishers wait as they do for each other."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # nobody has ever published
        yield
        return
    try:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise DistrogateError(
                        "lock_timeout",
                        f"{os.path.dirname(path)} is in use by a publisher; waited {timeout:g} s."
                        " Wait for it to end, or raise timeout.",
                    ) from error
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def decided(root: str) -> dict[bytes, bytes | None]:
    """What transactions that are committed, and not finished, have still to do."""
    found: dict[bytes, bytes | None] = {}
    for transaction in Transactions(root).all():
        if transaction.load() and transaction.committed:
            for operation in transaction.operations:
                found.update(_done(transaction, operation))
    return {path: place for path, place in found.items() if not path.startswith(os.fsencode(PRIVATE) + b"/")}


def _done(transaction: Transaction, operation: dict[str, t.Any]) -> t.Iterator[tuple[bytes, bytes | None]]:
    name = os.fsencode(operation["name"])
    if operation["action"] == "drop":
        yield name, None
    elif operation["action"] == "tree":
        top = os.fsencode(os.path.join(transaction.path, "trees"))
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            for path, _signature in walk(top, below=name + b"/"):
                yield path, top + b"/" + path
    else:
        staged = os.fsencode(transaction.staged(operation))
        if os.path.lexists(staged):
            yield name, staged
