# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a signature is that of a key that we were given, and of no other."""

from __future__ import annotations

import os
import tempfile

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import TEMPORARY

_STATUS = "[GNUPG:] "
_GOOD = ("GOODSIG", "VALIDSIG")


def check_signature(data: bytes, signature: bytes, key: str, what: str) -> None:
    """Check a detached signature with the exported key in the file ``key`` (gpgv(1)).

    gpgv trusts what is in its keyring, and asks no agent, server or web of trust. Errors: ``bad_signature``,
    which names ``what``; ``bad_key``.
    """
    with tempfile.TemporaryDirectory(prefix=TEMPORARY) as home:
        environment = _command.base_environment(HOME=home, GNUPGHOME=home)
        ring, signed, mark = (os.path.join(home, name) for name in ("ring.gpg", "data", "data.asc"))
        _write(ring, _binary_key(key, environment))
        _write(signed, data)
        _write(mark, signature)
        argv = ["gpgv", "--status-fd", "1", "--keyring", ring, mark, signed]
        done = _command.run(argv, environment=environment, timeout=60, check=False)
    words = [line[len(_STATUS) :].split()[0] for line in done.text.splitlines() if line.startswith(_STATUS)]
    if done.status or any(words.count(word) != 1 for word in _GOOD):
        raise DistrogateError(
            "bad_signature",
            f"The signature of {what} is not a good one of the key in {key}:\n{done.tail(3)}\nIt is not used:"
            " publish it again, or correct published_key.",
        )


def _binary_key(path: str, environment: dict[str, str]) -> bytes:
    """The key as gpgv reads it, from either way of exporting it."""
    try:
        with open(path, "rb") as stream:
            data = stream.read(1 << 20)
    except OSError as error:
        raise DistrogateError("bad_key", f"published_key {path} cannot be read: {error.strerror}.") from error
    if not data.lstrip().startswith(b"-----BEGIN PGP PUBLIC KEY"):
        return data
    argv = ["gpg", "--batch", "--no-tty", "--dearmor"]
    done = _command.run(argv, environment=environment, stdin=data, timeout=60, check=False)
    if done.status or not done.stdout:
        raise DistrogateError("bad_key", f"published_key {path} is no exported key: {done.tail(1)}")
    return done.stdout


def _write(path: str, data: bytes) -> None:
    with open(path, "wb") as stream:
        stream.write(data)
