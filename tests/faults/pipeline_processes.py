# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The processes of a site: what its playbooks started, whatever group, session or sandbox they are in."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal

from ansible_collections.distrogate.ci.plugins.module_utils._core._descendants import descendants

# They serve the site, not one run, and stay.
_SERVERS = (b"rsync\0--daemon", b"gpg-agent", b"keyboxd", b"scdaemon")


def _read(pid: int, name: str) -> bytes:
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
    return b""


def _link(pid: int, name: str) -> str:
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/{name}")
    return ""


def _ended(pid: int) -> bool:
    return _read(pid, "stat").rpartition(b")")[2].split()[:1] in ([], [b"Z"], [b"X"])


def _ancestors() -> set[int]:
    found, pid = {os.getpid()}, os.getpid()
    while pid > 1:
        pid = int(_read(pid, "stat").rpartition(b")")[2].split()[1])
        found.add(pid)
    return found


def _below(root: pathlib.Path, pid: int) -> bool:
    """Whether a process has the site's environment, names it, works in it, or has its sandbox as its root."""
    folder = os.fsencode(root)
    if b"DISTROGATE_ROOT=" + folder in _read(pid, "environ").split(b"\0"):
        return True
    if folder + b"/" in _read(pid, "cmdline"):
        return True
    if (_link(pid, "cwd") + "/").startswith(f"{root}/"):
        return True
    other = _link(pid, "ns/mnt") not in ("", _link(os.getpid(), "ns/mnt"))
    return other and folder + b"/" in _read(pid, "mountinfo")


def of_site(root: pathlib.Path) -> dict[int, str]:
    """Each process of the site, with its command line; without its servers, and without us."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    found = {pid for pid in pids if _below(root, pid)}
    found |= {below for pid in found for below in descendants(pid)}
    lines = {pid: _read(pid, "cmdline") for pid in found - _ancestors() if not _ended(pid)}
    return {
        pid: line.replace(b"\0", b" ").decode(errors="replace")[:200]
        for pid, line in lines.items()
        if line and not any(server in line for server in _SERVERS)
    }


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_site(root: pathlib.Path) -> None:
    """All at once, as when the machine's session goes: nobody sees another one die and acts on it."""
    stopped: set[int] = set()
    while more := of_site(root).keys() - stopped:
        for pid in more:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        stopped |= more
    for pid in stopped:
        kill(pid)


def mounts(root: pathlib.Path) -> list[str]:
    """What is mounted below the site's folder, as far as this process sees."""
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if f" {root}/" in line]
