# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running ssh: bounded in time, and in what it may answer."""

from __future__ import annotations

import contextlib
import selectors
import subprocess
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._command import end_group

_SAID = 64 << 10


def ask(
    argv: list[str], stdin: bytes | t.BinaryIO, limit: int, timeout: float, environment: dict[str, str]
) -> tuple[int | None, bytes, bytes]:
    """Status, standard output and error; the status is None when the time was over.

    Of standard output at most ``limit`` bytes and a few more are read. ``stdin``
    as bytes must be small enough for a pipe.
    """
    process = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE if isinstance(stdin, bytes) else stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    try:
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), process.stdin as stream:
                stream.write(t.cast(bytes, stdin))
        return _read(process, limit, time.monotonic() + timeout)
    finally:
        end_group(process)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _read(process: subprocess.Popen[bytes], limit: int, end: float) -> tuple[int | None, bytes, bytes]:
    out, err = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(t.cast(t.Any, process.stdout), selectors.EVENT_READ, out)
        selector.register(t.cast(t.Any, process.stderr), selectors.EVENT_READ, err)
        while selector.get_map() and len(out) <= limit:
            left = end - time.monotonic()
            if left <= 0:
                return None, bytes(out), bytes(err)
            for key, _events in selector.select(left):
                block = key.fileobj.read1(65536)  # type: ignore[union-attr]
                if not block:
                    selector.unregister(key.fileobj)
                key.data.extend(block)
                del err[:-_SAID]
    if len(out) > limit:
        return 0, bytes(out), bytes(err)
    try:
        return process.wait(max(0.1, end - time.monotonic())), bytes(out), bytes(err)
    except subprocess.TimeoutExpired:
        return None, bytes(out), bytes(err)
