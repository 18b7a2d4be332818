# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""strace(1): which system calls a run makes, and how one of them is made to kill or to fail.

strace counts each system call and each thread by itself. So every call has a
number of its own, and a case is: this call, the N-th of its kind in its process.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

KILL = "signal=KILL"
CALLS = (
    "rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat,"
    "write,writev,pwrite64,pwritev,pwritev2,ftruncate,fallocate,copy_file_range,sendfile,ioctl,"
    "fsync,fdatasync,syncfs,sync_file_range,fchmod,chmod,fchmodat,utimensat"
)
_ALL = ("strace", "-f", "-q")
# Only the calls that are asked for stop, so that a run stays quick; strace 6.1 injects no signals then.
_QUICK = (*_ALL, "--seccomp-bpf")
# Lets go of every helper as it starts, so that only the module itself is counted.
_ALONE = (*_ALL, "-b", "execve")
_LINE = re.compile(r"^([0-9]+) +([a-z0-9_]+)\((.*)$", re.MULTILINE)
_PATH = re.compile(r"<(/[^>]*)>|\"(/[^\"]*)\"")


@dataclasses.dataclass(frozen=True)
class Case:
    """The ``number``-th ``call`` of the module's process, or (``helper``) of a program that it starts."""

    operation: str
    call: str
    number: int
    helper: bool = False
    alone: bool = dataclasses.field(default=False, compare=False)
    target: str = dataclasses.field(default="", compare=False)

    def __str__(self) -> str:
        who = "a helper's " if self.helper else ""
        return f"{self.operation}: {who}{self.call} {self.number} ({self.target})"


def watching(log: str, calls: str = CALLS) -> tuple[str, ...]:
    """The command that writes down a run's calls, with the paths of open files."""
    return (*_QUICK, "-y", "-s", "0", "-o", log, "-e", f"trace={calls},execve")


def killing(log: str, calls: str, case: Case) -> tuple[str, ...]:
    """The command that writes down a run's calls until ``case`` kills it."""
    inject = f"inject={case.call}:{KILL}:when={case.number}"
    return (*_ALL, "-y", "-s", "0", "-o", log, "-e", f"trace={calls}", "-e", inject)


def injecting(case: Case, effect: str = KILL) -> tuple[str, ...]:
    """The command under which ``case`` has ``effect`` (``signal=…`` or ``error=…``)."""
    tracer = _ALONE if case.alone else _ALL if effect.startswith("signal") else _QUICK
    inject = f"inject={case.call}:{effect}:when={case.number}"
    return (*tracer, "-o", "/dev/null", "-e", f"trace={case.call}", "-e", inject)


def cases(operation: str, log: str) -> list[Case]:
    """Every case that a log shows, in the order in which the calls were made.

    Which process comes to its N-th call first is the one that an injection hits.
    A module's call is reached all the same when its helpers are let go; a
    helper's call that the module comes to earlier is out of reach.
    """
    lines = [(match[1], match[2], match[3]) for match in _LINE.finditer(log)]
    helpers = {process for process, call, _rest in lines[1:] if call == "execve"}
    counts: dict[tuple[str, str], int] = {}
    first: dict[tuple[str, int], bool] = {}
    found: dict[Case, Case] = {}
    for process, call, rest in lines:
        if call == "execve":
            continue
        number = counts[process, call] = counts.get((process, call), 0) + 1
        helper = process in helpers
        earliest = first.setdefault((call, number), helper)
        if _matters(call, rest) and (not helper or earliest):
            case = Case(operation, call, number, helper, earliest != helper, _target(rest))
            found.setdefault(case, case)
    return list(found)


def _matters(call: str, rest: str) -> bool:
    return call != "ioctl" or "FICLONE" in rest or "BTRFS" in rest


def _target(rest: str) -> str:
    """The last path that a call names: what it changes."""
    named: list[t.Any] = [match[1] or match[2] for match in _PATH.finditer(rest)]
    return str(named[-1]) if named else ""
