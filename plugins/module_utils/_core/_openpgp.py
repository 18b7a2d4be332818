# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenPGP keys in a GnuPG home folder (gpg(1), doc/DETAILS for the colon format)."""

from __future__ import annotations

import os

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import write_atomic

_UNUSABLE = ("d", "e", "i", "r")  # disabled, expired, invalid, revoked


def _gpg(home: str, *arguments: str, check: bool = True) -> _command.Completed:
    environment = _command.base_environment(GNUPGHOME=home)
    return _command.run(["gpg", "--batch", *arguments], environment=environment, timeout=120, check=check)


def find_key(home: str, user: str) -> str:
    """The fingerprint of the usable secret key of exactly this user id, or an empty string."""
    listing = _gpg(home, "--with-colons", "--list-secret-keys", "--", f"={user}", check=False)
    usable = False
    for line in listing.text.splitlines():
        fields = line.split(":")
        if fields[0] == "sec":
            usable = fields[1] not in _UNUSABLE
        if fields[0] == "fpr" and usable:
            return fields[9]
    return ""


def make_key(home: str, user: str) -> str:
    """Make a signing key that does not expire and has no passphrase; returns its fingerprint."""
    os.makedirs(home, mode=0o700, exist_ok=True)
    os.chmod(home, 0o700)
    _gpg(home, "--passphrase", "", "--quick-generate-key", "--", user, "ed25519", "sign", "never")
    found = find_key(home, user)
    if not found:
        raise DistrogateError("no_signing_key", f"gpg made no key for {user} in {home}.")
    return found


def remember(path: str, fingerprint: str, write: bool = True) -> bool:
    """Write the fingerprint to a file, unless it is there; whether it was not."""
    if os.path.exists(path):
        with open(path, encoding="ascii", errors="replace") as stream:
            if stream.read().strip() == fingerprint:
                return False
    if write:
        write_atomic(path, fingerprint + "\n")
    return True


def export(path: str, home: str, fingerprint: str, write: bool = True) -> bool:
    """Write the armored public key to a file, unless it is there; whether it was not."""
    options = ["--armor", "--export-options", "export-minimal", "--export"]
    key = _gpg(home, *options, "--", fingerprint).stdout if fingerprint else b""
    if os.path.exists(path):
        with open(path, "rb") as stream:
            if stream.read() == key:
                return False
    if write:
        write_atomic(path, key)
    return True
