# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signing with GnuPG: argument lists, one key or two, nothing asked at a terminal."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._command import base_environment, run
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_FINGERPRINT = re.compile(r"(?:0x)?([0-9A-Fa-f]{16,64})")
_UNUSABLE = {"e": "has expired", "r": "was revoked", "d": "is disabled", "i": "is invalid"}


class Signer:
    """Signs with the secret keys ``keys`` (fingerprints) of the GnuPG home ``home``, with all of them."""

    def __init__(self, keys: t.Sequence[str], home: str | None = None) -> None:
        self.home = home
        self._public = ""
        self.fingerprints: list[str] = []
        for key in keys:
            match = _FINGERPRINT.fullmatch(key.replace(" ", ""))
            if not match:
                raise DistrogateError(
                    "no_signing_key",
                    f"{key!r} is not a fingerprint. Set signing_key to the 40 hexadecimal digits of the key.",
                )
            self.fingerprints.append(self._find(match.group(1).upper()))

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
        rows = [line.split(":") for line in output.decode("utf-8", "replace").splitlines()]
        for row, following in zip(rows, rows[1:]):
            if status == 0 and row[0] == "sec" and following[0] == "fpr":
                self._check_usable(row, following[9])
                return following[9]
        raise DistrogateError(
            "no_signing_key",
            f"GnuPG has no secret key {key} in {self.home or 'the home of the user that runs the module'}."
            " Import the key there, or set signing_key and gnupg_home.",
        )

    def _check_usable(self, row: list[str], key: str) -> None:
        """Field 2 says whether the key is valid, field 12 what it can do (GnuPG's doc/DETAILS)."""
        why = _UNUSABLE.get(row[1]) or ("" if "S" in row[11] else "cannot sign")
        if why:
            raise DistrogateError(
                "no_signing_key",
                f"The key {key} in {self.home or 'the home of the user that runs the module'} {why}."
                " Set signing_key to another one, or mend it with gpg --edit-key.",
            )

    def detached(self, data: bytes) -> bytes:
        """An armored detached signature."""
        return self._sign(data, "--armor", "--detach-sign")

    def clear(self, data: bytes) -> bytes:
        """The text with its signature around it."""
        return self._sign(data, "--clearsign")

    def _sign(self, data: bytes, *arguments: str) -> bytes:
        users = [word for key in self.fingerprints for word in ("--local-user", key)]
        _status, output = self._gpg("--digest-algo", "SHA512", *users, *arguments, stdin=data)
        return output

    def public_key(self) -> str:
        """The armored public keys, without other people's signatures on them."""
        if not self._public:
            options = ("--armor", "--export-options", "export-minimal")
            self._public = self._gpg(*options, "--export", *self.fingerprints)[1].decode("ascii")
        return self._public


class Signs(t.Protocol):
    """What the indexes ask of a signer (tests have a quick one)."""

    fingerprints: list[str]

    def detached(self, data: bytes) -> bytes: ...

    def clear(self, data: bytes) -> bytes: ...

    def public_key(self) -> str: ...
