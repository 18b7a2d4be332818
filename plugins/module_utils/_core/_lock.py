# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lock on one host's tree: the kernel frees it with its process, a waiter says who holds it."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
import socket
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError


def _holder(descriptor: int) -> dict[str, t.Any]:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0) or b"{}")
    except ValueError:
        return {}
    return holder if isinstance(holder, dict) else {}


@contextlib.contextmanager
def file_lock(path: str, timeout: float = 600) -> t.Iterator[None]:
    """Hold an exclusive ``flock`` on ``path`` (made if missing), waiting up to ``timeout`` seconds.

    Error ``lock_timeout`` names the holder's process, host and since when. A
    dead process holds nothing: the kernel dropped its lock.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    holder = _holder(descriptor)
                    raise DistrogateError(
                        "lock_timeout",
                        f"{os.path.dirname(path)} is in use by process {holder.get('pid')} on"
                        f" {holder.get('host')} since {holder.get('since')}; waited {round(timeout, 1):g} s."
                        " Wait for it to end, or raise timeout.",
                        holder=holder,
                    ) from error
                time.sleep(min(0.05, max(0.0, deadline - time.monotonic())))
        since = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        record = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since})
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, record.encode(), 0)
        yield
    finally:
        os.close(descriptor)
