# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lease's own domain: its power, by commands that the site configured, and its console's log."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import stat
import time
import typing as t

from ._wire import RefusedError

_OUTPUT = 16 << 10
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


def run(argv: t.Sequence[str], stdin: int, timeout: float) -> str:
    """Run one command in this process group; what it said, or why it failed. No shell reads it."""
    import subprocess  # costs milliseconds that other operations need not pay

    try:
        process = subprocess.Popen(
            argv,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_ENVIRONMENT,
            cwd="/",
        )
    except OSError as error:
        raise RefusedError("power_failed", f"{argv[0]} could not be started: {error.strerror}.") from error
    said, ended = _output(process, time.monotonic() + timeout)
    text = said.decode("utf-8", "replace")
    if not ended:
        _end(process)
        raise RefusedError("power_failed", f"{argv[0]} did not end within {timeout:g} s.", output=text)
    if process.returncode:
        raise RefusedError("power_failed", f"{argv[0]} ended with status {process.returncode}.", output=text)
    return text


def _output(process: t.Any, end: float) -> tuple[bytes, bool]:
    """The last words of a program, and whether it ended; what it left running may go on speaking."""
    descriptor, said = process.stdout.fileno(), b""
    closed = False
    while time.monotonic() < end:
        ended = process.poll() is not None
        ready = not closed and select.select([descriptor], [], [], 0 if ended else 0.02)[0]
        if ready:
            part = os.read(descriptor, 65536)
            said, closed = (said + part)[-_OUTPUT:], not part
        elif ended:
            return said, True
        elif closed:
            time.sleep(0.01)
    return said, process.poll() is not None


def _end(process: t.Any) -> None:
    """End the program and its children, but not this process, which must still answer."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(os.getpgrp(), signal.SIGTERM)
        with contextlib.suppress(PermissionError):
            process.kill()
        for _attempt in range(100):
            if process.poll() is not None:
                return
            time.sleep(0.01)
    finally:
        signal.signal(signal.SIGTERM, before)


def console(path: str, most: int, out: int) -> int:
    """Copy the last bytes of a console's log to the client; returns how many."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise RefusedError("no_console", f"The console's log cannot be read: {error.strerror}.") from error
    try:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise RefusedError("no_console", "The console's log is not a regular file.")
        left = min(most, info.st_size)
        os.lseek(descriptor, info.st_size - left, os.SEEK_SET)
        sent = 0
        while sent < left:
            block = memoryview(os.read(descriptor, min(65536, left - sent)))
            if not block:
                break
            sent += len(block)
            while block:
                block = block[os.write(out, block) :]
        return sent
    finally:
        os.close(descriptor)
