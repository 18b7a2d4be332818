# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public keys: which ones are taken, what they are called, and the lines that sshd reads."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import typing as t

from ._wire import RefusedError

LEASE_TYPE = "ssh-ed25519"
POOL_TYPES = (
    LEASE_TYPE,
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
_KEY = re.compile(r"(?P<type>[a-z0-9@.-]{1,64}) (?P<blob>[A-Za-z0-9+/]{32,4096}={0,2})(?: [^\r\n]{0,256})?")
HEADER = "# Written by te_guard, anew with each lease. Changes made by hand are lost.\n"


def public_key(text: str, types: t.Sequence[str] = (LEASE_TYPE,)) -> str:
    """``TYPE BLOB`` of a public key's line, without its comment; other texts are refused."""
    match = _KEY.fullmatch(text.strip(" \r\n"))
    if not match or match["type"] not in types:
        raise RefusedError("bad_key", f"That is no public key of the type {' or '.join(types)}.")
    kind = match["type"].encode()
    try:
        blob = base64.b64decode(match["blob"], validate=True)
    except binascii.Error as error:
        raise RefusedError("bad_key", "The public key is not base64.") from error
    whole = match["type"] != LEASE_TYPE or len(blob) == 4 + len(kind) + 4 + 32
    if not blob.startswith(len(kind).to_bytes(4, "big") + kind) or not whole:
        raise RefusedError("bad_key", "The public key is not what its first word says.")
    return f"{match['type']} {base64.b64encode(blob).decode()}"


def fingerprint(key: str) -> str:
    """As ssh-keygen -l and sshd's log write it."""
    blob = base64.b64decode(key.split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def authorized_keys(
    command: t.Sequence[str],
    pools: t.Mapping[str, t.Sequence[str]],
    leases: t.Mapping[str, t.Sequence[tuple[str, int, str]]],
) -> str:
    """What sshd reads. ``leases`` has the TEs, pool and fence and name, of each lease's key.

    sshd takes the first line that has a key, so each key has one line, and pools come first.
    """
    lines = [HEADER]
    taken = set()
    for pool, keys in sorted(pools.items()):
        for key in keys:
            taken.add(key)
            lines.append(_line(command, "--pool", pool, key, f"pool {pool}"))
    for key, tes in sorted(leases.items(), key=_by_te):
        if key not in taken:
            comment = " ".join(f"{name}={fence}" for _pool, fence, name in tes)
            lines.append(_line(command, "--lease", key.split()[1], key, comment))
    return "".join(lines)


def _by_te(item: tuple[str, t.Sequence[tuple[str, int, str]]]) -> t.Any:
    return [(name, -fence) for _pool, fence, name in item[1]], item[0]


def _line(command: t.Sequence[str], option: str, value: str, key: str, comment: str) -> str:
    return f'restrict,command="{" ".join([*command, option, value])}" {key} {comment}\n'
