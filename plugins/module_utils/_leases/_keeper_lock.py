# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One keeper a lease file and playbook: the lock file LEASE_FILE.keeper-PID says what its keeper keeps.

The keeper inherits the lock of whoever starts it, so that no second one fits between. The kernel drops it
with the keeper, so a file that is left behind means nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import json
import os
import signal
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_process import look, opened

_PAUSE_SECONDS = 0.005
_TERM_SECONDS = 1.0
_END_SECONDS = 5.0


class KeeperLock:
    """The lock, held by this process and by those that inherit ``descriptor``."""

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor

    def say(self, lease: str, ttl: float) -> None:
        """Tell the next one what this process keeps."""
        seen = look(os.getpid())
        value = {"pid": os.getpid(), "start": seen.start if seen else 0, "lease": lease, "ttl": ttl}
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, json.dumps(value).encode(), 0)

    def remove(self) -> None:
        """At the end of the keeper."""
        with contextlib.suppress(OSError):
            os.unlink(self.path)

    def close(self) -> None:
        os.close(self.descriptor)


def lock_path(lease_file: str, playbook_pid: int) -> str:
    return f"{lease_file}.keeper-{playbook_pid}"


def take(path: str, lease: str, ttl: float, seconds: float) -> KeeperLock | int:
    """The lock; or the pid of the keeper that keeps this lease for this ttl already. Another one is ended."""
    deadline = time.monotonic() + seconds
    while True:
        descriptor = _open(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                os.ftruncate(descriptor, 0)
                return KeeperLock(path, descriptor)
        except BlockingIOError:
            keeper = _said(descriptor)
            if keeper.get("lease") == lease and keeper.get("ttl") == ttl:
                os.close(descriptor)
                return int(keeper["pid"])
            _end(keeper, signal.SIGTERM)  # One that is only beginning has said nothing yet.
        os.close(descriptor)
        if time.monotonic() >= deadline:
            raise DistrogateError(
                "keeper_failed",
                f"{path} is held by another keeper, which did not end within {seconds:g} s. See process"
                f" {keeper.get('pid', '(unknown)')}.",
            )
        time.sleep(_PAUSE_SECONDS)


def end_all(lease_file: str, seconds: float) -> int:
    """End every keeper of a lease file, of whichever playbook; returns how many there were."""
    ended = 0
    for path in glob.glob(f"{glob.escape(lease_file)}.keeper-*"):
        deadline = time.monotonic() + seconds
        told = 0  # one that takes its time is told several times
        while _is_held(path):
            late = time.monotonic() - deadline + seconds > _TERM_SECONDS
            told += _end(_said_at(path), signal.SIGKILL if late else signal.SIGTERM)
            if time.monotonic() >= deadline:
                raise DistrogateError("keeper_failed", f"The keeper that holds {path} does not end.")
            time.sleep(_PAUSE_SECONDS)
        with contextlib.suppress(OSError):
            os.unlink(path)
        ended += bool(told)
    return ended


def outlived(lease_file: str, playbook_pid: int, seconds: float) -> bool:
    """Whether no living playbook, this one included, keeps the lease of this file.

    The keeper of a dead one may be giving the lease back. That is waited for; after ``seconds`` it is ended.
    """
    paths = glob.glob(f"{glob.escape(lease_file)}.keeper-*")
    left = []
    for path in (path for path in paths if _is_held(path)):
        pid = path.rpartition("-")[2]
        seen = look(int(pid)) if pid.isdigit() else None
        if pid == str(playbook_pid) or (seen is not None and seen.state not in "ZX"):
            return False
        left.append(path)
    deadline = time.monotonic() + seconds
    while any(_is_held(path) for path in left):
        if time.monotonic() >= deadline:
            end_all(lease_file, _END_SECONDS)
            break
        time.sleep(_PAUSE_SECONDS)
    return True


def _open(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except OSError as error:
        raise DistrogateError(
            "keeper_failed", f"The keeper's lock file {path} cannot be used: {error.strerror}."
        ) from error


def _is_at(descriptor: int, path: str) -> bool:
    """Whether the open file is that at ``path`` still: a keeper that ends removes it."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False))
    return False


def _is_held(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _said_at(path: str) -> dict[str, t.Any]:
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return _said(descriptor)
        finally:
            os.close(descriptor)
    return {}


def _said(descriptor: int) -> dict[str, t.Any]:
    """What the keeper told of itself; nothing while it begins, or when the file holds something else."""
    try:
        value = json.loads(os.pread(descriptor, 4096, 0))
        good = isinstance(value, dict) and isinstance(value["pid"], int) and isinstance(value["start"], int)
    except (OSError, ValueError, KeyError, RecursionError):
        return {}
    return value if good else {}


def _end(keeper: dict[str, t.Any], number: signal.Signals) -> int:
    """Signal the keeper, if it is still that process."""
    if not keeper:
        return 0
    with opened(keeper["pid"], keeper["start"]) as process:
        return int(process is not None and process.send(number))
