# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lease's own key pair, beside its lease file."""

from __future__ import annotations

import contextlib
import os

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import write_atomic

_MOST = 1024


def make_key(path: str) -> str:
    """Make a new ed25519 key, ``path`` and ``path``.pub, both 0600; returns the public key's line.

    What was there is replaced: a key serves one lease.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    encoding, form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    public = key.public_key().public_bytes(encoding, form).decode("ascii")
    remove_key(path)
    write_atomic(path, private, 0o600)
    write_atomic(f"{path}.pub", public + "\n", 0o600)
    return public


def read_public_key(path: str) -> str:
    """The public key's line of the pair ``path``."""
    with open(f"{path}.pub", encoding="ascii", errors="replace") as stream:
        line = stream.read(_MOST).strip()
    if not line.startswith("ssh-ed25519 ") or "\n" in line:
        raise DistrogateError("bad_lease_key", f"{path}.pub is not the public key that was written there.")
    return line


def remove_key(path: str) -> None:
    """Remove both files; the public one last, because it alone opens nothing."""
    for name in (path, f"{path}.pub"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
