# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process that can be named in a file: no other one is ever meant, also after a restart of its host."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._descendants import end_descendants

_LOOK = 0.05  # seconds between two looks


def _started(pid: int) -> int | None:
    """When a process started, in ticks since boot (proc(5), stat); None when it is gone, or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            fields = stream.read().rpartition(b")")[2].split()
        return None if fields[0] in (b"Z", b"X") else int(fields[19])
    except (OSError, ValueError, IndexError):
        return None


def boot_id() -> str:
    """This boot of this kernel (random(4)): for what means nothing after it."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        return stream.read().strip()


def _world() -> str:
    """Where a pid means something: this boot of this kernel, and this container."""
    return f"{boot_id()} {os.readlink('/proc/self/ns/pid')}"


def identity(pid: int) -> dict[str, t.Any]:
    """A process as it is written down: ``host`` (for a person), ``world``, ``pid`` and ``start_ticks``."""
    return {
        "host": socket.gethostname(),
        "world": _world(),
        "pid": pid,
        "start_ticks": _started(pid),
    }


def here(who: t.Mapping[str, t.Any] | None) -> bool:
    """Whether it can be looked at from here."""
    return bool(who) and who is not None and who.get("world") == _world()


def alive(who: t.Mapping[str, t.Any] | None) -> bool:
    """Whether it runs, on this host; False also for what runs elsewhere: ask ``here`` first."""
    if who is None or not here(who) or not isinstance(who.get("pid"), int):
        return False
    start = who.get("start_ticks")
    return start is not None and _started(who["pid"]) == start


def end(who: t.Mapping[str, t.Any], seconds: float = 3.0) -> bool:
    """End a process and all that it started: asked first, then by force. True when it is gone."""
    if not alive(who):
        return True
    _send(who["pid"], signal.SIGTERM)
    if _gone(who, seconds):
        return True
    with contextlib.suppress(OSError):
        end_descendants(who["pid"])
    _send(who["pid"], signal.SIGKILL)
    return _gone(who, seconds)


def _gone(who: t.Mapping[str, t.Any], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while alive(who):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK)
    return True


def _send(pid: int, which: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, which)
