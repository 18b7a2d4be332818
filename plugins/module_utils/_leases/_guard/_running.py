# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs for a lease, so that the next lease can end it and know that it is dead.

Each operation has a file that it keeps locked. The lock is its standard input's
when it starts a program, so it holds as long as that program or any child of it
lives, even one that runs as another user.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import signal
import time
import typing as t

from ._files import make_folder
from ._wire import RefusedError

PATIENT = "power"  # what a program asked of a hypervisor cannot be called back: it is waited for
_GENTLE = 2.0  # seconds for an operation to say goodbye to its client
_LAST = 20.0  # seconds for the kernel to end it
_NAME = re.compile(r"(?P<fence>[0-9]+)-(?P<kind>[a-z]+)-(?P<group>[1-9][0-9]*)-[0-9a-f]+")


@contextlib.contextmanager
def registered(folder: str, fence: int, kind: str) -> t.Iterator[int]:
    """Be known as running, as a process group of its own; gives the locked file.

    Look at the fence after this: then either the one who raises it sees us, or we see what it wrote.
    """
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    make_folder(folder)
    path = f"{folder}/{fence}-{kind}-{os.getpid()}-{os.urandom(8).hex()}"
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    finally:
        os.close(descriptor)
        _gone(path)  # after a failure a child may live on; then the file stays, and a raise ends it


def _gone(path: str) -> bool:
    """Whether nobody has a file's lock any more; then the file is removed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return True
    finally:
        os.close(descriptor)


class _Operation:
    def __init__(self, folder: str, name: str, match: t.Match[str]) -> None:
        self.path = f"{folder}/{name}"
        self.fence, self.kind, self.group = int(match["fence"]), match["kind"], int(match["group"])

    def gone(self) -> bool:
        return _gone(self.path)

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, number)


def _operations(folder: str, fence: int) -> list[_Operation]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    found = [_Operation(folder, name, match) for name in names if (match := _NAME.fullmatch(name))]
    return [operation for operation in found if operation.fence <= fence and not operation.gone()]


def stop(folder: str, fence: int, patience: float) -> int:
    """End what runs for this fence and older ones, and see it dead. Returns how many there were."""
    left = _operations(folder, fence)
    count, begin, killed = len(left), time.monotonic(), set()
    for operation in left:
        if operation.kind != PATIENT:
            operation.signal(signal.SIGTERM)
    while left:
        waited = time.monotonic() - begin
        for operation in left:
            grace = patience if operation.kind == PATIENT else _GENTLE
            if waited > grace and operation.path not in killed:
                killed.add(operation.path)
                operation.signal(signal.SIGKILL)
        if waited > patience + _LAST:
            raise RefusedError(
                "still_running",
                f"What an older lease started does not end ({left[0].kind}, process group {left[0].group})."
                " End it on the TE host, and raise the fence again.",
            )
        time.sleep(0.01)
        left = [operation for operation in left if not operation.gone()]
    return count
