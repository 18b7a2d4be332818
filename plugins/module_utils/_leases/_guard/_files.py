# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are whole or not there, and locks that end with their process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t

from ._wire import RefusedError

LOCK_SECONDS = 90.0


def write_atomic(path: str, text: str, mode: int = 0o600) -> None:
    """A reader sees the old contents or the new ones; so does the machine after its power failed."""
    folder = os.path.dirname(path)
    temporary = f"{folder}/.tmp-{os.urandom(8).hex()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        os.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(folder)


def sync_folder(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_text(path: str, limit: int) -> str | None:
    """A small file, or None when there is none."""
    try:
        with open(path, "rb") as stream:
            data = stream.read(limit + 1)
    except FileNotFoundError:
        return None
    if len(data) > limit:
        raise RefusedError("bad_state", f"{path} is larger than {limit} bytes.")
    return data.decode("ascii", "replace")


def make_folder(path: str) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)


@contextlib.contextmanager
def locked(path: str, seconds: float = LOCK_SECONDS) -> t.Iterator[None]:
    """Hold a lock, which the kernel takes back when this process ends; wait for it a while."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        end = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > end:
                    raise RefusedError(
                        "guard_busy", f"Another operation has had this TE for {seconds:g} s. Try again."
                    ) from error
                time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


def sweep(folder: str) -> None:
    """Remove what writers left that were killed. Call it while their lock is held."""
    for name in os.listdir(folder):
        if name.startswith(".tmp-"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{folder}/{name}")
