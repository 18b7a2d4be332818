# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signing with GnuPG: argument lists, one key, nothing asked at a terminal."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._command import base_environment, run
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_FINGERPRINT = re.compile(r"(?:0x)?([0-9A-Fa-f]{16,64})")


class Signer:
    """Signs with the secret key ``key`` (a fingerprint) of the GnuPG home ``home``."""

    def __init__(self, key: str, home: str | None = None) -> None:
        match = _FINGERPRINT.fullmatch(key.replace(" ", ""))
        if not match:
            raise DistrogateError(
                "no_signing_key",
                f"{key!r} is not a fingerprint. Set signing_key to the 40 hexadecimal digits of the key.",
            )
        self.home = home
        self.fingerprint = self._find(match.group(1).upper())

    def _gpg(self, *arguments: str, stdin: bytes = b"", check: bool = True) -> tuple[int, bytes]:
        home = ["--homedir", self.home] if self.home else []
        command = ["gpg", *home, "--batch", "--no-tty", "--yes", "--pinentry-mode", "loopback", *arguments]
        environment = base_environment(HOME=os.path.expanduser("~"))
        done = run(command, environment=environment, stdin=stdin, timeout=120, check=check)
        return done.status, done.stdout

    def _find(self, key: str) -> str:
        """The whole fingerprint of the primary secret key; missing is an error before anything is written."""
        if self.home and not os.path.isdir(self.home):
            raise DistrogateError("no_signing_key", f"There is no GnuPG home {self.home}. Set gnupg_home.")
        status, output = self._gpg("--with-colons", "--list-secret-keys", key, check=False)
        for line in output.decode("utf-8", "replace").splitlines():
            fields = line.split(":")
            if status == 0 and fields[0] == "fpr" and len(fields) > 9:
                return fields[9]
        raise DistrogateError(
            "no_signing_key",
            f"GnuPG has no secret key {key} in {self.home or 'the home of the user that runs the module'}."
            " Import the key there, or set signing_key and gnupg_home.",
        )

    def detached(self, data: bytes) -> bytes:
        """An armored detached signature."""
        return self._sign(data, "--armor", "--detach-sign")

    def clear(self, data: bytes) -> bytes:
        """The text with its signature around it."""
        return self._sign(data, "--clearsign")

    def _sign(self, data: bytes, *arguments: str) -> bytes:
        _status, output = self._gpg(
            "--digest-algo", "SHA512", "--local-user", self.fingerprint, *arguments, stdin=data
        )
        return output

    def public_key(self) -> str:
        """The armored public key, without other people's signatures on it."""
        _status, output = self._gpg(
            "--armor", "--export-options", "export-minimal", "--export", self.fingerprint
        )
        return output.decode("ascii")


class Signs(t.Protocol):
    """What the indexes ask of a signer (tests have a quick one)."""

    fingerprint: str

    def detached(self, data: bytes) -> bytes: ...

    def clear(self, data: bytes) -> bytes: ...

    def public_key(self) -> str: ...
