# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rsync's answers mean: its status, its complaints, its lines about files."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._paths import printable

_REFUSED, _PARTIAL, _VANISHED, _SSH = 5, 23, 24, 255
_LOOP = b"Too many levels of symbolic links"  # so a daemon says that it follows no link
_STATUS = {
    1: "it does not allow this, or its rsync is too old",
    2: "its rsync is too old, or set up otherwise",
    4: "its rsync cannot do this, or is set up not to",
    _REFUSED: "the daemon refused (module, user or password)",
    10: "no connection",
    11: "a file could not be read or written",
    12: "the connection broke",
    14: "a program could not be started",
    20: "rsync was ended from outside",
    22: "no memory was left",
    _PARTIAL: "some files could not be transferred",
    _VANISHED: "files vanished from the source",
    30: "no data came for too long",
    35: "no answer from the daemon",
    127: "it has no rsync",
    _SSH: "ssh failed",
}
# What may be otherwise when it is tried again. 5 is not: only "max connections" is.
_TRANSIENT = frozenset({10, 12, 30, 35, _SSH})
_LARGE = b"File too large"
# What a status does not tell: (text, what it means for a person, whether it may pass by itself).
_COMPLAINTS = (
    (b"max connections", "its daemon has no free connection now (max connections)", True),
    (b"auth failed", "its daemon does not take this user and password", False),
    (b"Unknown module", "its daemon has no such module", False),
    (b"module is read only", "its module is read-only; set read only = no there", False),
    (b"Read-only file system", "its file system is read-only", False),
    (b"No space left on device", "its disk is full; make room there", False),
    (b"Disk quota exceeded", "its quota is used up; make room there", False),
    (_LARGE, "a file is larger than may be written", False),
    (b"could not make way for", "a folder lies where a file should be; remove it there", False),
    (b"Is a directory", "a folder lies where a file should be; remove it there", False),
    (b"Host key verification failed", "its ssh host key is not the known one, or not known yet", False),
    (b"Permission denied", "a file or folder there may not be written or read", False),
)
_ITEM = re.compile(rb"^([<>ch.*][fdLDS][^ ]{9}) (.*)$", re.DOTALL)
_ESCAPED = re.compile(rb"\\#([0-7]{3})")
_LAST = 4


class Item(t.NamedTuple):
    """One line about a file: rsync's eleven letters (see ``--itemize-changes``), and its path."""

    letters: str
    path: bytes


def parse_item(line: bytes) -> Item | None:
    """None for a line about something else."""
    match = _ITEM.match(line)
    if not match:
        return None
    path = _ESCAPED.sub(_unescaped, match.group(2))
    return Item(match.group(1).decode("ascii", "replace"), path[2:] if path.startswith(b"./") else path)


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes([int(match.group(1), 8) & 0xFF])


def only_absent(status: int, complaints: bytes) -> bool:
    """Whether a transfer from a mirror lacks only what is not there for us: removed, or behind a link."""
    lines = [
        line for line in complaints.splitlines() if line.strip() and not line.startswith(b"rsync error:")
    ]
    behind = bool(lines) and all(b"link_stat" in line and _LOOP in line for line in lines)
    return status == _VANISHED or (status == _PARTIAL and behind)


def failed(address: str, why: str, transient: bool = False, large: bool = False) -> DistrogateError:
    """``why`` completes the sentence that begins with the address; ``large``: more came than was allowed."""
    return DistrogateError(
        "mirror_failed", f"{address}: {why}", address=address, why=why, transient=transient, large=large
    )


def failure(address: str, status: int, complaints: bytes) -> DistrogateError:
    """What to tell of an rsync that ended with ``status``."""
    reason, transient = _STATUS.get(status, "rsync failed"), status in _TRANSIENT
    if status == _REFUSED and b"@ERROR" not in complaints:
        reason, transient = "the connection broke", True  # nobody refused: nobody said anything
    for text, meaning, passing in _COMPLAINTS:
        if text in complaints:
            reason, transient = meaning, passing
            break
    if b"denied (publickey" in complaints or (status == _SSH and b"Permission denied" in complaints):
        reason, transient = "it refuses this ssh key or user", False
    last = [printable(line) for line in complaints.splitlines() if line.strip()][-_LAST:]
    why = f"{reason} (rsync status {status}): " + " | ".join(last)[:600]
    return failed(address, why, transient, large=_LARGE in complaints)
