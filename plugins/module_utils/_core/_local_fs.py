# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Is this folder on this machine's own disk, and which machine is this?"""

from __future__ import annotations

import os
import re
import socket

_NETWORK = frozenset(
    [
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "fuse",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "pvfs2",
        "smb3",
        "smbfs",
        "virtiofs",
    ]
)
# A container's own root, as rootless engines mount it: local in spite of its name.
_LOCAL_FUSE = frozenset(["fuse.fuse-overlayfs"])


def _unescaped(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), field)


def file_system(path: str, mountinfo: str = "/proc/self/mountinfo") -> str:
    """The type of the file system that holds ``path`` (a folder that exists), '' when unknown."""
    real = os.path.realpath(path)
    found, length = "", -1
    try:
        with open(mountinfo, encoding="utf-8", errors="surrogateescape") as stream:
            lines = stream.read().splitlines()
    except OSError:
        return ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 9 or "-" not in fields[6:]:
            continue
        point = _unescaped(fields[4])
        # The last of two mounts on one point hides the first: hence >=.
        if (real == point or real.startswith(point.rstrip("/") + "/")) and len(point) >= length:
            found, length = fields[fields.index("-", 6) + 1], len(point)
    return found


def is_network(kind: str) -> bool:
    """Whether a file system of this type may be shared with other machines."""
    return kind in _NETWORK or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE)


def machine_identity() -> str:
    """The machine's id; its host name where it has none (a container)."""
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            with open(path, encoding="ascii") as stream:
                identity = stream.read().strip()
        except (OSError, UnicodeDecodeError):
            continue
        if identity and identity != "uninitialized":
            return identity
    return f"host:{socket.gethostname()}"
